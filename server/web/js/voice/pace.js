/** Sends no faster than the server takes it: a socket that says too much is closed, and then nobody hears anybody. */

/**
 * What the server takes of one client in ten seconds (server/src/voice/flood.rs): frames, candidates in them, and bytes. Of these it
 * takes 640 KiB, and counts 96 for each candidate beside its words, a little more than stand around them here.
 */
const TAKEN = [100, 500, 512 * 1_024];
/** The part of it that is said at once, and that of each second after: together less than all of it, wherever the server's window begins. */
const AT_ONCE = 0.5;
const A_SECOND = 0.045;
/** Candidates of one frame; a frame has a largest size. */
const CANDIDATES = 20;

/** @typedef {{op:string, d:any}} Frame */

/** How much of each a frame takes. @param {Frame} frame */
function cost({ d }) {
  return [1, d.candidates?.length ?? 0, JSON.stringify(d).length];
}

export class Pace {
  /** @param {(frame:Frame)=>void} send @param {{now?:()=>number, wait?:(work:()=>void, ms:number)=>any, cancel?:(timer:any)=>void}} [clock] */
  constructor(send, { now = () => performance.now(), wait = (work, ms) => setTimeout(work, ms), cancel = (timer) => clearTimeout(timer) } = {}) {
    this.send = send;
    this.now = now;
    this.wait = wait;
    this.cancel = cancel;
    /** Of each, how much may be said now. */
    this.left = TAKEN.map((taken) => taken * AT_ONCE);
    this.at = now();
    /** @type {Frame[]} */
    this.queue = [];
    /** @type {any} */
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
    const seconds = (now - this.at) / 1000;
    this.left = this.left.map((left, kind) => Math.min(TAKEN[kind] * AT_ONCE, left + seconds * TAKEN[kind] * A_SECOND));
    this.at = now;
    while (this.queue.length) {
      const [frame] = this.queue;
      const waitMs = this.waitMs(frame);
      if (waitMs) {
        this.timer ??= this.wait(() => { this.timer = null; this.flow(); }, waitMs);
        return;
      }
      this.queue.shift();
      cost(frame).forEach((much, kind) => { this.left[kind] -= much; });
      this.send(frame);
    }
  }

  /** Until enough of everything is left for a frame, or as much as there ever is: one too large for that must not stop all others. @private @param {Frame} frame */
  waitMs(frame) {
    return Math.max(...cost(frame).map((much, kind) => {
      const lacking = Math.min(much, TAKEN[kind] * AT_ONCE) - this.left[kind];
      return lacking > 0 ? Math.ceil((lacking / (TAKEN[kind] * A_SECOND)) * 1000) : 0;
    }));
  }

  stop() {
    this.queue = [];
    if (this.timer !== null) this.cancel(this.timer);
    this.timer = null;
  }
}
