/** Files on their way to the server, per composer: they go on while another channel is looked at. */
import { signal } from '../vendor/signals-core.js';
import { ApiError, Cancelled } from './api.js';
import { draftFiles } from './drafts.js';
import { chat } from './page_chat_api.js';
import { onLeave } from './session.js';
import { without } from './store.js';
import { t } from './channel_words.js';

/** Most files of one message. */
export const MAX_FILES = 10;
/** Larger files go in parts, so that a lost connection costs one part. */
const WHOLE_BYTES = 8 * 1024 * 1024;
const PART_BYTES = 4 * 1024 * 1024;
/** A part, or a small file, is tried this often before the upload counts as failed. */
const PART_TRIES = 5;
const RETRY_MS = 1_000;

/** @typedef {{key:number, name:string, size:number, sent:number, preview?:string, file?:any, error?:string, abort?:AbortController, source?:File}} Upload sent: bytes */

/** Composer key to its files. */
export const uploads = signal(/** @type {Map<string, Upload[]>} */ (new Map()));

/** @param {string} place @returns {Upload[]} */
export function uploadsOf(place) {
  return uploads.value.get(place) ?? [];
}

/** @param {string} place @param {(list:Upload[])=>Upload[]} change */
function changeList(place, change) {
  const list = change(uploadsOf(place));
  const next = new Map(uploads.value);
  if (list.length) next.set(place, list);
  else next.delete(place);
  uploads.value = next;
}

/** @param {string} place @param {number} key @param {Partial<Upload>} news */
function changeOne(place, key, news) {
  changeList(place, (list) => list.map((upload) => (upload.key === key ? { ...upload, ...news } : upload)));
}

/**
 * Each file is sent at once, so that sending the message does not wait.
 * @param {string} place @param {Iterable<File>} files @param {number} [most] bytes of one file that the server takes
 * @returns {number} how many found no place
 */
export function addFiles(place, files, most = Infinity) {
  const list = [...files];
  const free = Math.max(0, MAX_FILES - uploadsOf(place).length);
  for (const source of list.slice(0, free)) {
    const preview = source.type.startsWith('image/') && source.type !== 'image/svg+xml' ? URL.createObjectURL(source) : undefined;
    const upload = { key: Math.random(), name: source.name || t('pasted_file'), size: source.size, sent: 0, source, preview };
    changeList(place, (known) => [...known, source.size > most ? { ...upload, error: t('larger_than_this_server_takes') } : upload]);
    if (source.size <= most) void run(place, upload);
  }
  return list.length - Math.min(list.length, free);
}

/** Files that the server has already: of a draft, or of a scheduled message. @param {string} place @param {any[]} stored */
export function addStored(place, stored) {
  const fresh = stored.filter((file) => !uploadsOf(place).some((upload) => upload.file?.id === file.id));
  changeList(place, (known) => [...known, ...fresh.map((file) => ({ key: Math.random(), name: file.filename, size: file.file_size, sent: file.file_size, file }))].slice(0, MAX_FILES));
}

/** The composer has the files that the server's draft has: those that another device added come, those that went with it go. @param {string} place */
export async function followDraftFiles(place) {
  const news = draftFiles.value.get(place);
  if (!news) return;
  const isGone = (/** @type {Upload} */ { file }) => file && news.had.includes(file.id) && !news.ids.includes(file.id);
  uploadsOf(place).filter(isGone).forEach(release);
  changeList(place, (list) => list.filter((upload) => !isGone(upload)));
  const missing = news.ids.filter((id) => !uploadsOf(place).some(({ file }) => file?.id === id));
  /** Those that the line or the server failed on. @type {string[]} */
  const failed = [];
  const found = await Promise.all(missing.map((id) => chat.file(id).catch((error) => { if (!error.isFinal) failed.push(id); })));
  // Sent, or changed again, meanwhile.
  if (draftFiles.value.get(place) !== news) return;
  // A file that is gone is no part of the draft any more.
  addStored(place, found.filter(Boolean));
  draftFiles.value = failed.length ? new Map(draftFiles.value).set(place, { ids: failed, had: [] }) : without(draftFiles.value, place);
}

/** @param {string} place @param {Upload} upload */
export function tryAgain(place, upload) {
  changeOne(place, upload.key, { error: undefined, sent: 0 });
  void run(place, upload);
}

/** @param {string} place @param {Upload} upload */
export function removeUpload(place, upload) {
  upload.abort?.abort();
  release(upload);
  changeList(place, (list) => list.filter(({ key }) => key !== upload.key));
  // Nobody else has it: the server need not keep it until its own sweep.
  if (upload.file) chat.deleteFile(upload.file.id).catch(() => {});
}

/** They were sent with a message: without those that failed, which nobody is to think sent. @param {string} place */
export function clearUploads(place) {
  for (const upload of uploadsOf(place)) if (!upload.error) release(upload);
  changeList(place, (list) => list.filter(({ error }) => error));
}

/** Ends and forgets those of the person who signed out. */
export function forgetUploads() {
  for (const upload of [...uploads.value.values()].flat()) {
    upload.abort?.abort();
    release(upload);
  }
  uploads.value = new Map();
}
onLeave(forgetUploads);

/** @param {Upload} upload */
function release(upload) {
  if (upload.preview) URL.revokeObjectURL(upload.preview);
}

/** @param {string} place @param {Upload} upload */
async function run(place, upload) {
  const abort = new AbortController();
  changeOne(place, upload.key, { abort });
  const progress = (/** @type {number} */ sent) => changeOne(place, upload.key, { sent: Math.min(sent, upload.size) });
  const source = /** @type {File} */ (upload.source);
  try {
    const file = source.size > WHOLE_BYTES ? await inParts(source, progress, abort.signal) : await patiently(() => chat.upload(source, { progress, signal: abort.signal }), abort.signal);
    changeOne(place, upload.key, { file, sent: upload.size, abort: undefined });
  } catch (error) {
    if (!(error instanceof Cancelled)) changeOne(place, upload.key, { error: /** @type {Error} */ (error).message, abort: undefined });
  }
}

/** The next part to send. @param {number} offset @param {number} size @param {number} partBytes @returns {{from:number, to:number, range:string}} */
export function nextPart(offset, size, partBytes) {
  const to = Math.min(size, offset + partBytes);
  return { from: offset, to, range: `bytes ${offset}-${to - 1}/${size}` };
}

/**
 * @param {File} source @param {(sent:number)=>void} progress @param {AbortSignal} signal
 * @returns {Promise<any>} the stored file
 */
async function inParts(source, progress, signal) {
  const begun = await chat.startUpload({ filename: source.name || 'file', size: source.size });
  try {
    let offset = begun.offset ?? 0;
    while (offset < source.size) {
      offset = await patiently(() => sendPart(begun, source, offset, (sent) => progress(offset + sent), signal), signal,
        // The part may have arrived although its answer did not: the server says where it stands.
        async () => { offset = await chat.uploadState(begun.id).then((state) => state.offset, () => offset); });
      progress(offset);
    }
    return await patiently(() => chat.completeUpload(begun.id), signal);
  } catch (error) {
    chat.cancelUpload(begun.id).catch(() => {});
    throw error;
  }
}

/**
 * Tries again what failed in a way that passes, after a while that grows.
 * @template T @param {() => Promise<T>} work @param {AbortSignal} signal @param {() => Promise<void>} [before] the next try
 * @returns {Promise<T>}
 */
async function patiently(work, signal, before = async () => {}) {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      const passing = error instanceof ApiError && (error.passing || error.status === 409);
      if (!passing || failures >= PART_TRIES) throw error;
      await rest(RETRY_MS * 2 ** failures, signal);
      await before();
    }
  }
}

/** @param {{id:string, part_bytes?:number}} begun @param {File} source @param {number} offset @param {(sent:number)=>void} progress @param {AbortSignal} signal */
async function sendPart(begun, source, offset, progress, signal) {
  const { from, to, range } = nextPart(offset, source.size, begun.part_bytes || PART_BYTES);
  const headers = { 'content-type': 'application/octet-stream', 'content-range': range, 'upload-offset': String(from) };
  const state = await chat.sendPart(begun.id, source.slice(from, to), headers, { progress, signal });
  return state?.offset ?? to;
}

/** @param {number} ms @param {AbortSignal} signal */
function rest(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); reject(new Cancelled()); }, { once: true });
  });
}
