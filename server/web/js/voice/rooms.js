/** Who is in which voice channel, as the server tells it: pure functions. */

/** @typedef {import('./link.js').Participant} Participant */

/** @param {Map<string, Participant[]>} rooms @param {string} channelId @param {Participant[]} participants @returns {Map<string, Participant[]>} */
export function withRoom(rooms, channelId, participants) {
  const next = new Map(rooms);
  if (participants.length) next.set(channelId, participants);
  else next.delete(channelId);
  return next;
}

/** @param {Participant[]} participants @param {string} op @param {any} d @returns {Participant[]} */
export function withWord(participants, op, d) {
  const others = participants.filter((one) => one.participant_id !== d.participant_id);
  switch (op) {
    case 'participant_joined': return [...others, d];
    case 'participant_updated': return participants.map((one) => (one.participant_id === d.participant_id ? d : one));
    case 'participant_left': return others;
    default: return participants;
  }
}
