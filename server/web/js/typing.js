/** Who is typing, and until when that is to be believed: pure functions over a map from place to people. */

/** How long a signal counts. Senders repeat it every few seconds while they type. */
export const TYPING_MS = 6_000;

/** @typedef {Map<string, Map<string, number>>} Typing place to (user id to the time the signal ends) */

/** A channel, or a thread of it: who answers in a thread is not shown below the channel. @param {string} channelId @param {string|null} [parentId] */
export function typingPlace(channelId, parentId) {
  return parentId ? `${channelId} ${parentId}` : channelId;
}

/** @param {Typing} typing @param {string} place @param {string} userId @param {number} until @returns {Typing} */
export function withTyping(typing, place, userId, until) {
  return new Map(typing).set(place, new Map(typing.get(place)).set(userId, until));
}

/** Who sends a message has stopped to type it. @param {Typing} typing @param {string} place @param {string} userId @returns {Typing} the same if nothing changed */
export function withoutTyping(typing, place, userId) {
  if (!typing.get(place)?.has(userId)) return typing;
  const people = new Map(typing.get(place));
  people.delete(userId);
  return new Map(typing).set(place, people);
}

/** Without the signals that ran out. @param {Typing} typing @param {number} now @returns {Typing} the same if nothing changed */
export function withoutExpired(typing, now) {
  const kept = new Map();
  let changed = false;
  for (const [place, people] of typing) {
    const left = new Map([...people].filter(([, until]) => until > now));
    changed ||= left.size !== people.size;
    if (left.size) kept.set(place, left);
  }
  return changed ? kept : typing;
}
