/** The voice channel that I am in, as the page shows it. What does the talking is fetched when it is needed. */
import { signal } from '../../vendor/signals-core.js';
import { t } from '../words.js';

/**
 * @typedef {import('./link.js').Participant} Participant
 * @typedef {object} Call
 * @property {string} channelId
 * @property {'asking'|'connecting'|'in'|'reconnecting'} status asking: for the microphone
 * @property {string} self my participant, once I am in
 * @property {Participant[]} participants
 * @property {Record<string,string>} states of the connections, by participant
 * @property {Record<string,MediaStream>} screens that are shown to me, by participant
 * @property {boolean} muted
 * @property {boolean} deafened
 * @property {boolean} sharing
 * @property {boolean} hasMicrophone
 */

/** Null while I am in none. */
export const call = signal(/** @type {Call|null} */ (null));

/** The calls of the voice bar, by name. @returns {Promise<typeof import('./call.js')>} */
export function voice() {
  return import('./call.js');
}

/** How it goes, in words. @param {Call} now @returns {{words:string, isBad:boolean, isWell?:boolean}} isWell: all are heard, so that nothing need be shown */
export function standing({ status, states, participants, self }) {
  if (status === 'asking') return { words: t('waiting_for_the_microphone'), isBad: false };
  if (status === 'connecting') return { words: t('connecting_2'), isBad: false };
  if (status === 'reconnecting') return { words: t('reconnecting'), isBad: true };
  const others = participants.filter((one) => one.participant_id !== self);
  if (!others.length) return { words: t('you_are_alone'), isBad: false };
  const count = (/** @type {string[]} */ ...wanted) => others.filter((one) => wanted.includes(states[one.participant_id] ?? 'new')).length;
  const cut = count('failed', 'disconnected');
  if (cut) return { words: cut === others.length ? t('no_connection_to_the_others') : t('no_connection_to_of', { cut, count: others.length }), isBad: true };
  if (count('new', 'connecting')) return { words: t('connecting_2'), isBad: false };
  return { words: t('connected'), isBad: false, isWell: true };
}
