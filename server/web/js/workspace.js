/** The connection and what the shell shows, kept in step with the server; pages.js has the messages, marks.js what was read. */
import { effect } from '../vendor/signals-core.js';
import { api } from './api.js';
import { loadInbox, startReading } from './attention.js';
import { beganAnew, hear, isReading, loadChannels, mustRead, stopReading } from './catching_up.js';
import { changes } from './changes.js';
import { chat } from './chat_api.js';
import { turnClock } from './clock.js';
import { loadDrafts, saveBehind, startDrafts } from './drafts.js';
import { applySignal, expireTyping } from './events.js';
import { loadBookmarks, loadThreads, startFollowing } from './following.js';
import { Live, live } from './live.js';
import { forgetMarks, reportAgain } from './marks.js';
import { reloadMembers } from './members.js';
import { attempt } from './notices.js';
import { loadCommands, resendWaiting, stopSending, wouldLose } from './outbox.js';
import { forgetPages, forgiveFailures, openThread, rereadThread } from './pages.js';
import { navigate } from './router.js';
import { leave, renewToken } from './session.js';
import {
  accountChanges, channels, channelsLoaded, commandsLoaded, connection, customReactions, info, me, myStatus, ownAccount, putChannel, setPresences,
  thread,
} from './store.js';
import { currentStatus } from './status.js';
import { restoreUnsent } from './unsent.js';
import { loadVoiceRooms } from './voice/listing.js';
import { fetchAgain, startFetching, stopFetching } from './wanted_channels.js';
import { emptyWindow } from './windows.js';
import { t } from './words.js';

/** Without a gateway after this time, the channels are fetched without waiting for it. */
const READY_PATIENCE_MS = 4_000;

/** Hidden pages are woken once a minute; whatever is longer was sleep. */
const ASLEEP_MS = 90_000;

/** Opens the gateway; its ready frame starts the loading of everything else. */
export function startLive() {
  live.value?.stop();
  restoreUnsent(me.value?.id ?? '');
  const address = new URL('/ws', location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  live.value = new Live(address.href, {
    token: () => renewToken(),
    renewToken,
    event: hear,
    signal: applySignal,
    ready: (ready) => { beganAnew(); setPresences(ready.presences); void attempt(loadWorkspace()); resendWaiting(); },
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
  setTimeout(() => {
    if (!live.value || channelsLoaded.value || isReading()) return;
    void attempt(loadWorkspace());
    resendWaiting();
  }, READY_PATIENCE_MS);
}

export function stopLive() {
  live.value?.stop();
  live.value = null;
  stopReading();
  stopSending();
  stopFetching();
  forgetPages();
  forgetMarks();
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
  // This tab alone keeps what waits: closed, it would be lost without a word.
  addEventListener('beforeunload', (event) => { if (wouldLose()) event.preventDefault(); });
  addEventListener('pageshow', (shown) => { if (shown.persisted) live.value?.wake(); });
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { turnClock(); live.value?.wake(); } });
  startFetching();
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
  forgiveFailures();
  reportAgain();
  fetchAgain();
  if (thread.value?.timeline.error) rereadThread(thread.value.channelId);
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
  reportAgain();
}

/** @param {string} channelId */
export async function join(channelId) {
  joined(await attempt(chat.join(channelId)));
}

/** I am in a channel now: it opens. @param {import('./store.js').Channel|undefined} channel */
export function joined(channel) {
  if (!channel) return;
  // What was said between my looking into it and my coming was told to nobody here.
  if (!channels.value.get(channel.id)?.role) {
    emptyWindow(channel.id);
    rereadThread(channel.id);
  }
  // What was said before I came is not unread.
  putChannel({ role: 'member', unread_count: 0, mention_count: 0, read_seq: channel.last_seq, ...channel });
  navigate(`/channels/${channel.id}`);
}
