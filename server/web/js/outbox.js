/** Messages of mine on their way: shown at once, settled by their nonce, kept for another try when they fail. */
import { batch } from '../vendor/signals-core.js';
import { api, ApiError, Cancelled } from './api.js';
import { chat } from './chat_api.js';
import { receive, whispered } from './events.js';
import { live } from './live.js';
import { changeThread, changeTimeline, commands, commandsLoaded, connection, noteOf } from './store.js';
import { withNote, withPending, withoutPending } from './timeline.js';
import { dropUnsent, keepUnsent, unsent } from './unsent.js';
import { t } from './words.js';

/** @typedef {import('./timeline.js').Pending} Pending */

/** Random and unguessable; crypto.randomUUID would be missing on plain http. */
export function newNonce() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {{channelId:string, content:string, parentId?:string, fileIds?:string[], quoted?:import('./timeline.js').Message}} draft
 */
export function sendMessage({ channelId, content, parentId, fileIds, quoted }) {
  /** @type {Pending} */
  const pending = { nonce: newNonce(), channel_id: channelId, content, created_at: new Date().toISOString(), state: 'sending' };
  if (parentId) pending.parent_id = parentId;
  if (fileIds?.length) pending.file_ids = fileIds;
  if (quoted) pending.quoted = quoted;
  if (!keepUnsent(pending)) return void changeWhereShown(pending, (timeline) => withPending(timeline, { ...pending, state: 'failed', error: t('too_many_messages_wait') }));
  show(pending);
  void run(channelId);
}

/** Tries once more, with the same nonce: if the first try did arrive, the server answers with that message. @param {Pending} pending */
export function retry(pending) {
  if (!keepUnsent(sending(pending))) return;
  show(sending(pending));
  void run(pending.channel_id);
}

/** @param {Pending} pending */
export function discard(pending) {
  dropUnsent(pending.nonce);
  changeWhereShown(pending, (timeline) => withoutPending(timeline, pending.nonce));
}

/** There is a connection: what only waited for one goes out, and what this person left in the page before it is shown again. */
export function resendWaiting() {
  for (const pending of unsent.value.values()) changeWhereShown(pending, (timeline) => withPending(timeline, pending));
  for (const channelId of new Set([...unsent.value.values()].filter(isToBeSent).map((pending) => pending.channel_id))) {
    misses.delete(channelId);
    void run(channelId);
  }
}

/** Messages that wait for a connection, or for a server that is busy. */
export function waiting() {
  return [...unsent.value.values()].filter(isWaiting);
}

/** An answer takes no longer on a line that is alive. */
const ANSWER_MS = 1_000;

/** What is not sent yet would be lost with this tab: of one that has just been written the answer is near. */
export function wouldLose() {
  const left = [...unsent.value.values()].filter(isToBeSent);
  const justWritten = (/** @type {Pending} */ pending) => pending.state === 'sending' && Date.now() - Date.parse(pending.created_at) < ANSWER_MS;
  return left.length > 1 || left.some((pending) => !justWritten(pending));
}

/** Nobody is signed in any more. */
export function stopSending() {
  for (const timer of timers.values()) clearTimeout(timer);
  timers.clear();
  misses.clear();
  busy.clear();
}

/** The first wait before what a busy server refused is sent again; it doubles up to the longest. */
const AGAIN_MS = 1_000;
const LONGEST_AGAIN_MS = 30_000;
/** A message that the server fails on this often in a row keeps the others of its channel waiting no longer. */
const MOST_FAILURES = 3;
/** What the gateway says when the same may be granted later. */
const PASSING_CODES = ['busy', 'unavailable', 'rate_limited', 'outcome_unknown', 'storage_full', 'internal'];

/** Channels of which a message is on its way: one after the other, or a later one would overtake an earlier one. The object is another each time. @type {Map<string, {}>} */
const busy = new Map();
/** How often in a row the first message of a channel could not be sent. @type {Map<string, number>} */
const misses = new Map();
/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const timers = new Map();

/** @param {Pending} pending */
function isWaiting(pending) {
  return pending.state === 'failed' && Boolean(pending.offline);
}

/** @param {Pending} pending */
function isToBeSent(pending) {
  return pending.state === 'sending' || isWaiting(pending);
}

/** @param {Pending} pending @returns {Pending} */
function sending(pending) {
  const { error: _error, offline: _offline, ...again } = pending;
  return { ...again, state: 'sending' };
}

/** What of a channel is to be sent, the earliest first. @param {string} channelId */
function queueOf(channelId) {
  return [...unsent.value.values()].filter((pending) => pending.channel_id === channelId && isToBeSent(pending));
}

/** Sends what is to be sent in a channel, until one has to wait: then those behind it wait too. @param {string} channelId */
async function run(channelId) {
  if (busy.has(channelId)) return;
  const mine = {};
  busy.set(channelId, mine);
  clearTimeout(timers.get(channelId));
  for (let [next] = queueOf(channelId); next; [next] = queueOf(channelId)) {
    const wait = await deliver(next);
    // Its person left meanwhile; another one may send by now.
    if (busy.get(channelId) !== mine) return;
    if (wait === null) continue;
    for (const pending of queueOf(channelId)) show({ ...pending, state: 'failed', error: wait.error, offline: true });
    timers.set(channelId, setTimeout(() => void run(channelId), wait.forMs));
    break;
  }
  busy.delete(channelId);
}

/** @param {Pending} pending @param {Parameters<typeof changeTimeline>[1]} change */
function changeWhereShown(pending, change) {
  if (pending.parent_id) changeThread(pending.parent_id, change);
  else changeTimeline(pending.channel_id, change);
}

/** Shown where it stands, and kept until it is settled. @param {Pending} pending */
function show(pending) {
  keepUnsent(pending);
  changeWhereShown(pending, (timeline) => withPending(timeline, pending));
}

/** @param {Pending} pending @returns {Promise<{forMs:number, error:string}|null>} how long it has to wait, if it has to */
async function deliver(pending) {
  show(sending(pending));
  try {
    const message = await transmit(pending);
    // Taken back, or its person left: if it was stored, those who are in the channel are told.
    if (!unsent.value.has(pending.nonce)) return null;
    receive({ ...message, nonce: message.nonce ?? pending.nonce });
    discard(pending);
  } catch (error) {
    // Back after leaving, they send it anew.
    if (!unsent.value.has(pending.nonce) || error instanceof Cancelled) return null;
    const wait = waitAfter(pending.channel_id, /** @type {Error} */ (error));
    if (wait) return wait;
    show({ ...pending, state: 'failed', error: /** @type {Error} */ (error).message, offline: false });
  }
  misses.delete(pending.channel_id);
  return null;
}

/** @param {string} channelId @param {Error & {code?:string, status?:number, retryAfterMs?:number}} error @returns {{forMs:number, error:string}|null} null: it is refused for good */
function waitAfter(channelId, error) {
  const isOffline = error instanceof ApiError && error.offline;
  // Where the session ended nothing waits any more; else the token could not be renewed just now.
  const isPassing = error instanceof ApiError ? error.passing || error.status === 401 : PASSING_CODES.includes(error.code ?? '');
  const missed = misses.get(channelId) ?? 0;
  const isBroken = error.status === 500 || error.code === 'internal';
  if (!isPassing || (isBroken && missed + 1 >= MOST_FAILURES)) return null;
  misses.set(channelId, missed + 1);
  const longest = Math.min(LONGEST_AGAIN_MS, AGAIN_MS * 2 ** missed);
  return { forMs: Math.max(error.retryAfterMs ?? 0, longest / 2 + (Math.random() * longest) / 2), error: isOffline ? '' : error.message };
}

/** By the gateway when it is there, else by REST. @param {Pending} pending */
async function transmit({ nonce, channel_id: channelId, parent_id: parentId, content, file_ids: fileIds, quoted }) {
  const body = { content, nonce, ...(parentId ? { parent_id: parentId } : {}) };
  if (live.value?.online && connection.value.status === 'online' && !fileIds && !quoted) {
    try {
      return await live.value.send({ channel_id: channelId, ...body });
    } catch (error) {
      // A refusal is an answer. Silence is not: the same nonce over REST cannot make a second message.
      if (/** @type {any} */ (error).refused) throw error;
      // Taken back meanwhile, or its person went: nobody else's session sends it.
      if (!unsent.value.has(nonce)) throw error;
    }
  }
  return chat.post(channelId, { ...body, ...(fileIds ? { file_ids: fileIds } : {}), ...(quoted ? { quoted_id: quoted.id } : {}) });
}

const COMMAND = /^\/([\p{L}\p{N}_-]+)(?:\s|$)/u;

/** It may call a command. @param {string} text */
export function isLikeCommand(text) {
  return COMMAND.test(text);
}

/** The list of commands. */
export async function loadCommands() {
  const list = await api.commands();
  batch(() => {
    commands.value = list.items;
    commandsLoaded.value = true;
  });
}

/** The command a text calls, if it calls one. @param {string} text */
export function commandIn(text) {
  const match = COMMAND.exec(text);
  return match ? commands.value.find((command) => command.name.replace(/^\//, '') === match[1]) : undefined;
}

/** @param {string} channelId @param {string} text "/name and the rest" */
export async function runCommand(channelId, text) {
  const name = text.slice(1).split(/\s/, 1)[0];
  try {
    const result = await api.runCommand(channelId, text);
    if (result.message) receive(result.message);
    if (result.whisper) await whispered(result.whisper);
    else if (result.outcome === 'whisper') changeTimeline(channelId, (timeline) => withNote(timeline, noteOf(timeline, result.command ?? name, result.content)));
  } catch (error) {
    changeTimeline(channelId, (timeline) => withNote(timeline, noteOf(timeline, name, /** @type {Error} */ (error).message)));
  }
}
