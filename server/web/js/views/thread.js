import { follow } from '../following.js';
import { closePanel } from '../layout.js';
import { attempt } from '../notices.js';
import { channels, thread, threads } from '../store.js';
import { html, useEffect, useRef, useState } from './html.js';
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
  const count = (open?.timeline.items.length ?? 0) + (open?.timeline.pending.length ?? 0);
  useEffect(() => { if (scroll.current) scroll.current.scrollTop = scroll.current.scrollHeight; }, [open?.rootId, count]);
  const newFrom = useFirstUnread(open?.rootId ?? '');
  if (!open) return null;
  const channel = channels.value.get(open.channelId);
  const { items, pending, loading, error } = open.timeline;
  const root = items.find((message) => message.id === open.rootId);
  const replies = items.filter((message) => message.id !== open.rootId);
  const canWrite = Boolean(channel?.role && !channel.archived_at);
  const following = threads.value.has(open.rootId);
  return html`<aside class="panel" aria-label=${t('thread')}>
    <header class="top"><h2>${t('thread')} <small>${channelLabel({ channel })}</small></h2><span class="acts"><${IconButton} icon="bell" label=${following ? t('you_follow_this_thread_unfollow') : t('follow_this_thread')} pressed=${following} onClick=${() => void attempt(follow(open.rootId, !following))} /><${IconButton} icon="x" label=${t('close_thread')} onClick=${closePanel} /></span></header>
    <div class="scroll flush" ref=${scroll} tabindex="0" role="region" aria-label=${t('thread_messages')}>
      ${root && html`<${Message} message=${root} canWrite=${canWrite} inThread marked=${root.seq === markedSeq.value} />`}
      ${root && html`<div class="count">${replies.length ? t('replies_count', { count: replies.length }) : t('no_replies_yet')}</div>`}
      ${loading && !replies.length && html`<p class="loading">${t('loading')}</p>`}
      ${error && html`<p class="loading" role="alert">${error}</p>`}
      ${replies.map((message, index) => html`${newFrom > 0 && message.seq > newFrom && (replies[index - 1]?.seq ?? 0) <= newFrom && html`<div class="newline" key="new"><span>${t('new_2')}</span></div>`}<${Message} key=${message.id} message=${message} continued=${continues(replies[index - 1] ?? null, message)} canWrite=${canWrite} inThread marked=${message.seq === markedSeq.value} />`)}
      ${pending.map((waiting) => html`<${PendingMessage} key=${waiting.nonce} pending=${waiting} />`)}
    </div>
    ${canWrite && html`<div class="compose"><${Composer} key=${open.rootId} channelId=${open.channelId} parentId=${open.rootId} placeholder=${t('reply')} /><${TypingLine} channelId=${open.channelId} parentId=${open.rootId} /></div>`}
  </aside>`;
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
