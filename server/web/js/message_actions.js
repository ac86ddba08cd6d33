/** What one can do to a message beside reading it: each shows at once and is taken back if the server refuses. */
import { chat } from './chat_api.js';
import { draftKey } from './drafts.js';
import { bookmark, pin } from './events.js';
import { notify } from './notices.js';
import { bookmarks, quotes, thread } from './store.js';

/** @typedef {import('./timeline.js').Message} Message */

/** @param {string} place @param {Message|null} message */
export function setQuote(place, message) {
  const next = new Map(quotes.value);
  if (message) next.set(place, message);
  else next.delete(place);
  quotes.value = next;
}

/** @param {(on:boolean)=>void} show @param {boolean} wanted @param {()=>Promise<any>} call */
async function optimistic(show, wanted, call) {
  show(wanted);
  try {
    await call();
  } catch (error) {
    show(!wanted);
    notify(/** @type {Error} */ (error).message, { bad: true });
  }
}

/** @param {Message} message */
export function togglePin(message) {
  const wanted = !message.pinned_at;
  const names = { message_id: message.id, channel_id: message.channel_id };
  return optimistic((on) => pin(names, on), wanted, () => (wanted ? chat.pin(message.id) : chat.unpin(message.id)));
}

/** @param {Message} message */
export function toggleBookmark(message) {
  const wanted = !bookmarks.value.has(message.id);
  return optimistic((on) => bookmark(message.id, on), wanted, () => (wanted ? chat.bookmark(message.id) : chat.removeBookmark(message.id)));
}

/** The code of the assistant comes when somebody wants it. @param {string} label @param {object} body */
export function summarize(label, body) {
  return import('./assistant.js').then(({ summarizeInPane }) => summarizeInPane(label, body));
}

/** The next message of the composer beside it answers this one. @param {Message} message */
export function quote(message) {
  const rootId = thread.value?.timeline.items.some(({ id }) => id === message.id) && message.parent_id ? message.parent_id : undefined;
  setQuote(draftKey({ channelId: message.channel_id, parentId: rootId }), message);
  const composers = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(rootId ? '.panel .box textarea' : '.main .box textarea'));
  composers[0]?.focus();
}
