/**
 * The window of a channel's messages that the page holds: pure functions from one window to the next.
 *
 * @typedef {{id:string, username:string, full_name?:string, picture_url?:string, is_bot?:boolean}} UserRef
 * @typedef {{code:string, count:number, user_ids:string[]}} Reaction
 * @typedef {{id:string, channel_id:string, seq:number, sender_id:string, sender:UserRef, content:string, html?:string|null, parent_id?:string,
 *   version:number, created_at:string, edited_at?:string, deleted_at?:string, is_bot?:boolean, nonce?:string,
 *   reply_count?:number, last_reply_at?:string|null, last_reply_seq?:number, participants?:string[], pinned_at?:string|null,
 *   mentions_all?:string|null, previews?:any[], quoted?:any, forwarded?:any, is_read?:boolean, reactions?:Reaction[], files?:any[], mentions?:string[]}} Message
 * @typedef {{nonce:string, channel_id:string, parent_id?:string, content:string, file_ids?:string[], quoted?:Message,
 *   created_at:string, state:'sending'|'failed', error?:string, offline?:boolean}} Pending a message of mine the server has not confirmed
 * @typedef {{id:string, after_seq:number, command:string, content:string, created_at:string, whisper?:import('./whispers.js').Whisper}} Note seen by me only; whisper: what a plugin said, which the server keeps
 * @typedef {{items:Message[], pending:Pending[], notes:Note[], reachedStart:boolean, reachedEnd:boolean,
 *   loaded:boolean, loading:''|'page'|'older'|'newer', error:string, retryAt?:number, dividerSeq:number|null, rootId?:string}} Timeline
 *   items ascend by seq; retryAt: what failed is not asked for before, on the clock of the page; dividerSeq: messages above it are new since the channel was opened; rootId: of a thread, which always keeps its root
 */

/** Most messages kept (and so drawn) at once. */
export const WINDOW = 300;
/** Most private notes kept in one channel. */
const MAX_NOTES = 50;

/** Whether a message means this person: by name, or with everybody. @param {Message} message @param {string|undefined} userId */
export function isMentioned(message, userId) {
  return Boolean(message.mentions?.includes(userId ?? '') || (message.mentions_all && message.sender_id !== userId));
}

/** @returns {Timeline} */
export function emptyTimeline() {
  return { items: [], pending: [], notes: [], reachedStart: false, reachedEnd: true, loaded: false, loading: '', error: '', dividerSeq: null };
}

/**
 * Union by id, ascending by seq; of two copies the one with the higher version wins.
 * @param {Message[]} current @param {Message[]} incoming
 */
export function mergeMessages(current, incoming) {
  const byId = new Map(current.map((message) => [message.id, message]));
  for (const message of incoming) {
    const known = byId.get(message.id);
    if (!known || isNewer(message, known)) byId.set(message.id, message);
  }
  return [...byId.values()].sort((left, right) => left.seq - right.seq);
}

/** @param {Message} candidate @param {Message} known */
function isNewer(candidate, known) {
  return (candidate.version ?? 0) >= (known.version ?? 0);
}

/**
 * A page fetched from the server joins the window. `side` says where it was asked for; the window gives way on the other side.
 * @param {Timeline} timeline
 * @param {{items:Message[], has_more?:boolean}} page
 * @param {'latest'|'older'|'newer'} side
 * @returns {Timeline}
 */
export function withPage(timeline, page, side) {
  const items = mergeMessages(timeline.items, page.items);
  const next = { ...timeline, items, loaded: true, loading: /** @type {''} */ (''), error: '' };
  const more = page.has_more ?? page.items.length > 0;
  if (side === 'newer') next.reachedEnd = !more;
  else next.reachedStart = !more;
  if (side === 'latest') next.reachedEnd = true;
  next.pending = unsettled(next.pending, page.items);
  return trimmed(next, side === 'older' ? 'end' : 'start');
}

/**
 * A page around one message replaces the window, since nothing says it touches what was there.
 * @param {Timeline} timeline @param {{items:Message[], has_more?:boolean}} page @param {number} lastSeq newest seq of the channel
 * @returns {Timeline}
 */
export function aroundPage(timeline, page, lastSeq) {
  const newest = page.items.at(-1)?.seq ?? 0;
  const oldest = page.items[0]?.seq ?? 0;
  return { ...timeline, items: page.items, loaded: true, loading: '', error: '', reachedStart: oldest <= 1, reachedEnd: newest >= lastSeq };
}

/** @param {Timeline} timeline @param {'start'|'end'} giveWay @returns {Timeline} */
function trimmed(timeline, giveWay) {
  if (timeline.items.length <= WINDOW) return timeline;
  if (giveWay === 'end') return { ...timeline, items: timeline.items.slice(0, WINDOW), reachedEnd: false };
  const kept = timeline.items.slice(-WINDOW);
  const root = timeline.items.find((message) => message.id === timeline.rootId);
  return { ...timeline, items: root && !kept.includes(root) ? [root, ...kept.slice(1)] : kept, reachedStart: false };
}

/**
 * Whether a page that was asked for beyond an edge of the window still lies beside it: the window may have been replaced or cut since.
 * @param {Timeline} timeline @param {{before_seq?:number, after_seq?:number}} query
 */
export function touches({ items }, { before_seq: before, after_seq: after }) {
  return before === undefined ? items.at(-1)?.seq === after : items[0]?.seq === before;
}

/** What is kept of a channel that is left: drawing the whole window again would make coming back slow. */
const KEPT = 50;

/** @param {Timeline} timeline @returns {Timeline} */
export function newestPage(timeline) {
  if (!timeline.reachedEnd || timeline.items.length <= KEPT) return timeline;
  return { ...timeline, items: timeline.items.slice(-KEPT), reachedStart: false };
}

/** @param {Pending[]} pending @param {Message[]} arrived */
function unsettled(pending, arrived) {
  const nonces = new Set(arrived.map((message) => message.nonce).filter(Boolean));
  return nonces.size ? pending.filter((message) => !nonces.has(message.nonce)) : pending;
}

/**
 * A message arrived, by event, by acknowledgement or by REST: in any order, any number of times, it is there once.
 * @param {Timeline} timeline @param {Message} message
 * @returns {Timeline}
 */
export function withMessage(timeline, message) {
  const pending = unsettled(timeline.pending, [message]);
  if (timeline.items.some((known) => known.id === message.id)) return { ...timeline, pending, items: mergeMessages(timeline.items, [message]) };
  const counted = message.parent_id ? withReplyOf(timeline, message) : timeline.items;
  // The window ends in the past: adding the newest would leave a hole between.
  if (!timeline.reachedEnd) return { ...timeline, pending, items: counted };
  return trimmed({ ...timeline, pending, items: mergeMessages(counted, [message]) }, 'start');
}

/** Most people named in the summary of a thread. */
const MAX_PARTICIPANTS = 5;

/** @param {Timeline} timeline @param {Message} reply */
function withReplyOf({ items, reachedEnd }, reply) {
  return items.map((item) => {
    // Where the window lacks it nothing else tells that it came before, by its event or its acknowledgement.
    if (item.id !== reply.parent_id || (!reachedEnd && reply.seq <= (item.last_reply_seq ?? 0))) return item;
    const known = item.participants ?? [];
    const participants = known.includes(reply.sender_id) || known.length >= MAX_PARTICIPANTS ? known : [...known, reply.sender_id];
    return { ...item, reply_count: (item.reply_count ?? 0) + 1, last_reply_at: reply.created_at, last_reply_seq: reply.seq, participants };
  });
}

/** @param {Message[]} items @param {string} rootId */
function withoutReply(items, rootId) {
  return items.map((item) => (item.id === rootId ? { ...item, reply_count: Math.max(0, (item.reply_count ?? 0) - 1) } : item));
}

/** What is left of a deleted message. */
export const ERASED = { content: '', html: null, quoted: null, forwarded: null, pinned_at: null, reactions: [], files: [], previews: [] };

/**
 * A later version of a message we may hold. An older version that overtook it is ignored.
 * @param {Timeline} timeline @param {Message} message
 * @returns {Timeline}
 */
export function withUpdate(timeline, message) {
  return { ...timeline, items: timeline.items.map((known) => (known.id === message.id && isNewer(message, known) ? { ...known, ...message } : known)) };
}

/** @param {Timeline} timeline @param {string} id @param {string} [deletedAt] @returns {Timeline} */
export function withoutMessage(timeline, id, deletedAt = new Date().toISOString()) {
  const gone = timeline.items.find((known) => known.id === id);
  if (!gone || gone.deleted_at) return timeline;
  const items = timeline.items.map((known) => (known.id === id ? { ...known, ...ERASED, deleted_at: deletedAt } : known));
  return { ...timeline, items: gone.parent_id ? withoutReply(items, gone.parent_id) : items };
}

/**
 * Sets whether one person's reaction is there. Saying it twice changes nothing, so the optimistic click and its event merge.
 * @param {Message} message @param {string} code @param {string} userId @param {boolean} present
 * @returns {Message}
 */
export function withReaction(message, code, userId, present) {
  const reactions = message.reactions ?? [];
  const known = reactions.find((reaction) => reaction.code === code);
  const listed = known?.user_ids.includes(userId) ?? false;
  if (listed === present) return message;
  if (!known) return { ...message, reactions: [...reactions, { code, count: 1, user_ids: [userId] }] };
  const changed = present
    ? { code, count: known.count + 1, user_ids: [...known.user_ids, userId] }
    : { code, count: known.count - 1, user_ids: known.user_ids.filter((id) => id !== userId) };
  return { ...message, reactions: reactions.map((reaction) => (reaction.code === code ? changed : reaction)).filter((reaction) => reaction.count > 0) };
}

/** @param {Timeline} timeline @param {string} messageId @param {(message:Message)=>Message} change @returns {Timeline} */
export function withChanged(timeline, messageId, change) {
  if (!timeline.items.some((message) => message.id === messageId)) return timeline;
  return { ...timeline, items: timeline.items.map((message) => (message.id === messageId ? change(message) : message)) };
}

/** @param {Timeline} timeline @param {Pending} pending @returns {Timeline} */
export function withPending(timeline, pending) {
  const isKnown = timeline.pending.some((known) => known.nonce === pending.nonce);
  return { ...timeline, pending: isKnown ? timeline.pending.map((known) => (known.nonce === pending.nonce ? pending : known)) : [...timeline.pending, pending] };
}

/** @param {Timeline} timeline @param {string} nonce @returns {Timeline} */
export function withoutPending(timeline, nonce) {
  return { ...timeline, pending: timeline.pending.filter((known) => known.nonce !== nonce) };
}

/**
 * The same answer to the same command within seconds is one note: the key was pressed twice.
 * @param {Timeline} timeline @param {Note} note
 * @returns {Timeline}
 */
export function withNote(timeline, note) {
  const near = (/** @type {Note} */ known) => Math.abs(Date.parse(known.created_at) - Date.parse(note.created_at)) < 10_000;
  if (timeline.notes.some((known) => known.content === note.content && known.command === note.command && near(known))) return timeline;
  return { ...timeline, notes: [...timeline.notes, note].slice(-MAX_NOTES) };
}
