/**
 * What I sent and the server has not confirmed: also replies of threads that are closed meanwhile, and what was on its way when the page was loaded
 * again. This tab alone keeps it, until it is confirmed, thrown away, or its person signs out.
 */
import { signal } from '../vendor/signals-core.js';

/** @typedef {import('./timeline.js').Pending} Pending */

const KEY = 'confab-unsent';
/** Nobody writes more than this into a connection that is not there. */
const MOST = 50;

/** A composer's key, its text and its files. @typedef {[key:string, text:string, fileIds:string[]]} KeptDraft */

/** Drafts that the server had not got when their person's session ended, once they are back. */
export const draftsBack = signal(/** @type {KeptDraft[]} */ ([]));
/** By nonce. */
export const unsent = signal(/** @type {Map<string, Pending>} */ (new Map()));
let owner = '';

/** @param {Map<string, Pending>} next @param {KeptDraft[]} [drafts] */
function set(next, drafts = []) {
  unsent.value = next;
  try {
    if (next.size || drafts.length) sessionStorage.setItem(KEY, JSON.stringify({ owner, pending: [...next.values()], drafts }));
    else globalThis.sessionStorage?.removeItem(KEY);
  } catch {
    // No storage, or a full one: then the page alone knows, as long as it lives.
  }
}

/** @param {Pending} pending @returns {boolean} false: so many wait already that it is not kept */
export function keepUnsent(pending) {
  if (unsent.value.size >= MOST && !unsent.value.has(pending.nonce)) return false;
  set(new Map(unsent.value).set(pending.nonce, pending));
  return true;
}

/** Their person leaves: what is not saved waits in the storage too. @param {KeptDraft[]} drafts */
export function keepDrafts(drafts) {
  if (owner && drafts.length) set(unsent.value, drafts);
}

/** @param {string} nonce */
export function dropUnsent(nonce) {
  if (!unsent.value.has(nonce)) return;
  const next = new Map(unsent.value);
  next.delete(nonce);
  set(next);
}

/** What this person left unsent when the page was loaded again: it waits for the connection. @param {string} userId */
export function restoreUnsent(userId) {
  if (owner === userId) return;
  owner = userId;
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
    if (kept?.owner !== userId) return;
    set(new Map(kept.pending.map((/** @type {Pending} */ pending) => [pending.nonce, isRefused(pending) ? pending : { ...pending, state: 'failed', offline: true, error: '' }])));
    draftsBack.value = kept.drafts ?? [];
  } catch {
    // Nothing that could be read was left.
  }
}

/** For good: only a click sends it again. @param {Pending} pending */
function isRefused({ state, offline }) {
  return state === 'failed' && !offline;
}

/** Their session ended, and they did not end it: it waits in the storage until they are back. */
export function putUnsentAway() {
  unsent.value = new Map();
  owner = '';
}

/** Of the person who signed out. */
export function forgetUnsent() {
  set(new Map());
  owner = '';
}
