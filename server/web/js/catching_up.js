/** The channels are read while events go on coming: neither may wipe out what the other knows. */
import { chat } from './chat_api.js';
import { applyEvent } from './events.js';
import { channels, channelsLoaded, me, meet, timelines } from './store.js';
import { emptyTimeline } from './timeline.js';

/** @typedef {import('./live.js').LiveEvent} LiveEvent */

/** What could not be read is asked for again after this time, or with the next connection. */
const AGAIN_MS = 5_000;
/** Most events that are taken anew after one reading; after more, it is read again. */
const MAX_HEARD = 2_000;

/** A session has begun whose state could not be read yet: windows may have holes. */
let isBehind = false;
/** The number of the last reading: the answer to an earlier one knows less. */
let reading = 0;
/** What came since it began. The answer may be older and wipe it out, so it is taken once more then. @type {LiveEvent[]|null} */
let heard = null;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let againTimer;

/** A new session: nobody says what was missed before it. */
export function beganAnew() {
  isBehind = true;
}

/** Whether what the page shows may have holes. */
export function mustRead() {
  return isBehind || !channelsLoaded.value;
}

/** Whether an answer is waited for. */
export function isReading() {
  return heard !== null;
}

/** Nobody is signed in any more. */
export function stopReading() {
  clearTimeout(againTimer);
  reading += 1;
  heard = null;
  isBehind = false;
}

/** @param {LiveEvent} event */
export function hear(event) {
  if (heard && heard.length < MAX_HEARD) heard.push(event);
  applyEvent(event);
}

/**
 * The channels, and with them all windows anew. @param {() => void} again what to do after a while when they could not be read
 * @returns {Promise<boolean>} false: somebody began to read them later
 */
export async function loadChannels(again) {
  reading += 1;
  const number = reading;
  heard ??= [];
  clearTimeout(againTimer);
  try {
    const mine = await chat.myChannels();
    if (number !== reading) return false;
    channels.value = new Map(mine.items.map((/** @type {any} */ channel) => [channel.id, { role: 'member', ...channel }]));
    channelsLoaded.value = true;
    isBehind = false;
    meet([me.value]);
    // Windows on other channels may have holes now. The one in view is fetched again by its view.
    timelines.value = new Map([...timelines.value].map(([id, timeline]) => [id, { ...emptyTimeline(), pending: timeline.pending, notes: timeline.notes }]));
    const meanwhile = heard ?? [];
    heard = null;
    meanwhile.forEach(applyEvent);
    if (meanwhile.length >= MAX_HEARD) againTimer = setTimeout(again, AGAIN_MS);
    return true;
  } catch (error) {
    if (number === reading) {
      heard = null;
      againTimer = setTimeout(again, AGAIN_MS);
    }
    throw error;
  }
}
