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
 *   archived_at?:string|null, starred?:boolean, muted?:boolean, notification_level?:string, owner_id?:string|null, people?:UserRef[]}} Channel
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
/** Channel id to those who talk there. */
export const voiceRooms = signal(/** @type {Map<string, import('./voice/link.js').Participant[]>} */ (new Map()));
export const connection = signal(/** @type {import('./live.js').Connection} */ ({ status: 'connecting', retryAt: 0, reason: '' }));
export const timelines = signal(/** @type {Map<string, Timeline>} */ (new Map()));
export const thread = signal(/** @type {Thread|null} */ (null));
/** The list of commands has come. */
export const commandsLoaded = signal(false);
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

/** What a channel may be without: the server leaves it out, and so it is taken away here. */
const WITHOUT = { topic: '', description: '', archived_at: null, retention_days: null };

/** A whole channel, or what is new of a known one. @param {Partial<Channel> & {id:string, created_at?:string}} channel */
export function putChannel(channel) {
  const known = channels.value.get(channel.id);
  const whole = channel.kind && channel.created_at;
  channels.value = new Map(channels.value).set(channel.id, /** @type {Channel} */ ({ ...known, ...(whole ? WITHOUT : {}), ...channel }));
}

/** Forgets everything of a channel that the page holds. @param {string} channelId */
export function dropChannel(channelId) {
  batch(() => {
    channels.value = without(channels.value, channelId);
    timelines.value = without(timelines.value, channelId);
    members.value = without(members.value, channelId);
    seenUpTo.value = without(seenUpTo.value, channelId);
    voiceRooms.value = without(voiceRooms.value, channelId);
    threads.value = new Map([...threads.value].filter(([, followed]) => followed.channel_id !== channelId));
    quotes.value = new Map([...quotes.value].filter(([, quoted]) => quoted.channel_id !== channelId));
    const waiting = inbox.value.waiting.filter((one) => one.channel_id !== channelId);
    inbox.value = { ...inbox.value, waiting, unread: Math.max(0, inbox.value.unread - (inbox.value.waiting.length - waiting.length)) };
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

/** So many dots the server says at once; where more are here it says a part. */
const MOST_PRESENCES = 500;

/**
 * Everyone else is offline, unless more are here than the server says and the others are known already.
 * @param {import('./status.js').Status[]} list of the ready frame, or of the resumed one @param {boolean} [areOthersKnown]
 */
export function setPresences(list, areOthersKnown = false) {
  const isPart = areOthersKnown && list.length >= MOST_PRESENCES;
  const told = new Set(list.map((entry) => entry.user_id));
  const entries = [...(isPart ? [...statuses.value.values()].filter((entry) => !told.has(entry.user_id)) : []), ...list];
  presences.value = new Map([...(isPart ? presences.value : []), ...list.map((entry) => /** @type {[string, any]} */ ([entry.user_id, entry.status]))]);
  statuses.value = new Map(entries.filter(({ text }) => text).map((entry) => [entry.user_id, entry]));
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
    for (const map of [channels, users, members, presences, statuses, typing, timelines, threads, quotes, seenUpTo, voiceRooms]) map.value = new Map();
    bookmarks.value = new Set();
    commands.value = [];
    commandsLoaded.value = false;
    customReactions.value = [];
    viewing.value = { channelId: '', atEnd: true };
  });
}
