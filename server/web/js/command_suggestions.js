/** What plugins suggest for options of their commands while one types, kept for a while. */
import { chat } from './page_chat_api.js';

/** Questions whose answers are kept; the oldest give way. */
const KEPT = 50;
/** After this time the plugin is asked anew. */
const FRESH_MS = 30_000;
/** Asked once somebody pauses. */
const PAUSE_MS = 150;

/** @typedef {{value:string, label?:string}} Suggestion */

/** at: when it was asked, or answered. @type {Map<string, {values:Suggestion[], at:number, waits?:Promise<unknown>}>} */
const known = new Map();
let latest = '';

/** What somebody types, of which the latest counts: each beginning and each end makes what was waited for before worth nothing. */
export function turns() {
  let current = {};
  const end = () => { current = {}; };
  /** @returns {() => boolean} whether it is still the latest */
  const begin = () => {
    const mine = {};
    current = mine;
    return () => current === mine;
  };
  return { begin, end };
}

/** @param {string} channelId @param {string} command @param {string} option @param {string} typed @returns {{values:Suggestion[], waits?:Promise<unknown>}} waits: until there are more */
export function suggested(channelId, command, option, typed) {
  const key = JSON.stringify([channelId, command, option, typed]);
  latest = key;
  for (const [old, { at, waits }] of known) if (!waits && Date.now() - at > FRESH_MS) known.delete(old);
  const found = known.get(key);
  if (found) return found;
  /** @type {{values:Suggestion[], at:number, waits?:Promise<unknown>}} */
  const entry = { values: [], at: Date.now() };
  entry.waits = new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); })
    .then(() => (latest === key ? chat.completeOption(channelId, { command: command.replace(/^\//, ''), option, typed }) : Promise.reject(new Error('typed on'))))
    // Without suggestions one types on.
    .then((answer) => { Object.assign(entry, { values: answer.items ?? [], at: Date.now() }); }, () => { known.delete(key); })
    .then(() => { entry.waits = undefined; });
  known.set(key, entry);
  for (const old of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(old);
  }
  return entry;
}
