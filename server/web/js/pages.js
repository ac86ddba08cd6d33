/** Pages of a channel and of a thread: each joins the window that it was asked for, if that is still there. */
import { batch } from '../vendor/signals-core.js';
import { chat } from './chat_api.js';
import { applyEvent } from './events.js';
import { changeThread, changeTimeline, channels, meet, thread, threads, timelineOf, timelines } from './store.js';
import { withOpened } from './threads.js';
import { aroundPage, emptyTimeline, newestPage, touches, withPage } from './timeline.js';
import { unsent } from './unsent.js';
import { Asked, emptyWindow, emptyWindows } from './windows.js';

/** What failed is asked for again by scrolling this much later: each failure moves what is shown, which is scrolling. */
const AGAIN_MS = 1_000;

/** Shows the newest messages of a channel, unless they are there. @param {string} channelId */
export async function loadLatest(channelId) {
  const before = timelineOf(channelId);
  if (before.loading === 'page' || mustWait(before)) return;
  if (before.loaded && before.reachedEnd) {
    // A page beyond it failed: scrolling asks for it again.
    if (before.error) changeTimeline(channelId, (timeline) => ({ ...timeline, error: '' }));
    return;
  }
  changeTimeline(channelId, (timeline) => ({ ...timeline, items: timeline.reachedEnd ? timeline.items : [], loaded: timeline.loaded && timeline.reachedEnd, reachedEnd: true, loading: 'page', error: '' }));
  await page(channelId, {}, (timeline, answer) => withPage(timeline, answer, 'latest'));
  void import('./whispers.js').then(({ loadWhispers }) => loadWhispers(channelId), () => {});
}

/** Shows the part of a channel around one message. @param {string} channelId @param {number} seq */
export async function loadAround(channelId, seq) {
  const { items, loading } = timelineOf(channelId);
  if (loading === 'page' || (items.some((message) => message.seq === seq))) return;
  changeTimeline(channelId, (timeline) => ({ ...timeline, loading: 'page', error: '' }));
  await page(channelId, { around_seq: seq }, (timeline, answer) => aroundPage(timeline, answer, channels.value.get(channelId)?.last_seq ?? 0));
}

/** Whether a page failed so lately that asking again would only press the server. @param {import('./timeline.js').Timeline} timeline @param {number} [forMs] */
function mustWait({ error, retryAt = 0 }, forMs = 0) {
  return Boolean(error) && performance.now() < retryAt + forMs;
}

/** The line is back: what failed is asked for again, each page by who shows its window. */
export function forgiveFailures() {
  timelines.value = new Map([...timelines.value].map(([id, timeline]) => [id, mustWait(timeline) ? timeline : { ...timeline, error: '' }]));
}

/** @param {string} channelId @param {'older'|'newer'} side */
export async function loadMore(channelId, side) {
  const before = timelineOf(channelId);
  const { items, loading, reachedStart, reachedEnd } = before;
  if (loading || !items.length || (side === 'older' ? reachedStart : reachedEnd) || mustWait(before, AGAIN_MS)) return;
  changeTimeline(channelId, (timeline) => ({ ...timeline, loading: side, error: '' }));
  /** @type {Record<string,number>} */
  const query = side === 'older' ? { before_seq: items[0].seq } : { after_seq: items[items.length - 1].seq };
  const newest = channels.value.get(channelId)?.last_seq ?? 0;
  await page(channelId, query, (timeline, answer) => {
    // The window has gone elsewhere meanwhile: between it and the page there would be a hole that nobody fills.
    if (!touches(timeline, query)) return timeline.loading === side ? { ...timeline, loading: '' } : timeline;
    // What was said meanwhile beyond the page's end is in neither.
    const hasGrown = side === 'newer' && (channels.value.get(channelId)?.last_seq ?? 0) > newest;
    return withPage(timeline, hasGrown ? { ...answer, has_more: true } : answer, side);
  });
}

/**
 * @param {string} channelId @param {Record<string,number>} query
 * @param {(timeline:import('./timeline.js').Timeline, answer:any)=>import('./timeline.js').Timeline} take
 */
async function page(channelId, query, take) {
  const asked = new Asked(channelId);
  try {
    const answer = await chat.messages(channelId, query);
    if (!asked.isThere) return;
    // Too much changed for the answer to be set right: the window asks again.
    if (asked.isCut) return void changeTimeline(channelId, (timeline) => ({ ...timeline, loading: '' }));
    meet(answer.items.map((/** @type {any} */ message) => message.sender));
    batch(() => {
      changeTimeline(channelId, (timeline) => take(timeline, answer));
      for (const change of asked.changes) applyEvent(change, true);
    });
  } catch (error) {
    const { message, retryAfterMs = 0 } = /** @type {import('./api.js').ApiError} */ (error);
    if (asked.isThere) changeTimeline(channelId, (timeline) => ({ ...timeline, loading: '', error: message, retryAt: performance.now() + retryAfterMs }));
  } finally {
    asked.end();
  }
}

/** How often a thread was opened: an answer that an earlier one asked for knows less. */
let opened = 0;

/** Nobody is signed in any more: no answer on its way has a place. */
export function forgetPages() {
  opened += 1;
  emptyWindows();
}

/** Shows a thread: its root and the newest of its replies. @param {string} rootId @param {string} channelId */
export async function openThread(rootId, channelId) {
  opened += 1;
  const known = timelineOf(channelId);
  const seen = known.items.filter((message) => message.id === rootId);
  const pending = [...unsent.value.values()].filter((one) => one.parent_id === rootId);
  if (thread.value?.rootId !== rootId) thread.value = { rootId, channelId, timeline: { ...emptyTimeline(), rootId, items: seen, pending, loading: 'page' } };
  // What is there may be old, and what came between is not in the answer.
  else changeThread(rootId, (timeline) => ({ ...timeline, items: timeline.items.filter((message) => message.id === rootId), reachedStart: false, reachedEnd: true, loading: 'page', error: '' }));
  await replies(rootId, channelId, {}, (timeline, answer) => withPage(timeline, answer, 'latest'));
}

/** The open thread of a channel may have holes. @param {string} channelId */
export function rereadThread(channelId) {
  if (thread.value?.channelId === channelId) void openThread(thread.value.rootId, channelId);
}

/** Replies before those that are shown. The newest give way when there are too many. @param {string} rootId @param {string} channelId */
export async function loadEarlierReplies(rootId, channelId) {
  const { items, loading, reachedStart } = thread.value?.rootId === rootId ? thread.value.timeline : emptyTimeline();
  const oldest = items.find((message) => message.id !== rootId);
  if (loading || reachedStart || !oldest) return;
  changeThread(rootId, (timeline) => ({ ...timeline, loading: 'older', error: '' }));
  await replies(rootId, channelId, { before_seq: oldest.seq }, (timeline, answer) => withPage(timeline, answer, 'older'));
}

/** Behind every reply. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * @param {string} rootId @param {string} channelId @param {{before_seq?:number}} query
 * @param {(timeline:import('./timeline.js').Timeline, answer:any)=>import('./timeline.js').Timeline} take
 */
async function replies(rootId, channelId, { before_seq: before = NEWEST }, take) {
  const asked = new Asked(channelId);
  const turn = opened;
  try {
    const answer = await chat.thread(rootId, { before_seq: before });
    if (turn !== opened) return;
    if (asked.isCut) return void openThread(rootId, channelId);
    const root = answer.items.find((/** @type {any} */ message) => message.id === rootId);
    if (root) threads.value = withOpened(threads.value, root, answer);
    meet(answer.items.map((/** @type {any} */ message) => message.sender));
    batch(() => {
      changeThread(rootId, (timeline) => take(timeline, answer));
      for (const change of asked.changes) applyEvent(change, true);
    });
  } catch (error) {
    if (turn === opened) changeThread(rootId, (timeline) => ({ ...timeline, loading: '', error: /** @type {Error} */ (error).message }));
  } finally {
    asked.end();
  }
}

/** The channel is left: looking at it next time reads it, and begins with its newest page, which is there at once. @param {string} channelId */
export function leaveChannelView(channelId) {
  // Nobody tells what happens in a channel that I only looked into.
  if (!channels.value.get(channelId)?.role) emptyWindow(channelId);
  else if (timelines.value.has(channelId)) changeTimeline(channelId, newestPage);
}
