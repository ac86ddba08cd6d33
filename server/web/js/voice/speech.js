/** Whether somebody speaks, by how loud their microphone is. */

/** As loud as a quiet voice near a microphone, and as quiet as a room. Root mean square, of 1. */
const LOUD = 0.02;
const QUIET = 0.012;
/** Between words nobody has stopped. */
const PAUSE_MS = 600;
const LOOK_MS = 100;

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

/** Tells when that changes. @param {MediaStream} stream @param {(speaks:boolean)=>void} told @returns {() => void} ends it */
export function listenForSpeech(stream, told) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const gate = new SpeechGate();
  let before = false;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    const speaks = gate.hear(Math.sqrt(sum / samples.length), performance.now());
    if (speaks !== before) told(speaks);
    before = speaks;
  }, LOOK_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
