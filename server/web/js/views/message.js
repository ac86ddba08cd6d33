/** One message with everything one can do to it. */
import { fullText, timeText } from '../clock.js';
import { cleanName } from '../clean.js';
import { citedSeq, editing, showThread } from '../layout.js';
import { markUnread } from '../marks.js';
import { quote, toggleBookmark, togglePin } from '../message_actions.js';
import { personName } from '../names.js';
import { me, thread } from '../store.js';
import { isMentioned } from '../timeline.js';
import { t } from '../words.js';
import { Attachments } from './attachments.js';
import { Avatar, PersonName } from './avatar.js';
import { html, useLayoutEffect, useRef, useState } from './html.js';
import { lazy } from './lazy.js';
import { MessageText } from './message_text.js';
import { Forwarded, Marks, Quoted } from './quotation.js';
import { Previews } from './previews.js';
import { pickReaction, Reactions } from './reactions.js';
import { ThreadSummary } from './thread_summary.js';
import { Time } from './time.js';

/** @typedef {import('../timeline.js').Message} MessageData */

export const Editor = lazy(() => import('./message_editor.js'), 'MessageEditor', { wordless: true, inChannel: true, class: 'editor' });
export const MessageTools = lazy(() => import('./message_tools.js'), 'MessageTools', { quiet: true, inChannel: true });
const Buttons = lazy(() => import('./buttons.js'), 'Buttons', { quiet: true, inChannel: true });

/** Messages by element id, for the keyboard. @type {WeakMap<Element, {message:MessageData, canWrite:boolean}>} */
const drawn = new WeakMap();

/**
 * @param {{message:MessageData, continued?:boolean, marked?:boolean, canWrite:boolean, inThread?:boolean}} props
 */
export function Message({ message, continued = false, marked = false, canWrite, inThread = false }) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  useLayoutEffect(() => { if (element.current) drawn.set(element.current, { message, canWrite }); }, [message, canWrite]);
  // Nobody sees the tools of a message before they come near it, and those of fifty are most of what a channel would draw.
  const [near, setNear] = useState(false);
  const approach = () => setNear(true);
  // The root of an open thread is what was opened, which its channel marks already.
  const mentioned = isMentioned(message, me.value?.id) && !(inThread && !message.parent_id);
  const open = !inThread && thread.value?.rootId === message.id;
  const state = [continued && 'cont', mentioned && 'is-mention', marked && (citedSeq.value === message.seq ? 'is-cited' : 'is-marked'), open && 'is-thread-open'].filter(Boolean).join(' ');
  const time = html`<${Time} at=${message.created_at} text=${timeText} />`;
  return html`<article class=${`msg ${state}`} ref=${element} tabindex="-1" data-id=${message.id} data-seq=${message.seq} onPointerEnter=${approach} onFocusIn=${approach}
      aria-label=${`${cleanName(personName(message.sender))}, ${timeText(message.created_at)}${mentioned ? t('mentions_you') : ''}`}>
    ${continued ? html`<span class="gut">${time}</span>` : html`<${Avatar} user=${message.sender} />`}
    <div class="msg-in">
      <${Marks} message=${message} />
      ${!continued && html`<div class="hd"><${PersonName} user=${message.sender} class="by" />${(message.is_bot || message.sender?.is_bot) && html`<span class="tag">${t('app')}</span>`}${time}</div>`}
      <${Quoted} message=${message} />
      <${Content} message=${message} />
      ${!message.deleted_at && (message.blocks?.length ?? 0) > 0 && html`<${Buttons} ownerId=${message.id} blocks=${message.blocks} />`}
      <${Forwarded} message=${message} />
      <${Attachments} message=${message} />
      <${Previews} message=${message} />
      <${Reactions} message=${message} canWrite=${canWrite} />
      ${!inThread && (message.reply_count ?? 0) > 0 && html`<${ThreadSummary} message=${message} />`}
    </div>
    ${near && !message.deleted_at && html`<${MessageTools} message=${message} canWrite=${canWrite} inThread=${inThread} />`}
  </article>`;
}

/** @param {{message:MessageData}} props */
function Content({ message }) {
  if (message.deleted_at) return html`<div class="body gone">${t('this_message_was_deleted')}</div>`;
  if (editing.value === message.id) return html`<${Editor} message=${message} />`;
  return html`<div class="body"><${MessageText} message=${message} />${message.edited_at && html`<span class="edited" title=${fullText(message.edited_at)}>${t('edited')}</span>`}</div>`;
}

/** @param {KeyboardEvent} event @param {Element} article */
export function onMessageKey(event, article) {
  const found = drawn.get(article);
  if (!found || event.ctrlKey || event.metaKey || event.altKey || found.message.deleted_at) return;
  const { message, canWrite } = found;
  const actions = /** @type {Record<string, (() => void)|false>} */ ({
    t: () => showThread(message),
    r: () => showThread(message),
    e: canWrite && message.sender_id === me.value?.id && (() => { editing.value = message.id; }),
    '+': canWrite && (() => pickReaction(message, article)),
    q: canWrite && (() => quote(message)),
    s: () => void toggleBookmark(message),
    p: canWrite && (() => void togglePin(message)),
    u: canWrite && (() => void markUnread(message)),
  });
  const action = actions[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}
