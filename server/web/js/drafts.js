/** What was typed and not sent: here at once, on the server a moment later, and so on my other devices too. */
import { computed, effect, signal } from '../vendor/signals-core.js';
import { departures } from './api.js';
import { draftNews } from './changes.js';
import { chat } from './chat_api.js';
import { without } from './store.js';
import { draftsBack, keepDrafts, unsent } from './unsent.js';

/** Typing rests this long before the server is told. */
const REST_MS = 1_500;
/** News of my own change comes within this time, or not at all. */
const ECHO_MS = 3_000;

/** @typedef {{channelId:string, parentId?:string}} Place @typedef {{channel_id:string, parent_id?:string|null, content:string, file_ids?:string[]}} Kept */

/** Composer key to text. */
export const drafts = signal(/** @type {Map<string,string>} */ (new Map()));
/** Composer key to the files that the server's draft has, and those that it had: until the composer has followed. @typedef {{ids:string[], had:string[]}} FileNews */
export const draftFiles = signal(/** @type {Map<string, FileNews>} */ (new Map()));

/** Keys of the composers that hold text, as one string: it changes when a draft starts or ends, not with every key. */
const keys = computed(() => [...drafts.value].filter(([, text]) => text.trim()).map(([key]) => key).join('\n'));
export const draftKeys = computed(() => new Set(keys.value ? keys.value.split('\n') : []));

/** @param {Place} place */
export function draftKey({ channelId, parentId }) {
  return parentId ? `${channelId} ${parentId}` : channelId;
}

/** @param {{channel_id:string, parent_id?:string|null}} kept */
function keyOf({ channel_id: channelId, parent_id: parentId }) {
  return draftKey({ channelId, parentId: parentId ?? undefined });
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
  for (const draft of kept) {
    const key = keyOf(draft);
    if (!unsaved.has(key) && draft.content) next.set(key, draft.content);
  }
  return next;
}

/** Files of the drafts, by key: told by the composer, or by the server. @type {Map<string, string[]>} */
const files = new Map();
/** @type {Map<string, any>} */
const timers = new Map();
/** When I told the server of which draft: the event that follows is no news. @type {Map<string, number[]>} */
const echoes = new Map();
/** Keys of drafts that the server did not get, and whether it may take them as they are. @type {Map<string, boolean>} */
const behind = new Map();
/** When a message of mine was stored that is not what stands in its composer: the server forgets that draft with it. @type {Map<string, number>} */
const swept = new Map();
/** How often a composer changed here, or was saved: an answer that was asked for before is out of date. @type {Map<string, number>} */
const turns = new Map();

/** @param {string} key @param {string} text */
function put(key, text) {
  const next = new Map(drafts.value);
  if (text) next.set(key, text);
  else next.delete(key);
  drafts.value = next;
}

/** The composer follows when it is there. @param {string} key @param {string[]} ids */
function takeFiles(key, ids) {
  const had = [...(draftFiles.value.get(key)?.had ?? []), ...draftFileIds(key)];
  files.set(key, ids);
  if (ids.length || had.length) draftFiles.value = new Map(draftFiles.value).set(key, { ids, had });
}

/** @param {string} key */
export function draftFileIds(key) {
  return files.get(key) ?? [];
}

/** @param {string} key */
function turnOf(key) {
  return turns.get(key) ?? 0;
}

/** @param {string} key */
function nextTurn(key) {
  turns.set(key, turnOf(key) + 1);
}

/** Keys of drafts that the server has not got yet. */
function unsaved() {
  return [...timers.keys(), ...saving.keys(), ...behind.keys()];
}

/** @param {Place} place @param {string} text @param {string[]} [fileIds] */
export function setDraft(place, text, fileIds) {
  const key = draftKey(place);
  nextTurn(key);
  put(key, text);
  if (fileIds) files.set(key, fileIds);
  saveLater(key);
}

/** @param {string} key */
function saveLater(key) {
  clearTimeout(timers.get(key));
  timers.set(key, setTimeout(() => void save(key), REST_MS));
}

/** It was sent: the server forgets its draft with the message. @param {Place} place @param {{sent:boolean}} options sent: as a message, not as a command */
export function clearDraft(place, { sent }) {
  const [key, asker] = [draftKey(place), departures()];
  nextTurn(key);
  put(key, '');
  draftFiles.value = without(draftFiles.value, key);
  files.delete(key);
  behind.delete(key);
  clearTimeout(timers.get(key));
  timers.delete(key);
  if (!sent || saving.has(key)) void (saving.get(key) ?? Promise.resolve()).then(() => { if (asker === departures()) void save(key); });
}

/** A message of mine was stored, whoever sent it. @param {{channel_id:string, parent_id?:string|null, content:string, files?:{id:string}[]}} message */
export function posted(message) {
  const key = keyOf(message);
  const text = drafts.value.get(key)?.trim();
  // What was sent elsewhere, perhaps written to its end there first, is to go here too.
  const isIt = text ? message.content.startsWith(text) : !draftFileIds(key).length || message.files?.some(({ id }) => draftFileIds(key).includes(id));
  if (!isIt) swept.set(key, Date.now());
}

/** Saves that are under way: one that arrives after its message was sent would bring the draft back. @type {Map<string, Promise<void>>} */
const saving = new Map();

/** @param {string} key */
function save(key) {
  timers.delete(key);
  nextTurn(key);
  const work = tell(key).finally(() => { if (saving.get(key) === work) saving.delete(key); });
  saving.set(key, work);
  return work;
}

function saveAll() {
  for (const [key, timer] of timers) {
    clearTimeout(timer);
    void save(key);
  }
  saveBehind();
}

/** @param {string} key */
async function tell(key) {
  const { channelId, parentId } = placeOf(key);
  const content = drafts.value.get(key) ?? '';
  const fileIds = draftFileIds(key);
  const [told, asker] = [expectEcho(key), departures()];
  try {
    if (content.trim() || fileIds.length) await chat.saveDraft(channelId, parentId, { content, file_ids: fileIds });
    else await chat.removeDraft(channelId, parentId);
    behind.delete(key);
  } catch (error) {
    if (asker !== departures()) return;
    const { status, isFinal } = /** @type {any} */ (error);
    // It stays here, and goes with the next change, or before if the server may take it then: unless nothing may be written there. No event will come of it.
    if (isFinal && [403, 404, 410].includes(status)) behind.delete(key);
    else behind.set(key, !isFinal || status === 401);
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
  const [before, turnsBefore, first] = [drafts.value, new Map(turns), unsaved()];
  const { items } = await chat.drafts();
  // What came or was typed while this was asked for is newer than the answer.
  const changed = [...before.keys(), ...drafts.value.keys(), ...turns.keys()].filter((key) => before.get(key) !== drafts.value.get(key) || turnsBefore.get(key) !== turns.get(key));
  // What was sent from here and waits for the connection is a draft at the server, which goes with it.
  const waiting = [...unsent.value.values()].map(keyOf).filter((key) => turns.has(key));
  const mine = new Set([...first, ...unsaved(), ...changed, ...waiting]);
  drafts.value = mergedDrafts(drafts.value, items, mine);
  const there = new Map(items.map((/** @type {Kept} */ kept) => [keyOf(kept), kept.file_ids ?? []]));
  for (const key of new Set([...files.keys(), ...there.keys()])) if (!mine.has(key)) takeFiles(key, there.get(key) ?? []);
  saveBehind();
}

/** What the server did not get goes to it now. */
export function saveBehind() {
  for (const [key, again] of behind) if (again && !timers.has(key) && !saving.has(key)) void save(key);
}

/** Follows what other devices write, and leaves nothing unsaved behind. */
export function startDrafts() {
  document.addEventListener('visibilitychange', () => { if (document.hidden) saveAll(); });
  addEventListener('pagehide', saveAll);
  draftsBack.subscribe((kept) => {
    for (const [key, text, ids] of kept) {
      put(key, text);
      takeFiles(key, ids);
      behind.set(key, true);
    }
  });
  effect(() => { if (draftNews.value) hearOf(draftNews.value); });
}

/** @param {{channel_id:string, parent_id?:string|null}} news */
function hearOf(news) {
  const key = keyOf(news);
  const sweptAt = swept.get(key) ?? 0;
  swept.delete(key);
  if (Date.now() - sweptAt < ECHO_MS) return saveLater(key);
  if (isEcho(key) || unsaved().includes(key)) return;
  const turn = turnOf(key);
  const take = (/** @type {Kept|null} */ kept) => {
    if (turnOf(key) !== turn || unsaved().includes(key)) return; // typed on, sent, or saved again, here meanwhile
    put(key, kept?.content ?? '');
    takeFiles(key, kept?.file_ids ?? []);
  };
  // Only the server itself says that there is none, not what stands before it while it starts anew.
  void chat.draft(news.channel_id, news.parent_id ?? undefined).then(take, ({ status, isFinal }) => { if (isFinal && status === 404) take(null); });
}

/** Forgets everything of the person who leaves; what is not saved waits with what is not sent. */
export function forgetDrafts() {
  keepDrafts([...new Set(unsaved())].map((key) => [key, drafts.value.get(key) ?? '', draftFileIds(key)]));
  for (const timer of timers.values()) clearTimeout(timer);
  for (const map of [timers, saving, echoes, files, turns, behind, swept]) map.clear();
  drafts.value = new Map();
  draftFiles.value = new Map();
}
