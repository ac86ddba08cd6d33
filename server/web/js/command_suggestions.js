/** What plugins suggest for options of their commands while one types, kept for a while. */
import { chat } from './page_chat_api.js';

/** Questions whose answers are kept; the oldest give way. */
const KEPT = 50;
/** Asked once somebody pauses. */
const PAUSE_MS = 150;

/** @typedef {{value:string, label?:string}} Suggestion */

/** @type {Map<string, {values:Suggestion[], waits?:Promise<unknown>}>} */
const known = new Map();
let latest = '';

/** @param {string} channelId @param {string} command @param {string} option @param {string} typed @returns {{values:Suggestion[], waits?:Promise<unknown>}} waits: until there are more */
export function suggested(channelId, command, option, typed) {
  const key = JSON.stringify([channelId, command, option, typed]);
  latest = key;
  const found = known.get(key);
  if (found) return found;
  /** @type {{values:Suggestion[], waits?:Promise<unknown>}} */
  const entry = { values: [] };
  entry.waits = new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); })
    .then(() => (latest === key ? chat.completeOption(channelId, { command: command.replace(/^\//, ''), option, typed }) : Promise.reject(new Error('typed on'))))
    // Without suggestions one types on.
    .then((answer) => { entry.values = answer.items ?? []; }, () => { known.delete(key); })
    .then(() => { entry.waits = undefined; });
  known.set(key, entry);
  for (const old of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(old);
  }
  return entry;
}
