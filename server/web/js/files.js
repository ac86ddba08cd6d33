/** Attachments as the page shows them: what they are, how large, and their bytes, which only the token opens. */
import { Cancelled } from './api.js';
import { chat } from './chat_api.js';
import { saveFile } from './download.js';

/** What browsers draw and nothing in it can run. */
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];
/** Thumbnails that are kept; the oldest give way. */
const KEPT = 150;
/** A thumbnail takes at most this much room, in CSS pixels. */
const MAX_WIDTH = 400;
const MAX_HEIGHT = 300;
const MIN_SIDE = 48;

/** @typedef {{id:string, filename:string, file_type:string, file_size:number, width?:number|null, height?:number|null, blurhash?:string|null, thumbnail_url?:string|null}} FileData */

/** @param {number} bytes */
export function sizeText(bytes) {
  if (!(bytes >= 0)) return '';
  if (bytes < 1000) return `${bytes} B`;
  const exponent = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** exponent).toFixed(bytes / 1000 ** exponent < 10 ? 1 : 0)} ${['B', 'KB', 'MB', 'GB'][exponent]}`;
}

/** Drawn in the message, and not only named. @param {FileData} file */
export function isPicture(file) {
  return PICTURES.includes(file.file_type) && Boolean(file.thumbnail_url || (file.width && file.height));
}

/** The word on a file's card. @param {FileData} file */
export function kindText(file) {
  return (/\.([A-Za-z0-9]{1,4})$/.exec(file.filename ?? '')?.[1] ?? 'file').toUpperCase();
}

/** The room a picture takes before it is there, so that nothing moves when it comes. @param {FileData} file @returns {{width:number, height:number}} */
export function shownSize({ width, height }) {
  if (!(Number(width) > 0) || !(Number(height) > 0)) return { width: MAX_WIDTH, height: 225 };
  const scale = Math.min(1, MAX_WIDTH / Number(width), MAX_HEIGHT / Number(height));
  const side = (/** @type {number} */ length) => Math.max(MIN_SIDE, Math.round(length * scale));
  return { width: side(Number(width)), height: side(Number(height)) };
}

/** File id to the address of its thumbnail. @type {Map<string, Promise<string>>} */
const thumbnails = new Map();

/** @param {FileData} file @returns {Promise<string>} an address for this page only */
export function thumbnailAddress(file) {
  const known = thumbnails.get(file.id);
  if (known) return known;
  const content = file.thumbnail_url ? chat.thumbnail(file.id) : chat.fileContent(file.id, new AbortController().signal);
  const address = content.then((blob) => URL.createObjectURL(blob));
  thumbnails.set(file.id, address);
  address.catch(() => thumbnails.delete(file.id));
  for (const [id, old] of thumbnails) {
    if (thumbnails.size <= KEPT) break;
    thumbnails.delete(id);
    old.then((gone) => URL.revokeObjectURL(gone), () => {});
  }
  return address;
}

/** Saves a file. It needs the token, so a plain link cannot do it. @param {FileData} file @param {AbortSignal} [signal] */
export async function download(file, signal = new AbortController().signal) {
  try {
    saveFile(file.filename, await chat.fileContent(file.id, signal));
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
  }
}
