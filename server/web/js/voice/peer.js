/**
 * The connection to one of the others: what the WebRTC specification calls perfect negotiation. Both sides may offer at
 * any time; when both do at once the impolite one's offer holds.
 */

/** Candidates that are found within this time travel together. */
const GATHER_MS = 40;
/** The number in a description that stays the same for as long as its connection lives. */
const ORIGIN = /^o=\S+ (\S+)/m;
/** Without a connection after this time, something was lost on the way: try again. */
const RETRY_MS = 12_000;

/**
 * @typedef {object} Around
 * @property {string} id of the other one
 * @property {boolean} polite
 * @property {RTCIceServer[]} iceServers
 * @property {(op:'offer'|'answer'|'candidate', d:any) => void} say
 * @property {() => MediaStreamTrack|null} voice what is sent of me
 * @property {(track:MediaStreamTrack, stream:MediaStream) => void} heard something of theirs arrives
 * @property {(state:string) => void} state
 */

export class Peer {
  /** @param {Around} around @param {typeof RTCPeerConnection} [Connection] */
  constructor(around, Connection = globalThis.RTCPeerConnection) {
    this.around = around;
    this.connection = new Connection({ iceServers: around.iceServers });
    this.offering = false;
    this.ignoring = false;
    this.speaks = false;
    /** The origin of what they describe. @type {string|undefined} */
    this.theirs = undefined;
    /** One after the other: a candidate must not overtake the description that it belongs to. */
    this.work = Promise.resolve();
    /** @type {any[]} */
    this.found = [];
    /** @type {RTCRtpTransceiver|undefined} */
    this.screen = undefined;
    const { connection } = this;
    connection.onnegotiationneeded = () => void this.offer();
    connection.onicecandidate = ({ candidate }) => this.find(candidate);
    connection.ontrack = ({ track, streams }) => around.heard(track, streams[0] ?? new MediaStream([track]));
    connection.onconnectionstatechange = () => {
      around.state(connection.connectionState);
      if (connection.connectionState === 'failed') void this.again();
    };
    this.retryTimer = setInterval(() => {
      if (['new', 'connecting'].includes(connection.connectionState)) void this.again();
    }, RETRY_MS);
  }

  /** I came: what I can send is offered. Whoever has no microphone still wants to hear. */
  begin() {
    if (!this.speak()) this.connection.addTransceiver('audio', { direction: 'recvonly' });
  }

  /** @private */
  speak() {
    const track = this.around.voice();
    if (track && !this.speaks) this.connection.addTrack(track, new MediaStream([track]));
    this.speaks ||= Boolean(track);
    return this.speaks;
  }

  /**
   * Shows a screen, or none. Always in the same place of the descriptions: with a new one each time they would grow, by the sixth
   * beyond what the server takes, and the call would end. @param {MediaStreamTrack|null} track
   */
  show(track) {
    const { connection, screen } = this;
    if (!track) {
      if (screen) connection.removeTrack(screen.sender);
    } else if (screen) {
      void screen.sender.replaceTrack(track).catch(() => {}); // the connection was closed
      screen.direction = 'sendrecv';
    } else {
      const sender = connection.addTrack(track, new MediaStream([track]));
      this.screen = connection.getTransceivers().find((one) => one.sender === sender);
    }
  }

  /** Whether what they describe is another connection than the one that this is to: theirs has ended. @param {string} [sdp] */
  isOver(sdp = '') {
    const origin = ORIGIN.exec(sdp)?.[1];
    return Boolean(origin && this.theirs && origin !== this.theirs);
  }

  /** @private */
  async offer() {
    if (this.connection.signalingState !== 'stable') return;
    try {
      this.offering = true;
      await this.connection.setLocalDescription();
      this.around.say('offer', { to: this.around.id, sdp: this.connection.localDescription?.sdp ?? '' });
    } catch {
      // The other one's offer came first, or the connection was closed.
    } finally {
      this.offering = false;
    }
  }

  /** The words got lost, or the way did. @private */
  async again() {
    const { connection } = this;
    if (connection.signalingState === 'have-local-offer') await connection.setLocalDescription({ type: 'rollback' }).catch(() => {});
    if (connection.signalingState !== 'closed') connection.restartIce();
  }

  /** What the server passed on of theirs. @param {string} op @param {any} d */
  take(op, d) {
    this.work = this.work.then(() => this.apply(op, d)).catch(() => {});
    return this.work;
  }

  /** @private @param {string} op @param {any} d */
  async apply(op, d) {
    const { connection } = this;
    if (connection.signalingState === 'closed') return;
    if (op === 'offer') {
      const collision = this.offering || connection.signalingState !== 'stable';
      this.ignoring = !this.around.polite && collision;
      if (this.ignoring) return;
      await connection.setRemoteDescription({ type: 'offer', sdp: d.sdp });
      this.theirs = ORIGIN.exec(d.sdp)?.[1];
      this.speak();
      await connection.setLocalDescription();
      this.around.say('answer', { to: this.around.id, sdp: connection.localDescription?.sdp ?? '' });
    } else if (op === 'answer') {
      if (connection.signalingState !== 'have-local-offer') return;
      await connection.setRemoteDescription({ type: 'answer', sdp: d.sdp });
      this.theirs = ORIGIN.exec(d.sdp)?.[1];
    } else if (op === 'candidate') {
      for (const candidate of d.candidates ?? []) await connection.addIceCandidate(candidate).catch(() => {}); // of an offer that was ignored
    }
  }

  /** @private @param {RTCIceCandidate|null} candidate null: that were all */
  find(candidate) {
    if (!candidate?.candidate) return;
    this.found.push(candidate.toJSON());
    this.foundTimer ??= setTimeout(() => {
      this.foundTimer = undefined;
      this.around.say('candidate', { to: this.around.id, candidates: this.found.splice(0) });
    }, GATHER_MS);
  }

  close() {
    clearTimeout(this.foundTimer);
    clearInterval(this.retryTimer);
    const { connection } = this;
    connection.onnegotiationneeded = connection.onicecandidate = connection.ontrack = connection.onconnectionstatechange = null;
    connection.close();
  }
}
