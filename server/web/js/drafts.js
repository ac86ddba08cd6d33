/** What was typed and not sent: here at once, on the server a moment later, and so on my other devices too. */
import { computed, effect, signal } from '../vendor/signals-core.js';
import { draftNews } from './changes.js';
import { chat } from './chat_api.js';

/** Typing rests this long before the server is told. */
const REST_MS = 1_500;
/** News of my own change comes within this time, or not at all. */
const ECHO_MS = 3_000;

/** @typedef {{channelId:string, parentId?:string}} Place @typedef {{channel_id:string, parent_id?:string|null, content:string, file_ids?:string[]}} Kept */

/** Composer key to text. */
export const drafts = signal(/** @type {Map<string,string>} */ (new Map()));
/** Composer key to the files that a draft of another device has. */
export const draftFiles = signal(/** @type {Map<string,string[]>} */ (new Map()));

/** Keys of the composers that hold text, as one string: it changes when a draft starts or ends, not with every key. */
const keys = computed(() => [...drafts.value].filter(([, text]) => text.trim()).map(([key]) => key).join('\n'));
export const draftKeys = computed(() => new Set(keys.value ? keys.value.split('\n') : []));

/** @param {Place} place */
export function draftKey({ channelId, parentId }) {
  return parentId ? `${channelId} ${parentId}` : channelId;
}

/** @param {string} key @returns {Place} */
export function placeOf(key) {
  const [channelId, parentId] = key.split(' ');
  return parentId ? { channelId, parentId } : { channelId };
}

/**
 * The server's drafts join those of this page: what is being typed here wins over what was saved.
 * @param {Map<string,string>} known @param {Kept[]} kept @param {Set<string>} unsaved keys of those that the server has not got yet
 * @returns {Map<string,string>}
 */
export function mergedDrafts(known, kept, unsaved) {
  const next = new Map([...known].filter(([key]) => unsaved.has(key)));
  for (const { channel_id: channelId, parent_id: parentId, content } of kept) {
    const key = draftKey({ channelId, parentId: parentId ?? undefined });
    if (!unsaved.has(key) && content) next.set(key, content);
  }
  return next;
}

/** Files of the composers, by key: told by the composer. @type {Map<string, string[]>} */
const files = new Map();
/** @type {Map<string, any>} */
const timers = new Map();
/** When I told the server of which draft: the event that follows is no news. @type {Map<string, number[]>} */
const echoes = new Map();
/** Keys of drafts that the server did not get. @type {Set<string>} */
const behind = new Set();
/** How often a composer changed here: an answer that was asked for before is out of date. @type {Map<string, number>} */
const turns = new Map();

/** @param {string} key @param {string} text */
function put(key, text) {
  const next = new Map(drafts.value);
  if (text) next.set(key, text);
  else next.delete(key);
  drafts.value = next;
}

/** @param {string} key */
function turnOf(key) {
  return turns.get(key) ?? 0;
}

/** @param {Place} place @param {string} text @param {string[]} [fileIds] */
export function setDraft(place, text, fileIds) {
  const key = draftKey(place);
  turns.set(key, turnOf(key) + 1);
  put(key, text);
  if (fileIds) files.set(key, fileIds);
  clearTimeout(timers.get(key));
  timers.set(key, setTimeout(() => void save(key), REST_MS));
}

/** It was sent: the server forgets its draft with the message. @param {Place} place @param {{sent:boolean}} options sent: as a message, not as a command */
export function clearDraft(place, { sent }) {
  const key = draftKey(place);
  turns.set(key, turnOf(key) + 1);
  put(key, '');
  files.delete(key);
  behind.delete(key);
  clearTimeout(timers.get(key));
  timers.delete(key);
  if (!sent || saving.has(key)) void (saving.get(key) ?? Promise.resolve()).then(() => save(key));
}

/** Saves that are under way: one that arrives after its message was sent would bring the draft back. @type {Map<string, Promise<void>>} */
const saving = new Map();

/** @param {string} key */
function save(key) {
  timers.delete(key);
  const work = tell(key).finally(() => { if (saving.get(key) === work) saving.delete(key); });
  saving.set(key, work);
  return work;
}

function saveAll() {
  for (const [key, timer] of timers) {
    clearTimeout(timer);
    void save(key);
  }
}

/** @param {string} key */
async function tell(key) {
  const { channelId, parentId } = placeOf(key);
  const content = drafts.value.get(key) ?? '';
  const fileIds = files.get(key) ?? [];
  const told = expectEcho(key);
  try {
    if (content.trim() || fileIds.length) await chat.saveDraft(channelId, parentId, { content, file_ids: fileIds });
    else await chat.removeDraft(channelId, parentId);
    behind.delete(key);
  } catch (error) {
    const { status = 0 } = /** @type {any} */ (error);
    if (status < 400 || status >= 500) behind.add(key);
    // It stays here, and goes with the next change. No event will come of it.
    echoes.set(key, (echoes.get(key) ?? []).filter((at) => at !== told));
  }
}

/** @param {string} key */
function expectEcho(key) {
  const now = Date.now();
  echoes.set(key, [...(echoes.get(key) ?? []).filter((at) => now - at < ECHO_MS), now]);
  return now;
}

/** @param {string} key */
function isEcho(key) {
  const now = Date.now();
  const [first, ...rest] = (echoes.get(key) ?? []).filter((at) => now - at < ECHO_MS);
  if (first === undefined) return false;
  echoes.set(key, rest);
  return true;
}

/** All drafts, at the start and whenever events may have been missed. */
export async function loadDrafts() {
  const unsaved = () => [...timers.keys(), ...saving.keys(), ...behind];
  const [before, first] = [drafts.value, unsaved()];
  const { items } = await chat.drafts();
  // What came or was typed while this was asked for is newer than the answer.
  const changed = [...new Set([...before.keys(), ...drafts.value.keys()])].filter((key) => before.get(key) !== drafts.value.get(key));
  drafts.value = mergedDrafts(drafts.value, items, new Set([...first, ...unsaved(), ...changed]));
  draftFiles.value = new Map(items.filter((/** @type {Kept} */ { file_ids: ids }) => ids?.length).map((/** @type {any} */ kept) => [draftKey({ channelId: kept.channel_id, parentId: kept.parent_id ?? undefined }), kept.file_ids]));
  saveBehind();
}

/** What the server did not get goes to it now. */
export function saveBehind() {
  for (const key of behind) if (!timers.has(key) && !saving.has(key)) void save(key);
}

/** Follows what other devices write, and leaves nothing unsaved behind. */
export function startDrafts() {
  document.addEventListener('visibilitychange', () => { if (document.hidden) saveAll(); });
  addEventListener('pagehide', saveAll);
  effect(() => {
    const news = draftNews.value;
    if (!news) return;
    const place = { channelId: news.channel_id, ...(news.parent_id ? { parentId: news.parent_id } : {}) };
    const key = draftKey(place);
    if (isEcho(key) || timers.has(key)) return;
    const turn = turnOf(key);
    void chat.draft(place.channelId, place.parentId).then((kept) => {
      if (turnOf(key) !== turn) return; // typed on, or sent, here meanwhile
      put(key, kept?.content ?? '');
      draftFiles.value = new Map(draftFiles.value).set(key, kept?.file_ids ?? []);
    }, (error) => { if (error.status === 404 && turnOf(key) === turn) put(key, ''); });
  });
}

/** Forgets everything of the person who signed out. */
export function forgetDrafts() {
  for (const timer of timers.values()) clearTimeout(timer);
  for (const map of [timers, echoes, files, turns, behind]) map.clear();
  drafts.value = new Map();
  draftFiles.value = new Map();
}
