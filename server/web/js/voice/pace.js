/** Sends no faster than the server takes it: a socket that says too much is closed, and then nobody hears anybody. */

/** At once, and each second after that: together less than the server's 100 in ten seconds, wherever its window begins. */
const AT_ONCE = 50;
const A_SECOND = 4.5;
/** Candidates of one frame; a frame has a largest size. */
const CANDIDATES = 20;

/** @typedef {{op:string, d:any}} Frame */

export class Pace {
  /** @param {(frame:Frame)=>void} send @param {{now?:()=>number, wait?:(work:()=>void, ms:number)=>any, cancel?:(timer:any)=>void}} [clock] */
  constructor(send, { now = Date.now, wait = (work, ms) => setTimeout(work, ms), cancel = (timer) => clearTimeout(timer) } = {}) {
    this.send = send;
    this.now = now;
    this.wait = wait;
    this.cancel = cancel;
    this.left = AT_ONCE;
    this.at = now();
    /** @type {Frame[]} */
    this.queue = [];
    this.timer = null;
  }

  /** @param {string} op @param {any} d */
  say(op, d) {
    if (!this.joins(op, d)) this.queue.push({ op, d });
    this.flow();
  }

  /** Whether it went into something that waits: only the last word on how I show matters. @private @param {string} op @param {any} d */
  joins(op, d) {
    const same = this.queue.findIndex((frame) => frame.op === op && (op !== 'candidate' || frame.d.to === d.to));
    if (same < 0) return false;
    if (op === 'speaking') this.queue[same].d = d;
    else if (op === 'candidate' && this.queue[same].d.candidates.length + d.candidates.length <= CANDIDATES) this.queue[same].d.candidates.push(...d.candidates);
    else return false;
    return true;
  }

  /** @private */
  flow() {
    const now = this.now();
    this.left = Math.min(AT_ONCE, this.left + ((now - this.at) / 1000) * A_SECOND);
    this.at = now;
    while (this.queue.length && this.left >= 1) {
      this.left -= 1;
      this.send(/** @type {Frame} */ (this.queue.shift()));
    }
    if (!this.queue.length || this.timer !== null) return;
    this.timer = this.wait(() => { this.timer = null; this.flow(); }, Math.ceil(((1 - this.left) / A_SECOND) * 1000));
  }

  stop() {
    this.queue = [];
    if (this.timer !== null) this.cancel(this.timer);
    this.timer = null;
  }
}
