/** Short messages to the user. */
import { signal } from '../vendor/signals-core.js';

/** Newest last. */
export const notices = signal(/** @type {{id:number, text:string, bad:boolean}[]} */ ([]));

/** @param {string} text @param {{bad?:boolean}} [options] */
export function notify(text, { bad = false } = {}) {
  // What was cancelled has no words.
  if (!text) return;
  const id = Date.now() + Math.random();
  // The same words twice say no more.
  notices.value = [...notices.value.filter((notice) => notice.text !== text).slice(-2), { id, text, bad }];
  setTimeout(() => { notices.value = notices.value.filter((notice) => notice.id !== id); }, bad ? 8_000 : 4_000);
}

/** Shows a failure unless `work` succeeds. @template T @param {Promise<T>} work @returns {Promise<T|undefined>} */
export async function attempt(work) {
  try {
    return await work;
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), { bad: true });
    return undefined;
  }
}
