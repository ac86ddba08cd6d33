/** Channels that became mine, or whose unread counts only the server knows: no event carries them, so they are fetched. */
import { effect } from '../vendor/signals-core.js';
import { ApiError } from './api.js';
import { lostChannel } from './changes.js';
import { chat } from './chat_api.js';
import { backoffMs } from './live.js';
import { loadMembers } from './members.js';
import { rereadThread } from './pages.js';
import { channels, channelWanted, isConversation, putChannel } from './store.js';
import { loadVoiceRoom } from './voice/listing.js';

/** Most that wait to be asked for again; a new session brings all. */
const MOST = 100;
/** The first wait is up to 500 ms times two so often. */
const FIRST_WAIT = 3;

/** What is asked for. The object is another each time: an answer to an earlier question, or from before a loss, knows less. @type {Map<string, {}>} */
const asked = new Map();
/** What the server could not say just now. @type {Set<string>} */
const failed = new Set();
/** @type {ReturnType<typeof setTimeout>|undefined} */
let timer;
/** Rounds in a row in which something failed. */
let misses = 0;

export function startFetching() {
  effect(() => {
    const { value: wanted } = channelWanted;
    if (!wanted) return;
    channelWanted.value = '';
    void fetchMine(wanted);
  });
  effect(() => {
    const { id: lost } = lostChannel.value;
    asked.delete(lost);
    failed.delete(lost);
  });
}

/** Once more what failed. */
export function fetchAgain() {
  const ids = [...failed];
  failed.clear();
  for (const id of ids) void fetchMine(id);
}

/** Nobody is signed in any more. */
export function stopFetching() {
  asked.clear();
  failed.clear();
  clearTimeout(timer);
  timer = undefined;
  misses = 0;
}

/** @param {string} channelId @param {number} [tries] */
async function fetchMine(channelId, tries = 3) {
  const question = {};
  asked.set(channelId, question);
  const [found, error] = await chat.channel(channelId).then((channel) => [channel, null], (reason) => [null, reason]);
  if (asked.get(channelId) !== question) return;
  asked.delete(channelId);
  if (error) return missed(channelId, error);
  misses = 0;
  if (!found.role) return;
  // What came meanwhile has been counted, and the answer lacks it.
  const isOld = found.last_seq < (channels.value.get(channelId)?.last_seq ?? 0);
  if (isOld && tries > 1) return void fetchMine(channelId, tries - 1);
  take(found);
}

/** @param {import('./store.js').Channel} found */
function take(found) {
  if (!channels.value.get(found.id)?.role) rereadThread(found.id);
  putChannel(found);
  if (isConversation(found)) void loadMembers(found.id);
  if (found.kind === 'voice') void loadVoiceRoom(found.id);
}

/** A quiet channel has no message that would ask for it again. @param {string} channelId @param {Error} error */
function missed(channelId, error) {
  if (!(error instanceof ApiError && error.passing) || failed.size >= MOST) return;
  failed.add(channelId);
  timer ??= setTimeout(() => {
    timer = undefined;
    misses += 1;
    fetchAgain();
  }, Math.max(error.retryAfterMs, backoffMs(FIRST_WAIT + misses)));
}
