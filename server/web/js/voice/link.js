/**
 * The socket to a voice channel: signs in, joins, comes back after a lost connection, and says why it ended for good.
 *
 * @typedef {{participant_id:string, user_id:string, muted:boolean, deafened:boolean, speaking:boolean, sharing:boolean, joined_at:string}} Participant
 * @typedef {object} Handlers
 * @property {(force?:boolean) => Promise<string>} token a fresh access token; rejects when there is no session
 * @property {() => {muted:boolean, deafened:boolean}} self how I come in
 * @property {(joined:{participant_id:string, participants:Participant[], ice_servers:RTCIceServer[]}) => void} joined
 * @property {(op:string, d:any) => void} frame
 * @property {() => void} lost what was agreed over it is over; it is coming back
 * @property {(reason:string) => void} ended for good; in words for the person, or empty
 */
import { backoffMs, Heartbeat } from '../live.js';
import { t } from '../page_words.js';
import { Pace } from './pace.js';

const HELLO_TIMEOUT_MS = 10_000;
/** Tries that led to nothing before one ever was in: the server is not there, or a proxy refuses sockets. */
const MAX_TRIES = 8;
/** Whoever was in comes back for so long: a server that starts anew, a network that changes. */
const PATIENCE_MS = 120_000;
/** The close code of a server that has too many to greet: it says when to come back. */
const CROWDED = 4012;

/** Why there is no use in coming back, by the code of the close. @type {Record<number,string>} */
const ENDS = {
  4001: t('this_page_is_older_than_the_2'),
  4010: '',
  4016: t('you_are_not_in_this_voice'),
  4017: t('this_voice_channel_is_full'),
  4018: t('you_joined_from_another_window_or'),
};
/** The same where the server said before what it refuses. @type {Record<string,string>} */
const REFUSALS = {
  not_a_member: t('you_are_not_a_member_of'),
  channel_archived: t('this_channel_is_archived_nobody_talks'),
};

export class VoiceLink {
  /** @param {string} address @param {Handlers} handlers @param {typeof WebSocket} [Socket] */
  constructor(address, handlers, Socket = globalThis.WebSocket) {
    this.address = address;
    this.handlers = handlers;
    this.Socket = Socket;
    /** @type {WebSocket|null} */
    this.socket = null;
    this.stopped = false;
    this.tries = 0;
    /** Since when one who was in is out. @type {number|null} */
    this.outSince = null;
    this.refusal = '';
    this.delayMs = -1;
    this.joined = false;
    this.heartbeat = new Heartbeat();
  }

  start() {
    this.connect();
  }

  /** Leaves. */
  stop() {
    if (this.stopped) return;
    this.stopped = true;
    clearTimeout(this.retryTimer);
    if (this.joined) this.write({ op: 'leave', d: {} });
    this.drop();
  }

  /** @param {string} op @param {any} d */
  say(op, d) {
    if (this.joined) this.pace?.say(op, d);
  }

  /** The token was renewed: the socket is not to end with the old one. @param {string} token */
  reauth(token) {
    if (this.joined) this.write({ op: 'reauth', d: { token } });
  }

  /** @private @param {{op:string, d:any}} frame */
  write(frame) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(frame));
  }

  /** @private */
  connect() {
    const socket = new this.Socket(this.address);
    this.socket = socket;
    this.refusal = '';
    this.pace = new Pace((frame) => this.write(frame));
    this.helloTimer = setTimeout(() => this.closed(socket, 1006), HELLO_TIMEOUT_MS);
    socket.onmessage = (message) => {
      if (this.socket === socket) this.heard(message.data);
    };
    socket.onclose = (closed) => this.closed(socket, closed.code);
  }

  /** @private @param {string} text */
  heard(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    const d = frame.d ?? {};
    switch (frame.op) {
      case 'hello': return void this.hello(d);
      case 'ready': return this.write({ op: 'join', d: this.handlers.self() });
      case 'joined':
        this.joined = true;
        this.tries = 0;
        return this.handlers.joined(d);
      case 'heartbeat_ack': this.beatAnswered = true; return undefined;
      case 'reconnect': this.delayMs = Number(d.after_ms) || 0; return undefined;
      case 'error': this.refusal = d.code ?? ''; return undefined;
      default: return this.handlers.frame(frame.op, d);
    }
  }

  /** @private @param {{heartbeat_ms?:number}} d */
  async hello(d) {
    clearTimeout(this.helloTimer);
    const socket = this.socket;
    this.beatAnswered = true;
    this.heartbeat.start(() => {
      // No answer to the last beat: the network is gone although the socket looks open.
      if (!this.beatAnswered && this.socket) return this.closed(this.socket, 1006);
      this.beatAnswered = false;
      return this.write({ op: 'heartbeat', d: {} });
    }, Number(d.heartbeat_ms) || 30_000);
    try {
      const token = await this.handlers.token();
      if (this.socket === socket) this.write({ op: 'identify', d: { token } });
    } catch {
      socket?.close(1000);
    }
  }

  /** @private */
  drop() {
    clearTimeout(this.helloTimer);
    this.heartbeat.stop();
    this.pace?.stop();
    this.joined = false;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    if (socket.readyState <= 1) socket.close(1000);
  }

  /** @private @param {WebSocket} socket @param {number} code */
  async closed(socket, code) {
    if (this.socket !== socket || this.stopped) return;
    if (this.joined) this.outSince = Date.now();
    this.drop();
    this.handlers.lost();
    if (code === 4004 || code === 4015) await this.handlers.token(true).catch(() => {});
    if (this.stopped) return;
    // Whoever is asked to come back is not turned away.
    const isInvited = this.delayMs >= 0;
    if (!isInvited) this.tries += 1;
    const isHopeless = !isInvited && (this.outSince === null ? this.tries > MAX_TRIES : Date.now() - this.outSince > PATIENCE_MS);
    if (code in ENDS || isHopeless) {
      this.stopped = true;
      this.handlers.ended(code in ENDS ? REFUSALS[this.refusal] ?? ENDS[code] : t('the_voice_channel_could_not_be'));
      return;
    }
    // People who talk wait for nothing but what keeps a crowd apart.
    const longestMs = code === CROWDED ? Infinity : 2_000;
    const waitMs = isInvited ? Math.min(this.delayMs, longestMs) : Math.min(backoffMs(this.tries), 5_000);
    this.delayMs = -1;
    this.retryTimer = setTimeout(() => this.connect(), waitMs);
  }
}
