/** What waits for my attention: how much, and which of it was seen where it stands. */
import { t } from './words.js';


/**
 * @typedef {{id:string, kind:string, channel_id:string, message_id:string, reply?:boolean}} Waiting reply: stands in a thread, if that is known
 * @typedef {{unread:number, arrivals:number, waiting:Waiting[], read:Set<string>}} Inbox
 *   arrivals: grows with each that comes; waiting: the newest unread ones; read: those that became so while the page is open
 */

/** @returns {Inbox} */
export function emptyInbox() {
  return { unread: 0, arrivals: 0, waiting: [], read: new Set() };
}

/** One more, told by the gateway. @param {Inbox} inbox @param {Waiting} news @returns {Inbox} */
export function withNews(inbox, news) {
  if (inbox.read.has(news.id) || inbox.waiting.some(({ id }) => id === news.id)) return inbox;
  return { ...inbox, unread: inbox.unread + 1, arrivals: inbox.arrivals + 1, waiting: [news, ...inbox.waiting] };
}

/** As the server counts it. @param {Inbox} inbox @param {{items:any[], unread_count:number}} page the unread ones @returns {Inbox} */
export function withPage(inbox, { items, unread_count: unread }) {
  // A reminder may be about no message: it is seen in the inbox only.
  const waiting = items.map(({ id, kind, message }) => ({ id, kind, channel_id: message?.channel_id ?? '', message_id: message?.id ?? '', reply: Boolean(message?.parent_id) }));
  return { ...inbox, unread, waiting };
}

/** Some were read, or all. @param {Inbox} inbox @param {string[]|null} ids @returns {Inbox} */
export function withRead(inbox, ids) {
  const gone = new Set(ids ?? inbox.waiting.map(({ id }) => id));
  const waiting = inbox.waiting.filter(({ id }) => !gone.has(id));
  const unread = ids ? Math.max(0, inbox.unread - [...gone].filter((id) => !inbox.read.has(id)).length) : 0;
  return { ...inbox, unread, waiting, read: new Set([...inbox.read, ...gone]) };
}

/** Some were read on another device, or all; the server's count is the one that holds. @param {Inbox} inbox @param {{ids?:string[]|null, unread_count?:number}} news @returns {Inbox} */
export function withReadElsewhere(inbox, { ids = null, unread_count: unread }) {
  const next = withRead(inbox, ids);
  // Grows like an arrival, so that an open list asks again which are read.
  return { ...next, unread: unread ?? next.unread, arrivals: next.arrivals + 1 };
}

/**
 * Which of them are on screen. Replies stand in their threads, everything else in its channel.
 * @param {Waiting[]} waiting
 * @param {{channelId:string, replies:Set<string>, inThread:Set<string>}} screen channelId: the channel whose end is in view, or ''; replies: its
 *   messages that are replies; inThread: the messages of the open thread
 * @returns {string[]}
 */
export function seenOnScreen(waiting, { channelId, replies, inThread }) {
  const isReply = (/** @type {Waiting} */ one) => one.kind === 'thread_reply' || (one.reply ?? replies.has(one.message_id));
  // What I wanted to be reminded of has been seen before: only the inbox settles it.
  return waiting.filter((one) => one.kind !== 'reminder' && (inThread.has(one.message_id) || (channelId !== '' && one.channel_id === channelId && !isReply(one)))).map(({ id }) => id);
}

/** A list, with its newest page fetched again. @param {any[]} known @param {any[]} newest @returns {any[]} */
export function mergedNotifications(known, newest) {
  const fresh = new Set(newest.map(({ id }) => id));
  return [...newest, ...known.filter(({ id }) => !fresh.has(id))];
}

const REASONS = /** @type {Record<string,string>} */ ({
  mention: t('mentioned_you'), direct_message: t('wrote_to_you'), thread_reply: t('answered_thread'), keyword: t('used_keyword'), channel_message: t('wrote'), reminder: t('wanted_reminder'),
});

/** Why I am told, after the name of who did it. @param {string} kind */
export function reasonText(kind) {
  return REASONS[kind] ?? t('wrote');
}

/** Whether somebody meant me, by name or with everybody. @param {{kind:string}} notification */
export function meansMe({ kind }) {
  return kind === 'mention';
}

/** @param {number} count the server counts to a thousand */
export function countText(count) {
  return count > 99 ? '99+' : String(count);
}
