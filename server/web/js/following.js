/** The threads that I follow and the messages that I saved, kept in step with the server. */
import { effect } from '../vendor/signals-core.js';
import { changes } from './changes.js';
import { chat } from './chat_api.js';
import { threadNews } from './events.js';
import { bookmarks, me, meet, thread, threads } from './store.js';
import { withFollowed } from './threads.js';

/** As many threads as the sidebar's number is made of. */
const MOST = 100;
/** A reply that is looked at this long has been read. */
const READ_MS = 600;

/** The threads with the newest activity. A failure leaves them as they were. */
export async function loadThreads() {
  try {
    const page = await chat.threads({ limit: MOST });
    threads.value = withFollowed(new Map(), page.items);
    meet([...threads.value.values()].map(({ message }) => message.sender));
  } catch {
    // The next connection asks again.
  }
}

/** Which messages are saved, of the newest. */
export async function loadBookmarks() {
  await chat.bookmarks({ limit: MOST }).then((page) => { bookmarks.value = new Set(page.items.map((/** @type {any} */ { message }) => message.id)); }, () => {});
}

/** @param {string} rootId @param {boolean} following */
export async function follow(rootId, following) {
  await (following ? chat.followThread(rootId) : chat.unfollowThread(rootId));
  threadNews({ message_id: rootId, following });
}

/** What is in the open thread is read. */
export function startFollowing() {
  effect(() => { if (changes.threads.value) void loadThreads(); });
  let timer = 0;
  let told = '';
  effect(() => {
    const open = thread.value;
    const last = open?.timeline.loaded ? open.timeline.items.at(-1) : undefined;
    clearTimeout(timer);
    if (!open || !last || !me.value || last.id === open.rootId) return;
    const known = threads.value.get(open.rootId);
    if (!known || told === last.id) return;
    timer = window.setTimeout(() => {
      if (document.hidden) return;
      told = last.id;
      threadNews({ message_id: open.rootId, read_seq: last.seq });
      chat.markThreadRead(open.rootId, last.seq).catch(() => { told = ''; });
    }, READ_MS);
  });
}
