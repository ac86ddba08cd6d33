import { follow } from '../following.js';
import { closePanel } from '../layout.js';
import { attempt } from '../notices.js';
import { loadEarlierReplies, openThread } from '../pages.js';
import { channels, thread, threads } from '../store.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { IconButton } from './icon.js';
import { Composer } from './composer.js';
import { continues } from './log.js';
import { Message } from './message.js';
import { PendingMessage } from './pending.js';
import { channelLabel } from './channel_name.js';
import { markedSeq } from '../layout.js';
import { t } from '../channel_words.js';
import { TypingLine } from './typing.js';

/** The right pane with one message and its replies. */
export function ThreadPane() {
  const open = thread.value;
  const scroll = useRef(/** @type {HTMLElement|null} */ (null));
  useNewestInView(scroll, open);
  const newFrom = useFirstUnread(open?.rootId ?? '');
  if (!open) return null;
  const channel = channels.value.get(open.channelId);
  const { items, pending, loading, error, reachedStart, reachedEnd } = open.timeline;
  const root = items.find((message) => message.id === open.rootId);
  const replies = items.filter((message) => message.id !== open.rootId);
  const canWrite = Boolean(channel?.role && !channel.archived_at);
  const following = threads.value.has(open.rootId);
  return html`<aside class="panel" aria-label=${t('thread')}>
    <header class="top"><h2>${t('thread')} <small>${channelLabel({ channel })}</small></h2><span class="acts"><${IconButton} icon="bell" label=${following ? t('you_follow_this_thread_unfollow') : t('follow_this_thread')} pressed=${following} onClick=${() => void attempt(follow(open.rootId, !following))} /><${IconButton} icon="x" label=${t('close_thread')} onClick=${closePanel} /></span></header>
    <div class="scroll flush" ref=${scroll} tabindex="0" role="region" aria-label=${t('thread_messages')}>
      ${root && html`<${Message} message=${root} canWrite=${canWrite} inThread marked=${root.seq === markedSeq.value} />`}
      ${root && html`<div class="count">${replies.length ? t('replies_count', { count: reachedStart && reachedEnd ? replies.length : Math.max(root.reply_count ?? 0, replies.length) }) : t('no_replies_yet')}</div>`}
      ${replies.length > 0 && !reachedStart && html`<p class="loading">${loading === 'older' ? t('loading') : html`<button class="inline-link" onClick=${() => void loadEarlierReplies(open.rootId, open.channelId)}>${t('earlier_replies')}</button>`}</p>`}
      ${loading && !replies.length && html`<p class="loading">${t('loading')}</p>`}
      ${error && html`<p class="loading" role="alert">${error}</p>`}
      ${replies.map((message, index) => html`${newFrom > 0 && message.seq > newFrom && (replies[index - 1]?.seq ?? 0) <= newFrom && html`<div class="newline" key="new"><span>${t('new_2')}</span></div>`}<${Message} key=${message.id} message=${message} continued=${continues(replies[index - 1] ?? null, message)} canWrite=${canWrite} inThread marked=${message.seq === markedSeq.value} />`)}
      ${!reachedEnd && html`<p class="loading"><button class="inline-link" onClick=${() => void openThread(open.rootId, open.channelId)}>${t('jump_to_newest')}</button></p>`}
      ${pending.map((waiting) => html`<${PendingMessage} key=${waiting.nonce} pending=${waiting} />`)}
    </div>
    ${canWrite && html`<div class="compose"><${Composer} key=${open.rootId} channelId=${open.channelId} parentId=${open.rootId} placeholder=${t('reply')} /><${TypingLine} channelId=${open.channelId} parentId=${open.rootId} /></div>`}
  </aside>`;
}

/**
 * The newest reply is in view when the thread opens, and when one comes or is written; what comes above it leaves the reader where they are.
 * @param {{current:HTMLElement|null}} scroll @param {import('../store.js').Thread|null} open
 */
function useNewestInView(scroll, open) {
  const last = open?.timeline.reachedEnd ? open.timeline.items.at(-1)?.id : '';
  const waiting = open?.timeline.pending.length ?? 0;
  const height = useRef(0);
  const first = open?.timeline.items[1]?.id;
  useLayoutEffect(() => {
    const { current: box } = scroll;
    if (box && height.current) box.scrollTop += box.scrollHeight - height.current;
  }, [first]);
  useEffect(() => {
    // Who reads back stays there, also when the newest have given way.
    if (scroll.current && (last || waiting)) scroll.current.scrollTop = scroll.current.scrollHeight;
    // Who writes while reading old replies wants to see what was written.
    if (open && waiting && !open.timeline.reachedEnd) void openThread(open.rootId, open.channelId);
  }, [open?.rootId, last, waiting]);
  useEffect(() => { height.current = scroll.current?.scrollHeight ?? 0; });
}

/** Up to where the thread had been read when it was opened; 0 when nothing in it was new. @param {string} rootId */
function useFirstUnread(rootId) {
  const [from, setFrom] = useState(0);
  useEffect(() => {
    const known = threads.value.get(rootId);
    setFrom(known && known.unread_count > 0 ? known.read_seq : 0);
  }, [rootId]);
  return from;
}
