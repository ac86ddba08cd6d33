/** The channels are read while events go on coming: neither may wipe out what the other knows. */
import { chat } from './chat_api.js';
import { applyAgain, applyEvent } from './events.js';
import { channels, channelsLoaded, me, meet } from './store.js';
import { emptyWindows, noteChange } from './windows.js';

/** @typedef {import('./live.js').LiveEvent} LiveEvent */

/** What could not be read is asked for again within this time, which doubles up to the longest, or with the next connection. */
const AGAIN_MS = 5_000;
const LONGEST_AGAIN_MS = 60_000;
/** Most events that are taken anew after one reading; with more it is read again, since a list that is cut would leave a hole. */
const MAX_HEARD = 2_000;

/** A session has begun whose state could not be read yet: windows may have holes. */
let isBehind = false;
/** The number of the last reading: the answer to an earlier one knows less. */
let reading = 0;
/** What came since it began. The answer may be older and wipe it out, so it is taken once more then. @type {LiveEvent[]|null} */
let heard = null;
/** @type {ReturnType<typeof setTimeout>|undefined} */
let againTimer;
/** Readings without success, one after the other. */
let misses = 0;

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
  misses = 0;
  reading += 1;
  heard = null;
  isBehind = false;
}

/** @param {LiveEvent} event */
export function hear(event) {
  if (heard && heard.length < MAX_HEARD) heard.push(event);
  noteChange(event);
  applyEvent(event);
}

/**
 * The channels, and with them all windows anew. @param {() => void} again what to do after a while when they could not be read
 * @returns {Promise<boolean>} false: somebody began to read them later
 */
export async function loadChannels(again) {
  reading += 1;
  const number = reading;
  // The answer holds what was told before it was asked for; behind that there may be a hole, if it was told to an earlier session.
  heard = [];
  clearTimeout(againTimer);
  try {
    const mine = await chat.myChannels();
    if (number !== reading) return false;
    take(mine.items);
    const meanwhile = heard ?? [];
    heard = null;
    if (meanwhile.length < MAX_HEARD) caughtUp(meanwhile);
    else missed(again, 0);
    return true;
  } catch (error) {
    if (number === reading) {
      heard = null;
      missed(again, AGAIN_MS);
    }
    throw error;
  }
}

/** @param {any[]} mine */
function take(mine) {
  channels.value = new Map(mine.map((channel) => [channel.id, { role: 'member', ...channel }]));
  channelsLoaded.value = true;
  meet([me.value]);
  // They may have holes now.
  emptyWindows();
}

/** @param {LiveEvent[]} meanwhile */
function caughtUp(meanwhile) {
  isBehind = false;
  misses = 0;
  applyAgain(meanwhile, channels.value);
}

/** Drawn by lot: those who were refused together do not ask together again. @param {() => void} again @param {number} firstMs the longest wait after the first miss */
function missed(again, firstMs) {
  isBehind = true;
  againTimer = setTimeout(again, Math.random() * Math.min(LONGEST_AGAIN_MS, misses ? AGAIN_MS * 2 ** misses : firstMs));
  misses += 1;
}
