/** How far I have read, as the server is told of it. */
import { ApiError } from './api.js';
import { chat } from './chat_api.js';
import { markedRead } from './events.js';
import { attempt, notify } from './notices.js';
import { changeTimeline, channels, me, myChannels, putChannel } from './store.js';
import { t } from './words.js';

/** Channels whose reading the server could not be told, with how far. @type {Map<string, number>} */
const unreported = new Map();

/** The channel that was marked unread while it is on screen: looking at it does not undo that before it is left. */
let held = '';

/** @param {string} channelId '' when it is left */
export function holdUnread(channelId) {
  held = channelId;
}

/** Everything up to the newest message of the channel has been seen. @param {string} channelId */
export function markRead(channelId) {
  const channel = channels.value.get(channelId);
  if (held === channelId || !channel?.role || channel.last_seq <= (channel.read_seq ?? 0)) return;
  const seq = channel.last_seq;
  markedRead(channelId, seq);
  void report(channelId, seq);
}

/** @param {string} channelId @param {number} seq */
async function report(channelId, seq) {
  const account = me.value;
  try {
    await chat.markRead(channelId, seq);
    if ((unreported.get(channelId) ?? 0) <= seq) unreported.delete(channelId);
  } catch (error) {
    // With the next connection, if it is the same person's.
    if (error instanceof ApiError && error.passing && me.value?.id === account?.id) unreported.set(channelId, Math.max(seq, unreported.get(channelId) ?? 0));
  }
}

/** From this message on, the channel is unread again. @param {import('./timeline.js').Message} message */
export async function markUnread(message) {
  const { channel_id: channelId, seq } = message;
  holdUnread(channelId);
  unreported.delete(channelId);
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

/** Once more what the server could not be told. */
export function reportAgain() {
  for (const [channelId, seq] of unreported) void report(channelId, seq);
}

/** Nobody is signed in any more: the next person has read other things. */
export function forgetMarks() {
  unreported.clear();
  holdUnread('');
}
