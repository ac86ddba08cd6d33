/** What was typed and not sent, per composer, for as long as the page is open. */
import { computed, signal } from '../vendor/signals-core.js';

/** Composer key (a channel id, or "thread:" and the root's id) to text. */
export const drafts = signal(/** @type {Map<string,string>} */ (new Map()));

/** Keys of the composers that hold text, as one string: it changes when a draft starts or ends, not with every key. */
const keys = computed(() => [...drafts.value].filter(([, text]) => text.trim()).map(([key]) => key).join('\n'));
export const draftKeys = computed(() => new Set(keys.value.split('\n')));

/** @param {string} key @param {string} text */
export function setDraft(key, text) {
  const next = new Map(drafts.value);
  if (text) next.set(key, text);
  else next.delete(key);
  drafts.value = next;
}
