/**
 * The gateway client. It keeps one cursor (epoch, pos): everything up to pos has been applied, so after a lost connection
 * the server replays what is missing, and an event that comes twice is applied once.
 *
 * @typedef {{op:'event', t:string, pos:number, channel_id?:string, seq?:number, withheld?:boolean, d:any}} LiveEvent
 * @typedef {{op:'signal', t:string, channel_id?:string, d:any}} LiveSignal
 * @typedef {{status:'connecting'|'online'|'offline'|'stopped', retryAt:number, reason:string}} Connection
 * @typedef {object} Handlers
 * @property {() => Promise<string>} token a fresh access token; rejects when there is no session
 * @property {(force?:boolean) => Promise<string>} renewToken
 * @property {(event: LiveEvent) => void} event
 * @property {(signal: LiveSignal) => void} signal
 * @property {(ready: any) => void} ready a new session: whatever the page shows must be fetched again
 * @property {(resumed: any) => void} resumed
 * @property {(connection: Connection) => void} connection
 */
import { signal } from '../vendor/signals-core.js';
import { refusalText } from './refusal.js';
import { t } from './words.js';

/** The gateway of this page, while somebody is signed in. */
export const live = signal(/** @type {Live|null} */ (null));

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** An operation without an answer for this long is taken to be lost. */
const ACK_TIMEOUT_MS = 8_000;
/** Hello must come within this time, or the connection is a dead one. */
const HELLO_TIMEOUT_MS = 10_000;
/** A socket that was asleep answers within this time, or it is a dead one. */
const WAKE_TIMEOUT_MS = 5_000;
/** Closed for a frame it could not read this often: the two sides do not understand each other, so stop. */
const MAX_BAD_FRAMES = 3;

/** Full jitter, so that a thousand clients cut off together do not come back together. @param {number} attempt @param {() => number} [random] */
export function backoffMs(attempt, random = Math.random) {
  return Math.floor(random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** attempt));
}

/** Beats apart from other clients': those who were cut off together would beat in the same moment for ever. */
export class Heartbeat {
  /** @param {() => unknown} beat @param {number} everyMs apart at most, and at least three quarters of it */
  start(beat, everyMs) {
    this.stop();
    const next = () => {
      // The next one first: a beat that finds the line dead stops it.
      this.timer = setTimeout(() => { next(); beat(); }, everyMs * (0.75 + Math.random() / 4));
    };
    next();
  }

  stop() {
    clearTimeout(this.timer);
  }
}

export class Live {
  /** @param {string} address @param {Handlers} handlers @param {typeof WebSocket} [Socket] */
  constructor(address, handlers, Socket = globalThis.WebSocket) {
    this.address = address;
    this.handlers = handlers;
    this.Socket = Socket;
    /** @type {{epoch:string|number, pos:number}|null} */
    this.cursor = null;
    /** @type {WebSocket|null} */
    this.socket = null;
    /** @type {Map<string, {resolve:(message:any)=>void, reject:(error:Error)=>void, timer:any}>} */
    this.waiting = new Map();
    this.attempt = 0;
    this.badFrames = 0;
    this.identified = false;
    this.stopped = true;
    this.serverDelayMs = -1;
    this.heartbeat = new Heartbeat();
  }

  start() {
    this.stopped = false;
    this.connect();
  }

  /** Ends the connection for good (signing out). */
  stop(reason = '') {
    this.stopped = true;
    this.cursor = null;
    clearTimeout(this.retryTimer);
    this.drop();
    this.handlers.connection({ status: 'stopped', retryAt: 0, reason });
  }

  /** Skips the wait before the next attempt. */
  retryNow() {
    if (this.stopped || this.socket) return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  /** The device may have slept: a socket that looks open can have been closed by everyone between here and the server. It is asked, not believed. */
  wake() {
    const { socket } = this;
    if (this.stopped) return;
    if (!socket) {
      this.retryNow();
      return;
    }
    if (!this.identified) return; // its own patience runs
    this.beatAnswered = false;
    this.write('heartbeat', { pos: this.cursor?.pos ?? 0 });
    clearTimeout(this.wakeTimer);
    this.wakeTimer = setTimeout(() => { if (this.socket === socket && !this.beatAnswered) void this.lost(socket, 1006); }, WAKE_TIMEOUT_MS);
  }

  get online() {
    return this.identified;
  }

  /** Tells the server of a renewed token, so that it does not close the socket at the old one's end. @param {string} token */
  reauth(token) {
    if (this.identified) this.write('reauth', { token });
  }

  /** @param {string} channelId @param {string} [parentId] the root of the thread that is written in */
  typing(channelId, parentId) {
    if (this.identified) this.write('typing', { channel_id: channelId, ...(parentId ? { parent_id: parentId } : {}) });
  }

  /** @param {'online'|'away'} status what this device sees of the person */
  presence(status) {
    if (this.identified) this.write('presence', { status });
  }

  /**
   * Sends a message; resolves with it as stored.
   * @param {{channel_id:string, content:string, nonce:string, parent_id?:string}} message
   */
  send(message) {
    return new Promise((resolve, reject) => {
      if (!this.identified) return reject(new Error('not connected'));
      const timer = setTimeout(() => this.settle(message.nonce, new Error('no answer')), ACK_TIMEOUT_MS);
      this.waiting.set(message.nonce, { resolve, reject, timer });
      this.write('send', message);
    });
  }

  /** @private @param {string} op @param {object} d */
  write(op, d) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify({ op, d }));
  }

  /** @private */
  connect() {
    this.handlers.connection({ status: 'connecting', retryAt: 0, reason: '' });
    const socket = new this.Socket(this.address);
    this.socket = socket;
    this.helloTimer = setTimeout(() => this.lost(socket, 1006), HELLO_TIMEOUT_MS);
    socket.onmessage = (message) => {
      if (this.socket === socket) this.frame(message.data);
    };
    socket.onclose = (closed) => this.lost(socket, closed.code);
  }

  /** @private @param {string} text */
  frame(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    const d = frame.d ?? {};
    switch (frame.op) {
      case 'hello': return void this.hello(d);
      case 'ready': return this.ready(d);
      case 'resumed': return this.resumed(d);
      case 'event': return this.event(frame);
      case 'signal': return this.handlers.signal(frame);
      case 'ack': return this.settle(d.nonce, d.message);
      case 'error': return void this.refused(d);
      case 'heartbeat_ack': this.beatAnswered = true; return undefined;
      case 'reconnect': this.serverDelayMs = Math.min(BACKOFF_CAP_MS, Number(d.after_ms) || 0); return this.socket?.close(1000);
      case 'invalid': this.cursor = null; return void this.authenticate();
      default: return undefined; // an operation of a newer server
    }
  }

  /** @private @param {any} d */
  async hello(d) {
    clearTimeout(this.helloTimer);
    this.startHeartbeat(Number(d.heartbeat_ms) || 30_000);
    await this.authenticate();
  }

  /** @private Says who we are: from where we stopped if we know it, else anew. */
  async authenticate() {
    const socket = this.socket;
    let token;
    try {
      token = await this.handlers.token();
    } catch {
      return socket?.close(1000);
    }
    if (this.socket !== socket) return undefined;
    return this.cursor ? this.write('resume', { token, ...this.cursor }) : this.write('identify', { token });
  }

  /** @private @param {any} d */
  ready(d) {
    this.cursor = { epoch: d.epoch, pos: Number(d.pos) || 0 };
    this.nowOnline();
    this.handlers.ready(d);
  }

  /** @private @param {any} d */
  resumed(d) {
    if (this.cursor) this.cursor.pos = Math.max(this.cursor.pos, Number(d.pos) || 0);
    this.nowOnline();
    this.handlers.resumed(d);
  }

  /** @private */
  nowOnline() {
    this.identified = true;
    this.attempt = 0;
    this.badFrames = 0;
    this.handlers.connection({ status: 'online', retryAt: 0, reason: '' });
  }

  /** @private @param {LiveEvent} event */
  event(event) {
    if (!this.cursor || !(event.pos > this.cursor.pos)) return;
    this.cursor.pos = event.pos;
    this.handlers.event(event);
  }

  /** @private @param {string|undefined} nonce @param {any} outcome the stored message, or an Error */
  settle(nonce, outcome) {
    const waiting = nonce === undefined ? undefined : this.waiting.get(nonce);
    if (!waiting || nonce === undefined) return;
    this.waiting.delete(nonce);
    clearTimeout(waiting.timer);
    if (outcome instanceof Error) waiting.reject(outcome);
    else waiting.resolve(outcome);
  }

  /** @private @param {{nonce?:string, code?:string, message?:string}} d */
  async refused(d) {
    const error = Object.assign(new Error(await refusalText(d.code, d.message || t('the_server_refused_this'))), { code: d.code, refused: true });
    this.settle(d.nonce, error);
  }

  /** @private @param {number} everyMs */
  startHeartbeat(everyMs) {
    this.beatAnswered = true;
    this.heartbeat.start(() => {
      // No answer to the last beat: the network is gone although the socket looks open.
      if (!this.beatAnswered && this.socket) return this.lost(this.socket, 1006);
      this.beatAnswered = false;
      return this.write('heartbeat', { pos: this.cursor?.pos ?? 0 });
    }, everyMs);
  }

  /** @private */
  drop() {
    this.heartbeat.stop();
    clearTimeout(this.helloTimer);
    clearTimeout(this.wakeTimer);
    const socket = this.socket;
    this.socket = null;
    this.identified = false;
    if (socket) {
      socket.onclose = null;
      socket.onmessage = null;
      if (socket.readyState <= 1) socket.close(1000);
    }
    for (const nonce of [...this.waiting.keys()]) this.settle(nonce, new Error('connection lost'));
  }

  /** @private @param {WebSocket} socket @param {number} code */
  async lost(socket, code) {
    if (this.socket !== socket) return;
    this.drop();
    if (this.stopped) return;
    const reason = await this.verdict(code);
    // Woken meanwhile, it has begun anew.
    if (this.stopped || this.socket) return;
    if (reason) {
      this.stop(reason);
      return;
    }
    const delayMs = this.serverDelayMs >= 0 ? this.serverDelayMs : backoffMs(this.attempt);
    this.serverDelayMs = -1;
    this.attempt = Math.min(this.attempt + 1, 10);
    this.handlers.connection({ status: 'offline', retryAt: Date.now() + delayMs, reason: '' });
    // Woken and lost again meanwhile, it waits already: of two sockets nobody would end one.
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), delayMs);
  }

  /** @private What a close code asks for; a non-empty answer says why there is no use in coming back. @param {number} code */
  async verdict(code) {
    switch (code) {
      case 4001:
      case 1009:
        this.badFrames += 1;
        return this.badFrames >= MAX_BAD_FRAMES ? 'protocol' : '';
      case 4003:
      case 4004:
      case 4015:
        // Expired, or no longer valid: only a new token can tell which.
        return this.handlers.renewToken(true).then(() => '', (error) => (error?.isFinal ? 'signed_out' : ''));
      case 4007:
        this.cursor = null;
        return '';
      case 4010:
        return 'signed_out';
      case 4014:
        // A browser's many windows would come back in the same moment.
        this.serverDelayMs = BACKOFF_CAP_MS * (1 + Math.random()) / 2;
        return '';
      default:
        return '';
    }
  }
}
