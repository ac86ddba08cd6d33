/** What the page knows, as signals. Events change it in events.js. */
import { batch, computed, signal } from '../vendor/signals-core.js';
import { emptyInbox } from './inbox.js';
import { emptyTimeline } from './timeline.js';

/**
 * @typedef {import('./timeline.js').Message} Message
 * @typedef {import('./timeline.js').Timeline} Timeline
 * @typedef {import('./timeline.js').UserRef} UserRef
 * @typedef {{id:string, kind:'public'|'private'|'direct'|'group'|'voice', name:string, description?:string, topic?:string,
 *   last_seq:number, member_count:number, role?:string|null, read_seq?:number, unread_count?:number, mention_count?:number,
 *   archived_at?:string|null, starred?:boolean, muted?:boolean, notification_level?:string, owner_id?:string|null}} Channel
 * @typedef {{rootId:string, channelId:string, timeline:Timeline}} Thread
 */

export const info = signal(/** @type {any} */ (null));
export const me = signal(/** @type {any} */ (null));
/** What I say of myself, null until it is known. */
export const myStatus = signal(/** @type {import('./status.js').Status|null} */ (null));
/** Channels I belong to, and those I look at without belonging to them (no role), by id. */
export const channels = signal(/** @type {Map<string, Channel>} */ (new Map()));
export const channelsLoaded = signal(false);
/** Everyone met so far, by id. */
export const users = signal(/** @type {Map<string, UserRef>} */ (new Map()));
/** Members of the channels that were looked at: channel id to members. */
export const members = signal(/** @type {Map<string, {user:UserRef, role:string}[]>} */ (new Map()));
export const presences = signal(/** @type {Map<string, string>} */ (new Map()));
/** What people say beside their dot, by id: only of those who say something. */
export const statuses = signal(/** @type {Map<string, import('./status.js').Status>} */ (new Map()));
/** Channel, or thread of it, to (user id to the time the signal ends). */
export const typing = signal(/** @type {import('./typing.js').Typing} */ (new Map()));
export const connection = signal(/** @type {import('./live.js').Connection} */ ({ status: 'connecting', retryAt: 0, reason: '' }));
export const timelines = signal(/** @type {Map<string, Timeline>} */ (new Map()));
export const thread = signal(/** @type {Thread|null} */ (null));
export const commands = signal(/** @type {{name:string, description?:string, options?:any[], plugin_id?:string}[]} */ ([]));
/** The threads that I follow, by the root's id. */
export const threads = signal(/** @type {import('./threads.js').Threads} */ (new Map()));
/** Ids of the messages that I saved, as far as they are known. */
export const bookmarks = signal(/** @type {Set<string>} */ (new Set()));
/** Composer key to the message that the next one quotes. */
export const quotes = signal(/** @type {Map<string, Message>} */ (new Map()));
/** How far the other one of a direct conversation has read: channel id to seq. */
export const seenUpTo = signal(/** @type {Map<string, number>} */ (new Map()));
/** Reactions that plugins and people added. */
export const customReactions = signal(/** @type {any[]} */ ([]));
/** A channel I was added to, which must be fetched: the event does not carry it. */
export const channelWanted = signal('');
/** My account changed in what an event does not carry, such as what it may do: grows each time. */
export const accountChanges = signal(0);
export const inbox = signal(emptyInbox());
/** The channel on screen, and whether its newest message is in view: what arrives there is read at once. */
export const viewing = signal({ channelId: '', atEnd: true });

export const myChannels = computed(() => [...channels.value.values()].filter((channel) => channel.role && !channel.archived_at));
export const unreadTotal = computed(() => myChannels.value.reduce((sum, channel) => sum + (channel.mention_count || (isConversation(channel) && !channel.muted ? channel.unread_count : 0) || 0), 0));

/** @param {Channel} channel */
export function isConversation(channel) {
  return channel.kind === 'direct' || channel.kind === 'group';
}

/** @param {string} channelId @returns {Timeline} */
export function timelineOf(channelId) {
  return timelines.value.get(channelId) ?? emptyTimeline();
}

/** @param {string} channelId @param {(timeline:Timeline)=>Timeline} change */
export function changeTimeline(channelId, change) {
  timelines.value = new Map(timelines.value).set(channelId, change(timelineOf(channelId)));
}

/** The open thread changes if it is the one meant. @param {string} rootId @param {(timeline:Timeline)=>Timeline} change */
export function changeThread(rootId, change) {
  const open = thread.value;
  if (open?.rootId === rootId) thread.value = { ...open, timeline: change(open.timeline) };
}

/** Everywhere a message can be shown. @param {string} channelId @param {(timeline:Timeline)=>Timeline} change */
export function changeEverywhere(channelId, change) {
  batch(() => {
    if (timelines.value.has(channelId)) changeTimeline(channelId, change);
    if (thread.value?.channelId === channelId) changeThread(thread.value.rootId, change);
  });
}

/** @param {Partial<Channel> & {id:string}} channel */
export function putChannel(channel) {
  const known = channels.value.get(channel.id);
  channels.value = new Map(channels.value).set(channel.id, /** @type {Channel} */ ({ ...known, ...channel }));
}

/** @param {string} channelId */
export function dropChannel(channelId) {
  batch(() => {
    channels.value = without(channels.value, channelId);
    timelines.value = without(timelines.value, channelId);
    members.value = without(members.value, channelId);
    if (thread.value?.channelId === channelId) thread.value = null;
  });
}

/** A copy. @template V @param {Map<string,V>} map @param {string} key */
export function without(map, key) {
  const copy = new Map(map);
  copy.delete(key);
  return copy;
}

/** @param {(UserRef|undefined)[]} met */
export function meet(met) {
  const news = met.filter((user) => user?.id && isNews(user, users.value.get(user.id)));
  if (!news.length) return;
  const copy = new Map(users.value);
  for (const user of news) if (user) copy.set(user.id, user);
  users.value = copy;
}

/** @param {UserRef} user @param {UserRef|undefined} known */
function isNews(user, known) {
  return known?.username !== user.username || known?.full_name !== user.full_name || known?.picture_url !== user.picture_url;
}

/** @param {any} list presences of the ready frame: a list of {user_id, status}, or an object from user id to status */
export function setPresences(list) {
  const pairs = Array.isArray(list) ? list.map((entry) => [entry.user_id, entry.status]) : Object.entries(list ?? {});
  presences.value = new Map(/** @type {[string,string][]} */ (pairs));
<<<<<<< HEAD
  statuses.value = new Map(Array.isArray(list) ? list.filter(({ text }) => text).map((entry) => [entry.user_id, entry]) : []);
||||||| 1d1b8d7
}

/**
 * Applies one event of the gateway. Positions are checked by live.js; every branch also tolerates what it has seen already.
 * @param {import('./live.js').LiveEvent} event
 */
export function applyEvent({ t, d, channel_id: channelId }) {
  batch(() => {
    switch (t) {
      case 'new_message': return receive(d);
      case 'message_update': return changeEverywhere(d.channel_id, (timeline) => withUpdate(timeline, d));
      case 'message_delete': return changeEverywhere(d.channel_id, (timeline) => withoutMessage(timeline, d.id, d.deleted_at));
      case 'reaction_added': return react(d, true);
      case 'reaction_removed': return react(d, false);
      case 'channel_created':
      case 'channel_update': return channelChanged(d);
      case 'channel_deleted': return dropChannel(d.id);
      case 'member_joined': return joined(d);
      case 'member_left': return left(d);
      case 'role_updated': return d.user_id === me.value?.id && channels.value.has(d.channel_id) ? putChannel({ id: d.channel_id, role: d.role }) : undefined;
      case 'read_updated': return markedRead(d.channel_id ?? channelId, d.seq);
      case 'user_updated': return userChanged(d);
      case 'notification': inbox.value = withNews(inbox.value, d); return undefined;
      case 'command_result': return changeTimeline(d.channel_id ?? channelId, (timeline) => withNote(timeline, noteOf(timeline, d.command, d.content)));
      default: return undefined; // an event of a newer server
    }
  });
}

/** @param {import('./live.js').LiveSignal} signalFrame @param {number} [now] */
export function applySignal({ t, d, channel_id: channelId }, now = Date.now()) {
  if (t === 'presence') presences.value = new Map(presences.value).set(d.user_id, d.status);
  if (t === 'typing' && channelId && d.user_id !== me.value?.id) setTyping(channelId, d.user_id, now + TYPING_MS);
}

/** Forgets typing signals that ran out. @param {number} [now] */
export function expireTyping(now = Date.now()) {
  const kept = new Map();
  let changed = false;
  for (const [channelId, people] of typing.value) {
    const left = new Map([...people].filter(([, until]) => until > now));
    changed ||= left.size !== people.size;
    if (left.size) kept.set(channelId, left);
  }
  if (changed) typing.value = kept;
}

/** @param {string} channelId @param {string} userId @param {number} until 0 ends it */
function setTyping(channelId, userId, until) {
  const people = new Map(typing.value.get(channelId));
  if (until) people.set(userId, until);
  else people.delete(userId);
  typing.value = new Map(typing.value).set(channelId, people);
}

/** A message is here, by whatever way it came. @param {Message} message */
export function receive(message) {
  const channel = channels.value.get(message.channel_id);
  meet([message.sender]);
  if (typing.value.get(message.channel_id)?.has(message.sender_id)) setTyping(message.channel_id, message.sender_id, 0);
  if (timelines.value.has(message.channel_id)) changeTimeline(message.channel_id, (timeline) => withMessage(timeline, message));
  if (message.parent_id) changeThread(message.parent_id, (timeline) => withMessage(timeline, message));
  // Only what I may read is delivered: an unknown channel is one that I was just added to.
  if (!channel) channelWanted.value = message.channel_id;
  if (!channel || message.seq <= channel.last_seq) return;
  putChannel({ id: channel.id, last_seq: message.seq, ...countUnread(channel, message) });
}

/** @param {Channel} channel @param {Message} message @returns {Partial<Channel>} */
function countUnread(channel, message) {
  const mine = message.sender_id === me.value?.id;
  if (mine) return { unread_count: 0, mention_count: 0 };
  if (viewing.value.channelId === channel.id && viewing.value.atEnd) return {};
  const mentioned = message.mentions?.includes(me.value?.id) ? 1 : 0;
  return { unread_count: (channel.unread_count ?? 0) + 1, mention_count: (channel.mention_count ?? 0) + mentioned };
}

/** @param {{message_id:string, channel_id:string, user_id:string, code:string}} reaction @param {boolean} present */
export function react(reaction, present) {
  changeEverywhere(reaction.channel_id, (timeline) => withChanged(timeline, reaction.message_id,
    (message) => withReaction(message, reaction.code, reaction.user_id, present)));
}

/** @param {Channel} channel */
function channelChanged(channel) {
  // The event is one for all members: it says nothing about what I have read, and not always what I am.
  const { read_seq: _read, unread_count: _unread, mention_count: _mentions, role, ...shared } = channel;
  const known = channels.value.get(channel.id);
  if (!known && !role) return;
  putChannel({ ...(known ? {} : { role, read_seq: 0, unread_count: 0, mention_count: 0 }), ...shared, last_seq: Math.max(channel.last_seq ?? 0, known?.last_seq ?? 0) });
}

/** @param {{channel_id:string, user:UserRef, role:string}} d */
function joined(d) {
  meet([d.user]);
  countMembers(d.channel_id, 1);
  if (d.user.id === me.value?.id && !channels.value.has(d.channel_id)) channelWanted.value = d.channel_id;
  const list = members.value.get(d.channel_id);
  if (list && !list.some((member) => member.user.id === d.user.id)) members.value = new Map(members.value).set(d.channel_id, [...list, { user: d.user, role: d.role }]);
}

/** @param {{channel_id:string, user_id:string}} d */
function left(d) {
  if (d.user_id === me.value?.id) return dropChannel(d.channel_id);
  countMembers(d.channel_id, -1);
  const list = members.value.get(d.channel_id);
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
=======
}

/**
 * Applies one event of the gateway. Positions are checked by live.js; every branch also tolerates what it has seen already.
 * @param {import('./live.js').LiveEvent} event
 */
export function applyEvent({ t, d, channel_id: channelId }) {
  batch(() => {
    switch (t) {
      case 'new_message': return receive(d);
      case 'message_update': return changeEverywhere(d.channel_id, (timeline) => withUpdate(timeline, d));
      case 'message_delete': return changeEverywhere(d.channel_id, (timeline) => withoutMessage(timeline, d.id, d.deleted_at));
      case 'reaction_added': return react(d, true);
      case 'reaction_removed': return react(d, false);
      case 'channel_created':
      case 'channel_update': return channelChanged(d);
      case 'channel_deleted': return dropChannel(d.id);
      case 'member_joined': return joined(d);
      case 'member_left': return left(d);
      case 'role_updated': return d.user_id === me.value?.id && channels.value.has(d.channel_id) ? putChannel({ id: d.channel_id, role: d.role }) : undefined;
      case 'read_updated': return readElsewhere(d.channel_id ?? channelId, d);
      case 'user_updated': return userChanged(d);
      case 'notification': inbox.value = withNews(inbox.value, d); return undefined;
      case 'command_result': return changeTimeline(d.channel_id ?? channelId, (timeline) => withNote(timeline, noteOf(timeline, d.command, d.content)));
      default: return undefined; // an event of a newer server
    }
  });
}

/** @param {import('./live.js').LiveSignal} signalFrame @param {number} [now] */
export function applySignal({ t, d, channel_id: channelId }, now = Date.now()) {
  if (t === 'presence') presences.value = new Map(presences.value).set(d.user_id, d.status);
  if (t === 'typing' && channelId && d.user_id !== me.value?.id) setTyping(channelId, d.user_id, now + TYPING_MS);
}

/** Forgets typing signals that ran out. @param {number} [now] */
export function expireTyping(now = Date.now()) {
  const kept = new Map();
  let changed = false;
  for (const [channelId, people] of typing.value) {
    const left = new Map([...people].filter(([, until]) => until > now));
    changed ||= left.size !== people.size;
    if (left.size) kept.set(channelId, left);
  }
  if (changed) typing.value = kept;
}

/** @param {string} channelId @param {string} userId @param {number} until 0 ends it */
function setTyping(channelId, userId, until) {
  const people = new Map(typing.value.get(channelId));
  if (until) people.set(userId, until);
  else people.delete(userId);
  typing.value = new Map(typing.value).set(channelId, people);
}

/** A message is here, by whatever way it came. @param {Message} message */
export function receive(message) {
  const channel = channels.value.get(message.channel_id);
  meet([message.sender]);
  if (typing.value.get(message.channel_id)?.has(message.sender_id)) setTyping(message.channel_id, message.sender_id, 0);
  if (timelines.value.has(message.channel_id)) changeTimeline(message.channel_id, (timeline) => withMessage(timeline, message));
  if (message.parent_id) changeThread(message.parent_id, (timeline) => withMessage(timeline, message));
  // Only what I may read is delivered: an unknown channel is one that I was just added to.
  if (!channel) channelWanted.value = message.channel_id;
  if (!channel || message.seq <= channel.last_seq) return;
  putChannel({ id: channel.id, last_seq: message.seq, ...countUnread(channel, message) });
}

/** @param {Channel} channel @param {Message} message @returns {Partial<Channel>} */
function countUnread(channel, message) {
  const mine = message.sender_id === me.value?.id;
  if (mine) return { unread_count: 0, mention_count: 0 };
  if (viewing.value.channelId === channel.id && viewing.value.atEnd) return {};
  const mentioned = message.mentions?.includes(me.value?.id) ? 1 : 0;
  return { unread_count: (channel.unread_count ?? 0) + 1, mention_count: (channel.mention_count ?? 0) + mentioned };
}

/** @param {{message_id:string, channel_id:string, user_id:string, code:string}} reaction @param {boolean} present */
export function react(reaction, present) {
  changeEverywhere(reaction.channel_id, (timeline) => withChanged(timeline, reaction.message_id,
    (message) => withReaction(message, reaction.code, reaction.user_id, present)));
}

/** @param {Channel} channel */
function channelChanged(channel) {
  // The event is one for all members: it says nothing about what I have read, and not always what I am.
  const { read_seq: _read, unread_count: _unread, mention_count: _mentions, role, ...shared } = channel;
  const known = channels.value.get(channel.id);
  if (!known && !role) return;
  putChannel({ ...(known ? {} : { role, read_seq: 0, unread_count: 0, mention_count: 0 }), ...shared, last_seq: Math.max(channel.last_seq ?? 0, known?.last_seq ?? 0) });
}

/** @param {{channel_id:string, user:UserRef, role:string}} d */
function joined(d) {
  meet([d.user]);
  countMembers(d.channel_id, 1);
  if (d.user.id === me.value?.id && !channels.value.has(d.channel_id)) channelWanted.value = d.channel_id;
  const list = members.value.get(d.channel_id);
  if (list && !list.some((member) => member.user.id === d.user.id)) members.value = new Map(members.value).set(d.channel_id, [...list, { user: d.user, role: d.role }]);
}

/** @param {{channel_id:string, user_id:string}} d */
function left(d) {
  if (d.user_id === me.value?.id) return dropChannel(d.channel_id);
  countMembers(d.channel_id, -1);
  const list = members.value.get(d.channel_id);
  if (list) members.value = new Map(members.value).set(d.channel_id, list.filter((member) => member.user.id !== d.user_id));
  return undefined;
}

/** @param {string} channelId @param {number} change */
function countMembers(channelId, change) {
  const channel = channels.value.get(channelId);
  if (channel) putChannel({ id: channelId, member_count: Math.max(0, channel.member_count + change) });
}

/**
 * What another device of mine has read, or made unread again. The other one of two is heard too: that is not my own reading.
 * @param {string} channelId @param {{user_id?:string, seq:number, unread_count?:number, mention_count?:number}} d
 */
function readElsewhere(channelId, d) {
  if (d.user_id && d.user_id !== me.value?.id) return undefined;
  if (d.unread_count === undefined) return markedRead(channelId, d.seq);
  if (channels.value.has(channelId)) putChannel({ id: channelId, read_seq: d.seq, unread_count: d.unread_count, mention_count: d.mention_count ?? 0 });
  return undefined;
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
>>>>>>> messages
}

/** What I am now: what an answer lacks was taken away, what only the own account has stays. @param {any} account */
export function ownAccount(account) {
  return { ...me.value, full_name: null, picture_url: null, ...account };
}

/** @param {Timeline} timeline @param {string} command @param {string} content */
export function noteOf(timeline, command, content) {
  const now = new Date().toISOString();
  return { id: `note-${now}-${timeline.notes.length}`, after_seq: timeline.items.at(-1)?.seq ?? 0, command, content: content ?? '', created_at: now };
}

/** Forgets everything about the person who signed out. */
export function forget() {
  batch(() => {
    me.value = null;
    myStatus.value = null;
    inbox.value = emptyInbox();
    channelsLoaded.value = false;
    thread.value = null;
    for (const map of [channels, users, members, presences, statuses, typing, timelines, threads, quotes, seenUpTo]) map.value = new Map();
    bookmarks.value = new Set();
    commands.value = [];
    customReactions.value = [];
    viewing.value = { channelId: '', atEnd: true };
  });
}
