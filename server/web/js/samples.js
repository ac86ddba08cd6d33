/** The server's figures over the minutes that the administration is open: pure functions over a list of samples, oldest first. */

/** @typedef {{at:number, head:number, sockets:number, lag:number}} Sample at: ms since 1970; head: the newest position of the log; lag: events that the index has not read */

/** Asked this often. */
export const EVERY_MS = 2_000;
/** Half an hour; what is older gives way. */
export const MOST = 900;

/** @param {Sample[]} samples @param {any} stats @param {number} [now] @returns {Sample[]} */
export function withSample(samples, stats, now = Date.now()) {
  const sample = { at: now, head: stats.head ?? 0, sockets: stats.socket_count ?? 0, lag: stats.index?.lag ?? 0 };
  const last = samples.at(-1);
  // Another server, or another log: nothing that was counted before has to do with it.
  if (last && sample.head < last.head) return [sample];
  return [...samples, sample].slice(-MOST);
}

/** Events of each stretch between two samples, as a rate per minute. @param {Sample[]} samples @returns {number[]} */
export function perMinute(samples) {
  return samples.slice(1).map((sample, at) => {
    const ms = sample.at - samples[at].at;
    return ms > 0 ? ((sample.head - samples[at].head) * 60_000) / ms : 0;
  });
}
