/** What the views ask for: loads, joins and marks, each keeping the store and the server in step. */
import { effect } from '../vendor/signals-core.js';
import { api } from './api.js';
import { loadInbox, startReading } from './attention.js';
import { beganAnew, hear, isReading, loadChannels, mustRead, stopReading, windowsEmptied } from './catching_up.js';
import { changes } from './changes.js';
import { chat } from './chat_api.js';
import { turnClock } from './clock.js';
import { loadDrafts, saveBehind, startDrafts } from './drafts.js';
import { applySignal, expireTyping, markedRead } from './events.js';
import { loadBookmarks, loadThreads, startFollowing } from './following.js';
import { Live, live } from './live.js';
import { loadMembers, reloadMembers } from './members.js';
import { attempt, notify } from './notices.js';
import { loadCommands, resendWaiting } from './outbox.js';
import { navigate } from './router.js';
import { leave, renewToken } from './session.js';
import {
  accountChanges, changeThread, changeTimeline, channels, channelsLoaded, channelWanted, commandsLoaded, connection, customReactions, info, isConversation, me, meet, myChannels,
  myStatus, ownAccount, putChannel, setPresences, thread, threads, timelineOf, timelines,
} from './store.js';
import { currentStatus } from './status.js';
import { withOpened } from './threads.js';
import { aroundPage, emptyTimeline, newestPage, withPage } from './timeline.js';
import { restoreUnsent, unsent } from './unsent.js';
import { loadVoiceRoom, loadVoiceRooms } from './voice/listing.js';
import { t } from './words.js';

/** Replies come a hundred a page; what is past this many pages is beyond the window anyway. */
const MAX_THREAD_PAGES = 3;
/** Without a gateway after this time, the channels are fetched without waiting for it. */
const READY_PATIENCE_MS = 4_000;

/** Hidden pages are woken once a minute; whatever is longer was sleep. */
const ASLEEP_MS = 90_000;

/** Opens the gateway; its ready frame starts the loading of everything else. */
export function startLive() {
  live.value?.stop();
  const address = new URL('/ws', location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  live.value = new Live(address.href, {
    token: () => renewToken(),
    renewToken,
    event: hear,
    signal: applySignal,
    ready: (ready) => { beganAnew(); setPresences(ready.presences); restoreUnsent(me.value?.id ?? ''); void attempt(loadWorkspace()); resendWaiting(); },
    resumed: ({ presences }) => {
      // Dots that changed while nothing was heard are told to nobody; older servers do not say them here.
      if (presences) setPresences(presences, true);
      resendWaiting();
      readAgain();
    },
    connection: (state) => {
      connection.value = state;
      if (state.status === 'stopped' && state.reason === 'signed_out') leave(t('you_were_signed_out'));
    },
  });
  live.value.start();
  // Behind a proxy that refuses WebSockets the workspace can still be read and written to over REST.
  setTimeout(() => { if (live.value && !channelsLoaded.value && !isReading()) void attempt(loadWorkspace()); }, READY_PATIENCE_MS);
}

export function stopLive() {
  live.value?.stop();
  live.value = null;
  stopReading();
}

/** Things that go on while the page is open. */
export function startUpkeep() {
  let tick = Date.now();
  setInterval(() => {
    // The clock went on and this page did not: the device slept.
    if (Date.now() - tick > ASLEEP_MS) live.value?.wake();
    tick = Date.now();
    expireTyping();
    expireStatus();
    turnClock();
  }, 1_000);
  addEventListener('online', () => live.value?.wake());
  addEventListener('pageshow', (shown) => { if (shown.persisted) live.value?.wake(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { turnClock(); live.value?.wake(); } });
  effect(() => {
    const wanted = channelWanted.value;
    if (wanted) void fetchMine(wanted);
  });
  effect(() => { if (accountChanges.value) void fetchMe(); });
  effect(() => { if (changes.reactions.value) void loadReactions(); });
  effect(() => {
    if (!changes.sight.value || !me.peek()) return;
    void loadInbox();
    void loadThreads();
    void loadBookmarks();
  });
  startReading();
  startDrafts();
  startFollowing();
}

/** What I may do has changed, perhaps: the pages that I am shown follow. */
async function fetchMe() {
  const account = await api.me().catch(() => null); // no worse than before
  if (account && me.value?.id === account.id) me.value = ownAccount({ bio: null, email: null, ...account });
}

/** A status text whose time is over goes away while the page is open. */
function expireStatus() {
  const status = currentStatus(myStatus.value);
  if (status !== myStatus.value) myStatus.value = status;
}

/** A channel that became mine, or whose unread counts only the server knows. @param {string} channelId @param {number} [tries] */
async function fetchMine(channelId, tries = 3) {
  channelWanted.value = '';
  try {
    const found = await chat.channel(channelId);
    if (!found.role) return;
    // What came meanwhile has been counted, and the answer lacks it.
    const isOld = found.last_seq < (channels.value.get(channelId)?.last_seq ?? 0);
    if (isOld && tries > 1) return void fetchMine(channelId, tries - 1);
    putChannel(found);
    if (isConversation(found)) void loadMembers(channelId);
    if (found.kind === 'voice') void loadVoiceRoom(channelId);
  } catch {
    // The next message in it asks again.
  }
}

/** How often my status was asked for: of two answers the one asked for last holds. */
let statusesAsked = 0;

/** What I say of myself. A failure leaves it as it was. */
async function loadStatus() {
  statusesAsked += 1;
  const [number, account, before] = [statusesAsked, me.value, myStatus.value];
  const status = account && await api.status(account.id).catch(() => null);
  // What I chose or was told while this was asked for is newer.
  if (status && number === statusesAsked && me.value?.id === account.id && myStatus.value === before) myStatus.value = status;
}

/** The catalogue of reactions that were added here. */
async function loadReactions() {
  await chat.reactions().then((list) => { customReactions.value = list.items ?? []; }, () => {});
}

/** No event was missed; what could not be read while the server was away is read now. */
function readAgain() {
  // On a line that comes and goes, readings that begin anew each time would never end. One that runs goes on: what it lacks was told meanwhile.
  if (mustRead()) return isReading() ? undefined : void attempt(loadWorkspace());
  timelines.value = new Map([...timelines.value].map(([id, timeline]) => [id, timeline.loaded ? timeline : { ...timeline, error: '' }]));
  if (!commandsLoaded.value) loadCommands().catch(() => {});
  saveBehind();
  void loadStatus();
  return void loadVoiceRooms();
}

/** Everything the shell shows, fetched again: after signing in, and when the gateway could not say what was missed. */
async function loadWorkspace() {
  if (!await loadChannels(() => { loadWorkspace().catch(() => {}); })) return;
  if (thread.value) void openThread(thread.value.rootId, thread.value.channelId);
  loadCommands().catch(() => {});
  void loadReactions();
  void loadVoiceRooms();
  void loadDrafts().catch(() => {}); // what is here stays
  void loadThreads();
  void loadBookmarks();
  api.info().then((latest) => { info.value = latest; }, () => {});
  void loadInbox();
  void loadStatus();
  reloadMembers();
}

/** Shows the newest messages of a channel, unless they are there. @param {string} channelId */
export async function loadLatest(channelId) {
  const before = timelineOf(channelId);
  if (before.loading === 'page' || (before.loaded && before.reachedEnd)) return;
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

/** @param {string} channelId @param {'older'|'newer'} side */
export async function loadMore(channelId, side) {
  const { items, loading, reachedStart, reachedEnd } = timelineOf(channelId);
  if (loading || !items.length || (side === 'older' ? reachedStart : reachedEnd)) return;
  changeTimeline(channelId, (timeline) => ({ ...timeline, loading: side }));
  /** @type {Record<string,number>} */
  const query = side === 'older' ? { before_seq: items[0].seq } : { after_seq: items[items.length - 1].seq };
  await page(channelId, query, (timeline, answer) => withPage(timeline, answer, side));
}

/**
 * @param {string} channelId @param {Record<string,number>} query
 * @param {(timeline:import('./timeline.js').Timeline, answer:any)=>import('./timeline.js').Timeline} take
 */
async function page(channelId, query, take) {
  const asked = windowsEmptied();
  try {
    const answer = await chat.messages(channelId, query);
    if (asked !== windowsEmptied()) return;
    meet(answer.items.map((/** @type {any} */ message) => message.sender));
    changeTimeline(channelId, (timeline) => take(timeline, answer));
  } catch (error) {
    if (asked === windowsEmptied()) changeTimeline(channelId, (timeline) => ({ ...timeline, loading: '', error: /** @type {Error} */ (error).message }));
  }
}

/** @param {string} rootId @param {string} channelId */
export async function openThread(rootId, channelId) {
  const known = timelineOf(channelId);
  const seen = known.items.filter((message) => message.id === rootId || message.parent_id === rootId);
  if (thread.value?.rootId !== rootId) thread.value = { rootId, channelId, timeline: { ...emptyTimeline(), items: seen, pending: [...unsent.value.values()].filter((pending) => pending.parent_id === rootId), loading: 'page' } };
  try {
    /** @type {any[]} */
    const items = [];
    for (let page = 0; page < MAX_THREAD_PAGES; page += 1) {
      const answer = await chat.thread(rootId, { after_seq: items.at(-1)?.seq });
      const root = answer.items.find((/** @type {any} */ message) => message.id === rootId);
      if (root && !page) threads.value = withOpened(threads.value, root, answer);
      items.push(...answer.items);
      if (!answer.has_more || !answer.items.length) break;
    }
    meet(items.map((message) => message.sender));
    changeThread(rootId, (timeline) => withPage(timeline, { items, has_more: false }, 'latest'));
  } catch (error) {
    changeThread(rootId, (timeline) => ({ ...timeline, loading: '', error: /** @type {Error} */ (error).message }));
  }
}

/** @type {Map<string, number>} */
const reported = new Map();

/** The channel that was marked unread while it is on screen: looking at it does not undo that before it is left. */
let held = '';

/** @param {string} channelId '' when it is left */
function holdUnread(channelId) {
  held = channelId;
}

/** Everything up to the newest message of the channel has been seen. @param {string} channelId */
export function markRead(channelId) {
  const channel = channels.value.get(channelId);
  if (held === channelId || !channel?.role || channel.last_seq <= (channel.read_seq ?? 0) || (reported.get(channelId) ?? 0) >= channel.last_seq) return;
  const seq = channel.last_seq;
  reported.set(channelId, seq);
  markedRead(channelId, seq);
  chat.markRead(channelId, seq).catch(() => reported.delete(channelId));
}

/** From this message on, the channel is unread again. @param {import('./timeline.js').Message} message */
export async function markUnread(message) {
  const { channel_id: channelId, seq } = message;
  holdUnread(channelId);
  reported.delete(channelId);
  const done = await attempt(chat.markUnread(channelId, seq).then(() => true));
  if (!done) return holdUnread('');
  changeTimeline(channelId, (timeline) => ({ ...timeline, dividerSeq: seq - 1 }));
  const channel = await attempt(chat.channel(channelId));
  if (channel) putChannel(channel);
  return undefined;
}

/** Everything in all channels has been read. */
export async function markAllRead() {
  const done = await attempt(chat.markAllRead().then(() => true));
  if (!done) return;
  for (const channel of myChannels.value) markedRead(channel.id, channel.last_seq);
  notify(t('everything_is_read'));
}

/** The channel is left: looking at it next time reads it, and begins with its newest page, which is there at once. @param {string} channelId */
export function leaveChannelView(channelId) {
  holdUnread('');
  if (timelines.value.has(channelId)) changeTimeline(channelId, newestPage);
}

/** @param {string} channelId */
export async function join(channelId) {
  joined(await attempt(chat.join(channelId)));
}

/** I am in a channel now: it opens. @param {import('./store.js').Channel|undefined} channel */
export function joined(channel) {
  if (!channel) return;
  // What was said before I came is not unread.
  putChannel({ role: 'member', unread_count: 0, mention_count: 0, read_seq: channel.last_seq, ...channel });
  navigate(`/channels/${channel.id}`);
}
