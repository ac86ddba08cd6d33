/** What waits for my attention: how much, and which of it was seen where it stands. */

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
  const waiting = items.map(({ id, kind, channel_id: place, message }) => ({ id, kind, channel_id: place ?? message?.channel_id ?? '', message_id: message?.id ?? '', reply: Boolean(message?.parent_id) }));
  return { ...inbox, unread, waiting };
}

/** Some were read, or all. @param {Inbox} inbox @param {string[]|null} ids @returns {Inbox} */
export function withRead(inbox, ids) {
  const gone = new Set(ids ?? inbox.waiting.map(({ id }) => id));
  const waiting = inbox.waiting.filter(({ id }) => !gone.has(id));
  const unread = ids ? Math.max(0, inbox.unread - [...gone].filter((id) => !inbox.read.has(id)).length) : 0;
  return { ...inbox, unread, waiting, read: new Set([...inbox.read, ...gone]) };
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
  // What somebody asked to be reminded of was seen before; it is not done because it stands on screen.
  return waiting.filter((one) => one.kind !== 'reminder' && (inThread.has(one.message_id) || (channelId !== '' && one.channel_id === channelId && !isReply(one)))).map(({ id }) => id);
}

/** A list, with its newest page fetched again. @param {any[]} known @param {any[]} newest @returns {any[]} */
export function mergedNotifications(known, newest) {
  const fresh = new Set(newest.map(({ id }) => id));
  return [...newest, ...known.filter(({ id }) => !fresh.has(id))];
}

/** Why I am told, after the name of who did it. @param {string} kind */
export function reasonText(kind) {
  return /** @type {Record<string,string>} */ ({ mention: 'mentioned you', direct_message: 'wrote to you', thread_reply: 'answered in a thread of yours' })[kind] ?? 'wrote';
}
