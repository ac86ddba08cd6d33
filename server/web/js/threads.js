/** The threads I follow, as the server lists them and as events change them: pure functions from one list to the next. */

import { isMentioned } from './timeline.js';

/**
 * @typedef {import('./timeline.js').Message} Message
 * @typedef {{message:Message, channel_id:string, read_seq:number, unread_count:number, mention_count:number, last_reply_at?:string|null}} Followed
 *   message: the root
 * @typedef {Map<string, Followed>} Threads by the root's id
 * @typedef {{message:Message, read_seq:number, unread_count:number, mention_count:number, active_at?:string}} Entry as the server lists it
 */

/** @param {Threads} threads @param {Entry[]} entries a page of the server's list @returns {Threads} */
export function withFollowed(threads, entries) {
  const next = new Map(threads);
  for (const { message, read_seq, unread_count, mention_count, active_at: active } of entries) {
    next.set(message.id, { message, channel_id: message.channel_id, read_seq, unread_count, mention_count, last_reply_at: active ?? message.last_reply_at ?? null });
  }
  return next;
}

/** A thread was opened: the server says with its messages whether I follow it. @param {Threads} threads @param {Message} root @param {any} answer @returns {Threads} */
export function withOpened(threads, root, answer) {
  if (answer.following) return withFollowed(threads, [{ message: root, ...answer }]);
  return withThreadNews(threads, { message_id: root.id, following: false }).threads;
}

/**
 * A reply arrived. It is unread unless it is mine or being looked at; writing counts as reading what came before.
 * @param {Threads} threads @param {Message} reply @param {{userId:string, inView:boolean}} reader
 * @returns {Threads} the same if the thread is not followed, or the reply is known
 */
export function withReply(threads, reply, { userId, inView }) {
  const known = reply.parent_id ? threads.get(reply.parent_id) : undefined;
  if (!known || reply.seq <= Math.max(known.read_seq, known.message.last_reply_seq ?? 0)) return threads;
  const message = { ...known.message, last_reply_seq: reply.seq, last_reply_at: reply.created_at };
  const changed = { ...known, message, last_reply_at: reply.created_at };
  if (reply.sender_id === userId || inView) return new Map(threads).set(message.id, { ...changed, read_seq: reply.seq, unread_count: 0, mention_count: 0 });
  const mentioned = isMentioned(reply, userId) ? 1 : 0;
  return new Map(threads).set(message.id, { ...changed, unread_count: known.unread_count + 1, mention_count: known.mention_count + mentioned });
}

/** The first message of a thread changed. @param {Threads} threads @param {string} rootId @param {(root:Message)=>Message} change @returns {Threads} */
export function withRoot(threads, rootId, change) {
  const known = threads.get(rootId);
  return known ? new Map(threads).set(rootId, { ...known, message: change(known.message) }) : threads;
}

/**
 * What `thread_updated` says, or a click of mine.
 * @param {Threads} threads @param {{message_id:string, following?:boolean, read_seq?:number|null}} news
 * @returns {{threads:Threads, wanted:boolean}} wanted: the list must be fetched, since the news is about a thread or counts that are not known
 */
export function withThreadNews(threads, { message_id: rootId, following, read_seq: readSeq }) {
  const known = threads.get(rootId);
  if (following === false) {
    if (!known) return { threads, wanted: false };
    const next = new Map(threads);
    next.delete(rootId);
    return { threads: next, wanted: false };
  }
  if (!known) return { threads, wanted: following === true };
  if (!readSeq || readSeq <= known.read_seq) return { threads, wanted: false };
  const all = !known.message.last_reply_seq || readSeq >= known.message.last_reply_seq;
  const changed = { ...known, read_seq: readSeq, ...(all ? { unread_count: 0, mention_count: 0 } : {}) };
  return { threads: new Map(threads).set(rootId, changed), wanted: !all };
}

/** Newest activity first. @param {Threads} threads @returns {Followed[]} */
export function orderedThreads(threads) {
  return [...threads.values()].sort((left, right) => String(right.last_reply_at ?? '').localeCompare(String(left.last_reply_at ?? '')));
}

/** How many of them have something new. @param {Threads} threads */
export function unreadThreads(threads) {
  return [...threads.values()].filter(({ unread_count: unread }) => unread > 0).length;
}
