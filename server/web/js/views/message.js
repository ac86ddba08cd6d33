/** One message with everything one can do to it. */
import { api, download } from '../api.js';
import { fullText, timeText } from '../clock.js';
import { cleanName } from '../format.js';
import { editing, showThread } from '../layout.js';
import { channelPath } from '../router.js';
import { changeEverywhere, me, thread } from '../store.js';
import { withUpdate, withoutMessage } from '../timeline.js';
import { attempt, personName } from '../workspace.js';
import { Avatar, PersonName } from './avatar.js';
import { html, useLayoutEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { pickReaction, Reactions, toggleReaction } from './reactions.js';
import { RenderedText } from './rendered.js';
import { copyText, FormattedText } from './text.js';

/** @typedef {import('../timeline.js').Message} MessageData */

/** Messages by element id, for the keyboard. @type {WeakMap<Element, {message:MessageData, canWrite:boolean}>} */
const drawn = new WeakMap();

/**
 * @param {{message:MessageData, continued?:boolean, marked?:boolean, canWrite:boolean, inThread?:boolean}} props
 */
export function Message({ message, continued = false, marked = false, canWrite, inThread = false }) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  useLayoutEffect(() => { if (element.current) drawn.set(element.current, { message, canWrite }); }, [message, canWrite]);
  const mentioned = message.mentions?.includes(me.value?.id);
  const open = !inThread && thread.value?.rootId === message.id;
  const state = [continued && 'cont', mentioned && 'is-mention', marked && 'is-cited', open && 'is-thread-open'].filter(Boolean).join(' ');
  const time = html`<time datetime=${message.created_at} title=${fullText(message.created_at)}>${timeText(message.created_at)}</time>`;
  return html`<article class=${`msg ${state}`} ref=${element} tabindex="-1" data-id=${message.id} data-seq=${message.seq}
      aria-label=${`${cleanName(personName(message.sender))}, ${timeText(message.created_at)}${mentioned ? ', mentions you' : ''}`}>
    ${continued ? html`<span class="gut">${time}</span>` : html`<${Avatar} user=${message.sender} />`}
    <div class="msg-in">
      ${!continued && html`<div class="hd"><${PersonName} user=${message.sender} class="by" />${(message.is_bot || message.sender?.is_bot) && html`<span class="tag">App</span>`}${time}</div>`}
      <${Content} message=${message} />
      ${message.files?.map((file) => html`<${Attachment} key=${file.id} file=${file} />`)}
      <${Reactions} message=${message} canWrite=${canWrite} />
      ${!inThread && (message.reply_count ?? 0) > 0 && html`<button class="thread" onClick=${() => showThread(message)}><${Icon} name="thread" small /><b>${message.reply_count} ${message.reply_count === 1 ? 'reply' : 'replies'}</b><span class="l">Open thread</span></button>`}
    </div>
    ${!message.deleted_at && html`<${Tools} message=${message} canWrite=${canWrite} inThread=${inThread} />`}
  </article>`;
}

/** @param {{message:MessageData}} props */
function Content({ message }) {
  if (message.deleted_at) return html`<div class="body gone">This message was deleted.</div>`;
  if (editing.value === message.id) return html`<${Editor} message=${message} />`;
  return html`<div class="body"><${Text} message=${message} />${message.edited_at && html`<span class="edited" title=${fullText(message.edited_at)}>(edited)</span>`}</div>`;
}

/** As the server rendered it; by this client's own rules where it did not, as for a server before this. @param {{message:MessageData}} props */
function Text({ message }) {
  return message.html ? html`<${RenderedText} markup=${message.html} />` : html`<${FormattedText} text=${message.content} />`;
}

/** @param {{message:MessageData}} props */
function Editor({ message }) {
  const area = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  const [text, setText] = useState(message.content);
  useLayoutEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(text.length, text.length);
  }, []);
  const close = () => {
    editing.value = '';
    /** @type {HTMLElement|null} */ (document.querySelector(`article[data-id="${CSS.escape(message.id)}"]`))?.focus();
  };
  const save = async () => {
    if (!text.trim() || text === message.content) return close();
    const saved = await attempt(api.edit(message.id, { content: text.trim(), version: message.version }));
    if (!saved) return undefined;
    changeEverywhere(message.channel_id, (timeline) => withUpdate(timeline, saved));
    return close();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      event.preventDefault();
      close();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void save();
    }
  };
  return html`<div class="editor"><textarea ref=${area} aria-label="Edit message" rows=${Math.min(10, text.split('\n').length + 1)} value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${onKeyDown}></textarea>
    <div><button class="btn primary" onClick=${save}>Save</button><button class="btn" onClick=${close}>Cancel</button><span class="help">Enter saves, Esc cancels</span></div></div>`;
}

/** @param {{message:MessageData, canWrite:boolean, inThread:boolean}} props */
function Tools({ message, canWrite, inThread }) {
  const mine = message.sender_id === me.value?.id;
  const quick = (/** @type {string} */ code, /** @type {string} */ name) => html`<button type="button" class="icon-btn q" aria-label=${`React with ${name}`} title=${name} onClick=${() => toggleReaction(message, code)}>${code}</button>`;
  return html`<div class="tools" role="toolbar" aria-label="Message actions">
    ${canWrite && html`${quick('👍', 'thumbs up')}${quick('👀', 'eyes')}<${IconButton} icon="react" label="Add reaction" onClick=${(/** @type {any} */ event) => pickReaction(message, event.currentTarget)} />`}
    ${!inThread && html`<${IconButton} icon="thread" label="Reply in thread" onClick=${() => showThread(message)} />`}
    <${IconButton} icon="link" label="Copy link" onClick=${() => copyText(location.origin + channelPath(message.channel_id, message.seq))} />
    ${mine && canWrite && html`<${IconButton} icon="edit" label="Edit" onClick=${() => { editing.value = message.id; }} /><${IconButton} icon="bin" label="Delete" onClick=${() => remove(message)} />`}
  </div>`;
}

/** @param {MessageData} message */
async function remove(message) {
  if (!confirm('Delete this message? This cannot be undone.')) return;
  const done = await attempt(api.remove(message.id).then(() => true));
  if (done) changeEverywhere(message.channel_id, (timeline) => withoutMessage(timeline, message.id));
}

/** @param {{file:any}} props */
function Attachment({ file }) {
  const kind = (/\.([A-Za-z0-9]{1,4})$/.exec(file.filename ?? '')?.[1] ?? 'file').toUpperCase();
  return html`<div class="file"><span class="ic" aria-hidden="true">${kind}</span><span class="file-t"><bdi class="nm">${cleanName(file.filename)}</bdi><span class="mt">${sizeText(file.file_size)}</span></span>
    <${IconButton} icon="down" label=${`Download ${cleanName(file.filename)}`} onClick=${() => attempt(download(file))} /></div>`;
}

/** @param {number} bytes */
export function sizeText(bytes) {
  if (!(bytes >= 0)) return '';
  if (bytes < 1000) return `${bytes} B`;
  const exponent = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** exponent).toFixed(bytes / 1000 ** exponent < 10 ? 1 : 0)} ${['B', 'KB', 'MB', 'GB'][exponent]}`;
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
  });
  const action = actions[event.key.toLowerCase()];
  if (!action) return;
  event.preventDefault();
  action();
}
