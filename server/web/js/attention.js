/** Keeps the inbox in step with the server, and takes from it what was seen where it stands. */
import { effect } from '../vendor/signals-core.js';
import { chat } from './chat_api.js';
import { seenOnScreen, withPage, withRead } from './inbox.js';
import { inbox, me, thread, timelineOf, viewing } from './store.js';

/** The most that the server lists, or takes, at once. */
const MOST = 100;
/** Pages asked for while news keeps coming. */
const TRIES = 5;

/** Counts anew. A failure leaves the count as it was: the next connection asks again. */
export async function loadInbox() {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = inbox.value;
    const page = await chat.notifications({ unread: 'true', limit: MOST }).catch(() => null); // no worse than before
    if (!page) return;
    // What came while the page was on its way may be newer than the page: it is asked for again rather than forgotten.
    if (inbox.value === before || tries === TRIES - 1) {
      inbox.value = withPage(inbox.value, page);
      return;
    }
  }
}

/** Marks some as read, or all. @param {string[]|null} ids */
export async function readNotifications(ids) {
  inbox.value = withRead(inbox.value, ids);
  const answer = await chat.readNotifications(ids);
  if (!inbox.value.waiting.length) inbox.value = { ...inbox.value, unread: answer.unread_count };
}

/** What comes into view is read, as its channel is. */
export function startReading() {
  effect(() => {
    const { waiting } = inbox.value;
    if (!waiting.length || !me.value) return;
    const { channelId, atEnd } = viewing.value;
    const replies = timelineOf(channelId).items.filter((message) => message.parent_id).map(({ id }) => id);
    const inThread = document.hidden ? [] : thread.value?.timeline.items.map(({ id }) => id) ?? [];
    const ids = seenOnScreen(waiting, { channelId: atEnd ? channelId : '', replies: new Set(replies), inThread: new Set(inThread) });
    if (ids.length) void readNotifications(ids.slice(0, MOST)).catch(() => {});
  });
}
