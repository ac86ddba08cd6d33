/** The only place where an event's name decides what happens to what the page knows. */
import { batch } from '../vendor/signals-core.js';
import { changed, draftNews, lostChannel } from './changes.js';
import { posted } from './drafts.js';
import { withNews, withReadElsewhere } from './inbox.js';
import {
  accountChanges, bookmarks, changeEverywhere, changeThread, changeTimeline, channels, channelWanted, dropChannel, inbox, me, meet, members, myStatus, ownAccount, presences,
  putChannel, quotes, seenUpTo, statuses, thread, threads, timelines, typing, users, viewing, without,
} from './store.js';
import { withReply, withRoot, withThreadNews } from './threads.js';
import { ERASED, isMentioned, withChanged, withMessage, withReaction, withUpdate, withoutMessage } from './timeline.js';
import { TYPING_MS, typingPlace, withoutExpired, withoutTyping, withTyping } from './typing.js';
import { dropUnsent } from './unsent.js';
import { roomTold } from './voice/listing.js';
import { emptyWindow } from './windows.js';

/**
 * @typedef {import('./timeline.js').Message} Message
 * @typedef {import('./timeline.js').UserRef} UserRef
 * @typedef {import('./store.js').Channel} Channel
 * @typedef {import('./live.js').LiveEvent} LiveEvent
 * @typedef {{channel_id:string, seq:number, user_id?:string, unread_count?:number, mention_count?:number}} ReadMark
 */

/**
 * Applies one event of the gateway. Positions are checked by live.js; every branch also tolerates what it has seen already.
 * @param {LiveEvent} event @param {boolean} [isAgain] what it counted was wiped out by an answer that lacks it
 */
export function applyEvent({ t, d, seq, withheld }, isAgain = false) {
  // I have left since, which the next event of the channel says; what this one was about is not told any more.
  if (withheld) return;
  batch(() => {
    switch (t) {
      case 'new_message': return receive(d);
      case 'message_update': return updated(d);
      case 'message_delete': return deleted(d);
      case 'reaction_added': return react(d, true, isAgain);
      case 'reaction_removed': return react(d, false, isAgain);
      case 'pin_added': return pin(d, true);
      case 'pin_removed': return pin(d, false);
      case 'bookmark_added': return bookmark(d.message_id, true);
      case 'bookmark_removed': return bookmark(d.message_id, false);
      case 'thread_updated': return threadNews(d);
      case 'draft_updated': draftNews.value = { channel_id: d.channel_id, parent_id: d.parent_id }; return undefined;
      case 'scheduled_message_updated': return changed('scheduled');
      case 'reminder_updated': return changed('reminders');
      case 'preferences_updated': return d.channel_id ? tuned(d) : changed('preferences');
      case 'reaction_catalogue_updated': return changed('reactions');
      case 'privacy_updated':
      case 'channel_update': return channelChanged(d, seq);
      case 'channel_deleted': return loseSight(d.id);
      case 'directory_updated': return listing(d);
      case 'member_joined': return joined(d, isAgain);
      case 'member_left': return left(d, isAgain);
      case 'role_updated': return roleChanged(d);
      case 'read_updated': return readTo(d);
      case 'user_updated': return userChanged(d);
      case 'notification': return notified(d);
      case 'command_result': void whispered(d); return undefined;
      case 'notifications_read': inbox.value = withReadElsewhere(inbox.value, d); return undefined;
      default: return undefined; // an event of a newer server
    }
  });
}

/**
 * What was heard while the channels were read, once more: the answer may hold a part of it, which would count twice, and lack the rest.
 * @param {LiveEvent[]} heard @param {Map<string, Channel>} answered
 */
export function applyAgain(heard, answered) {
  // Each of my marks is whole, so that the last one of a channel says what all of them did.
  const marks = new Map(heard.filter(isMyMark).map((event) => [event.d.channel_id, event]));
  for (const event of heard) {
    const channel = answered.get(event.channel_id ?? event.d.channel_id);
    if (isMyMark(event)) {
      if (event === marks.get(event.d.channel_id) && channel) markAgain(channel, event.d);
    } else if (!channel || !event.seq || event.seq > channel.last_seq) applyEvent(event, true);
  }
}

/** @param {Channel} channel as the answer has it @param {ReadMark} mark */
function markAgain({ id, read_seq: answered = 0 }, mark) {
  if (mark.seq > answered) readTo(mark);
  // A step back that the answer lacks, or an older mark than the answer's: the server knows what holds.
  if (mark.seq < answered) channelWanted.value = id;
}

/** What a plugin says to me alone. The code for it comes when something is said. @param {import('./whispers.js').Whisper} whisper */
export function whispered(whisper) {
  return import('./whispers.js').then(({ put }) => put(whisper), () => {});
}

/** @param {import('./live.js').LiveSignal} signalFrame @param {number} [now] */
export function applySignal({ t, d, channel_id: channelId }, now = Date.now()) {
  if (t === 'presence') present(d);
  if (t === 'voice' && channelId) roomTold(channelId, d.participants ?? []);
  if (t === 'typing' && channelId && d.user_id !== me.value?.id) typing.value = withTyping(typing.value, typingPlace(channelId, d.parent_id), d.user_id, now + TYPING_MS);
}

/** The whole state of somebody: without words they say none. @param {import('./status.js').Status} d */
function present(d) {
  presences.value = new Map(presences.value).set(d.user_id, d.status);
  if (d.text) statuses.value = new Map(statuses.value).set(d.user_id, d);
  else if (statuses.value.has(d.user_id)) statuses.value = without(statuses.value, d.user_id);
  if (d.user_id === me.value?.id) myStatus.value = { ...d, text: d.text ?? null, expires_at: d.expires_at ?? null };
}

/** Forgets typing signals that ran out. @param {number} [now] */
export function expireTyping(now = Date.now()) {
  typing.value = withoutExpired(typing.value, now);
}

/** A message is here, by whatever way it came. @param {Message} message */
export function receive(message) {
  const channel = channels.value.get(message.channel_id);
  if (message.sender_id === me.value?.id) {
    posted(message);
    // Its acknowledgement may be lost.
    if (message.nonce) dropUnsent(message.nonce);
  }
  meet([message.sender]);
  typing.value = withoutTyping(typing.value, typingPlace(message.channel_id, message.parent_id), message.sender_id);
  if (timelines.value.has(message.channel_id)) changeTimeline(message.channel_id, (timeline) => withMessage(timeline, message));
  if (message.parent_id) {
    changeThread(message.parent_id, (timeline) => withMessage(timeline, message));
    const inView = thread.value?.rootId === message.parent_id && !globalThis.document?.hidden;
    threads.value = withReply(threads.value, message, { userId: me.value?.id, inView });
  }
  // Only what I may read is delivered: an unknown channel is one that I was just added to.
  if (!channel) channelWanted.value = message.channel_id;
  if (!channel || message.seq <= channel.last_seq) return;
  putChannel({ id: channel.id, last_seq: message.seq, ...countUnread(channel, message) });
}

/** @param {Channel} channel @param {Message} message @returns {Partial<Channel>} */
function countUnread(channel, message) {
  // My mark may overtake what it covers: it has no place among the channel's events.
  if (message.seq <= (channel.read_seq ?? 0)) return {};
  const mine = message.sender_id === me.value?.id;
  if (mine) return { unread_count: 0, mention_count: 0 };
  if (viewing.value.channelId === channel.id && viewing.value.atEnd) return {};
  const mentioned = isMentioned(message, me.value?.id) ? 1 : 0;
  return { unread_count: (channel.unread_count ?? 0) + 1, mention_count: (channel.mention_count ?? 0) + mentioned };
}

/** @param {Message} d */
function updated(d) {
  changeEverywhere(d.channel_id, (timeline) => withUpdate(timeline, d));
  threads.value = withRoot(threads.value, d.id, (root) => ((d.version ?? 0) >= (root.version ?? 0) ? { ...root, ...d } : root));
  if (d.pinned_at) changed('pins');
}

/** @type {ReturnType<typeof setTimeout>|undefined} */
let pinsTimer;

/** Its words go wherever they stand. @param {{id:string, channel_id:string, deleted_at?:string}} d */
function deleted(d) {
  changeEverywhere(d.channel_id, (timeline) => withoutMessage(timeline, d.id, d.deleted_at));
  threads.value = withRoot(threads.value, d.id, (root) => ({ ...root, ...ERASED, deleted_at: d.deleted_at ?? new Date().toISOString() }));
  if ([...quotes.value.values()].some((quoted) => quoted.id === d.id)) quotes.value = new Map([...quotes.value].filter(([, quoted]) => quoted.id !== d.id));
  if (bookmarks.value.has(d.id)) bookmark(d.id, false);
  // Of many that go together the list is read once.
  pinsTimer ??= setTimeout(() => { pinsTimer = undefined; changed('pins'); }, 300);
}

/**
 * @param {{message_id:string, channel_id:string, user_id:string, code:string}} reaction @param {boolean} present
 * @param {boolean} [isAgain] it may be counted already: where not everybody is named, nobody can tell
 */
export function react(reaction, present, isAgain = false) {
  const change = (/** @type {Message} */ message) => {
    const known = message.reactions?.find(({ code }) => code === reaction.code);
    if (isAgain && known && known.count > known.user_ids.length) return message;
    return withReaction(message, reaction.code, reaction.user_id, present);
  };
  changeEverywhere(reaction.channel_id, (timeline) => withChanged(timeline, reaction.message_id, change));
}

/** @param {{message_id:string, channel_id:string, pinned_at?:string}} d @param {boolean} pinned */
export function pin(d, pinned) {
  const at = pinned ? d.pinned_at ?? new Date().toISOString() : null;
  changeEverywhere(d.channel_id, (timeline) => withChanged(timeline, d.message_id, (message) => (Boolean(message.pinned_at) === pinned ? message : { ...message, pinned_at: at })));
  changed('pins');
}

/** @param {string} messageId @param {boolean} saved */
export function bookmark(messageId, saved) {
  if (bookmarks.value.has(messageId) !== saved) {
    const next = new Set(bookmarks.value);
    if (saved) next.add(messageId);
    else next.delete(messageId);
    bookmarks.value = next;
  }
  changed('bookmarks');
}

/** @param {{message_id:string, following?:boolean, read_seq?:number}} d */
export function threadNews(d) {
  const { threads: next, wanted } = withThreadNews(threads.value, d);
  threads.value = next;
  if (wanted) changed('threads');
}

/** I starred, muted or tuned a channel. @param {{channel_id:string, starred?:boolean, muted?:boolean, notification_level?:string}} d */
export function tuned({ channel_id: channelId, ...mine }) {
  if (channels.value.has(channelId)) putChannel({ id: channelId, ...mine });
}

/** @param {{channel_id:string, user_id:string, role:string}} d */
export function roleChanged({ channel_id: channelId, user_id: userId, role }) {
  if (userId === me.value?.id && channels.value.has(channelId)) putChannel({ id: channelId, role });
  const list = members.value.get(channelId);
  if (list) members.value = new Map(members.value).set(channelId, list.map((member) => (member.user.id === userId ? { ...member, role } : member)));
}

/** @param {LiveEvent} event */
function isMyMark({ t, d }) {
  return t === 'read_updated' && !isOfAnother(d);
}

/** @param {ReadMark} mark */
function isOfAnother({ user_id: userId }) {
  return Boolean(userId) && userId !== me.value?.id;
}

/** How far I have read on any device, forward or back, or the other one of a conversation has. @param {ReadMark} mark */
function readTo(mark) {
  const { channel_id: channelId, seq, unread_count: unread, mention_count: mentions } = mark;
  if (isOfAnother(mark)) {
    seenUpTo.value = new Map(seenUpTo.value).set(channelId, Math.max(seq, seenUpTo.value.get(channelId) ?? 0));
  } else if (unread !== undefined) {
    if (channels.value.has(channelId)) putChannel({ id: channelId, read_seq: seq, unread_count: unread, mention_count: mentions ?? 0 });
  } else if (seq < (channels.value.get(channelId)?.read_seq ?? 0)) {
    // Marked unread elsewhere, or an older report that a newer one overtook: the server knows what holds.
    channelWanted.value = channelId;
  } else markedRead(channelId, seq);
}

/** @param {any} d */
function notified(d) {
  inbox.value = withNews(inbox.value, d);
  if (d.kind === 'reminder') changed('reminders');
}

/** @param {Channel} channel @param {number} [seq] of the event */
function channelChanged(channel, seq) {
  // The event is one for all members: it says nothing about what I have read or tuned, and not always what I am.
  const { read_seq: _read, unread_count: _unread, mention_count: _mentions, starred: _starred, muted: _muted, notification_level: _level, role, ...shared } = channel;
  const known = channels.value.get(channel.id);
  if (!known && !role) return;
  // Its body was read when it was sent, and may be ahead of messages that come behind it: those would not be counted.
  const lastSeq = known ? Math.max(known.last_seq ?? 0, seq ?? 0) : channel.last_seq ?? 0;
  putChannel({ ...(known ? {} : { role, read_seq: 0, unread_count: 0, mention_count: 0 }), ...shared, last_seq: lastSeq });
}

/** Its messages may no longer be read here, so no list of the page may show them. @param {string} channelId */
export function loseSight(channelId) {
  dropChannel(channelId);
  lostChannel.value = { id: channelId };
  changed('sight');
}

/** A channel became open, or what was open is not any more: told to everyone, members hear the rest by events of their own. @param {{channel_id:string, listed:boolean}} d */
function listing({ channel_id: channelId, listed }) {
  if (!listed && !channels.value.get(channelId)?.role) return loseSight(channelId);
  return changed('sight');
}

/** Told twice, or of somebody whom this page has counted already, it changes nothing. @param {{channel_id:string, user:UserRef, role:string}} d @param {boolean} [isAgain] */
export function joined(d, isAgain = false) {
  meet([d.user]);
  const channel = channels.value.get(d.channel_id);
  const isMe = d.user.id === me.value?.id;
  // Of a voice channel also when it is here: until now nobody told who talks there.
  if (isMe && (!channel?.role || channel.kind === 'voice')) channelWanted.value = d.channel_id;
  // What was said between my looking into it and my coming was told to nobody here.
  if (isMe && !channel?.role) emptyWindow(d.channel_id);
  const list = members.value.get(d.channel_id);
  const isListed = list?.some((member) => member.user.id === d.user.id);
  if (isListed && !isAgain) return;
  // Of a channel that I came into, the answer or the fetch says how many we are.
  if (!isMe) countMembers(d.channel_id, 1);
  if (list && !isListed) members.value = new Map(members.value).set(d.channel_id, [...list, { user: d.user, role: d.role }]);
}

/** @param {{channel_id:string, user_id:string}} d @param {boolean} [isAgain] */
export function left(d, isAgain = false) {
  if (d.user_id === me.value?.id) return loseSight(d.channel_id);
  const list = members.value.get(d.channel_id);
  const whole = list && list.length >= (channels.value.get(d.channel_id)?.member_count ?? 0);
  if (whole && !isAgain && !list.some((member) => member.user.id === d.user_id)) return undefined; // counted already
  countMembers(d.channel_id, -1);
  if (list) members.value = new Map(members.value).set(d.channel_id, list.filter((member) => member.user.id !== d.user_id));
  return undefined;
}

/** @param {string} channelId @param {number} change */
function countMembers(channelId, change) {
  const channel = channels.value.get(channelId);
  if (channel) putChannel({ id: channelId, member_count: Math.max(0, channel.member_count + change) });
}

/** @param {string} channelId @param {number} seq */
export function markedRead(channelId, seq) {
  const channel = channels.value.get(channelId);
  if (!channel || seq < (channel.read_seq ?? 0)) return;
  const unread = Math.max(0, channel.last_seq - seq);
  putChannel({ id: channelId, read_seq: seq, unread_count: Math.min(unread, channel.unread_count ?? 0), mention_count: unread ? channel.mention_count : 0 });
}

/** @param {UserRef} user */
function userChanged(user) {
  // The event is whole: a name or a picture that it lacks was taken away.
  users.value = new Map(users.value).set(user.id, user);
  if (user.id !== me.value?.id) return;
  me.value = ownAccount(user);
  accountChanges.value += 1;
}
