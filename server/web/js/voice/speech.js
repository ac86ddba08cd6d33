/** Whether somebody speaks, by how loud their microphone is. */

/** As loud as a quiet voice near a microphone, and as quiet as a room. Root mean square, of 1. */
const LOUD = 0.02;
const QUIET = 0.012;
/** Between words nobody has stopped. */
const PAUSE_MS = 600;
const LOOK_MS = 100;
/** Samples of a part that is judged as one: some 20 ms. */
const PART = 1024;

/** The rule, apart from the microphone. */
export class SpeechGate {
  constructor() {
    this.speaks = false;
    this.loudAt = 0;
  }

  /** @param {number} level @param {number} nowMs @returns {boolean} whether they speak */
  hear(level, nowMs) {
    if (level >= (this.speaks ? QUIET : LOUD)) {
      this.loudAt = nowMs;
      this.speaks = true;
    } else if (nowMs - this.loudAt >= PAUSE_MS) {
      this.speaks = false;
    }
    return this.speaks;
  }
}

/** How loud the loudest part of some samples is: silence around a word does not make it quieter. @param {Float32Array} samples */
export function loudest(samples) {
  let most = 0;
  for (let start = 0; start < samples.length; start += PART) {
    let sum = 0;
    for (let at = start; at < start + PART; at += 1) sum += samples[at] * samples[at];
    most = Math.max(most, sum);
  }
  return Math.sqrt(most / PART);
}

/** Tells when that changes. @param {MediaStream} stream @param {(speaks:boolean)=>void} told @returns {() => void} ends it */
export function listenForSpeech(stream, told) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  // More than passes between two looks: a short word is not to fall between them.
  analyser.fftSize = 8192;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const gate = new SpeechGate();
  let before = false;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const speaks = gate.hear(loudest(samples), performance.now());
    if (speaks !== before) told(speaks);
    before = speaks;
  }, LOOK_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
