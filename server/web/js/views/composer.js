/** Where one writes: drafts, completion, formatting, files, sending. */
import { drafts, setDraft } from '../drafts.js';
import { editing } from '../layout.js';
import { commandIn, runCommand, sendMessage } from '../outbox.js';
import { info, me, timelineOf } from '../store.js';
import { live } from '../workspace.js';
import { Completion, completionFor } from './completion.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { openPicker } from './reactions.js';
import { AttachButton, takeFiles, Upload, useUploads } from './uploads.js';

/** A typing signal is sent at most this often. */
const TYPING_EVERY_MS = 4_000;

/**
 * @param {{draftKey:string, channelId:string, parentId?:string, placeholder:string}} props
 */
export function Composer({ draftKey, channelId, parentId, placeholder }) {
  const area = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  const text = drafts.value.get(draftKey) ?? '';
  const [completion, setCompletion] = useState(/** @type {ReturnType<typeof completionFor>} */ (null));
  const [uploads, addFiles, removeUpload, clearUploads] = useUploads();
  const limit = info.value?.limits?.message_chars ?? 0;
  const tooLong = limit > 0 && [...text].length > limit;
  useGrowing(area, text);
  useEffect(() => { if (matchMedia('(min-width: 721px)').matches) area.current?.focus({ preventScroll: true }); }, [draftKey]);

  const write = (/** @type {string} */ value, /** @type {number} */ caret = value.length) => {
    setDraft(draftKey, value);
    setCompletion(completionFor(value, caret, channelId, Boolean(parentId)));
    signalTyping(channelId, value);
  };
  const replace = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ words, /** @type {number} */ caret = from + words.length) => {
    write(text.slice(0, from) + words + text.slice(to), caret);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(caret, caret);
    });
  };
  const send = () => {
    const content = text.trim();
    const ready = uploads.filter((upload) => upload.file);
    if (tooLong || uploads.some((upload) => !upload.file && !upload.error) || (!content && !ready.length)) return;
    if (!parentId && !ready.length && commandIn(content)) void runCommand(channelId, content);
    else sendMessage({ channelId, content, parentId, fileIds: ready.map((upload) => upload.file.id) });
    setDraft(draftKey, '');
    typingSent.delete(channelId);
    setCompletion(null);
    clearUploads();
    area.current?.focus();
  };
  const complete = (/** @type {{insert:string}} */ option) => {
    if (completion) replace(completion.from, completion.to, option.insert);
    setCompletion(null);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (completion && onCompletionKey(event, completion, setCompletion, complete)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && !text && !parentId) editLast(event, channelId);
    else if ((event.ctrlKey || event.metaKey) && ['b', 'i'].includes(event.key.toLowerCase())) {
      event.preventDefault();
      wrap(area, replace, event.key.toLowerCase() === 'b' ? '*' : '_');
    }
  };
  const insertAtCaret = (/** @type {string} */ words) => replace(area.current?.selectionStart ?? text.length, area.current?.selectionEnd ?? text.length, words);
  return html`<form class="box" aria-label=${parentId ? 'Reply in thread' : 'Message composer'} onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }} onDragOver=${(/** @type {Event} */ event) => event.preventDefault()} onDrop=${(/** @type {DragEvent} */ event) => takeFiles(event, event.dataTransfer, addFiles)}>
    <${Completion} id=${`${draftKey}-list`} completion=${completion} choose=${complete} />
    ${!parentId && html`<${FormatBar} area=${area} replace=${replace} />`}
    <textarea ref=${area} class="ta" rows="1" value=${text} placeholder=${placeholder} aria-label=${placeholder} aria-autocomplete="list" aria-controls=${completion ? `${draftKey}-list` : undefined}
      aria-activedescendant=${completion ? `${draftKey}-list-${completion.index}` : undefined} onInput=${(/** @type {any} */ event) => write(event.target.value, event.target.selectionStart)}
      onKeyDown=${onKeyDown} onPaste=${(/** @type {ClipboardEvent} */ event) => takeFiles(event, event.clipboardData, addFiles)} onBlur=${() => setCompletion(null)} dir="auto"></textarea>
    ${uploads.length > 0 && html`<div class="ups">${uploads.map((upload) => html`<${Upload} key=${upload.key} upload=${upload} remove=${() => removeUpload(upload.key)} />`)}</div>`}
    <div class="bar"><${AttachButton} addFiles=${addFiles} />
      <${IconButton} icon="smile" label="Emoji" onClick=${(/** @type {any} */ event) => openPicker(event.currentTarget, insertAtCaret)} />
      <${IconButton} icon="at" label="Mention someone" onClick=${() => insertAtCaret(/\s$|^$/.test(text) ? '@' : ' @')} />
      ${!parentId && html`<${IconButton} icon="slash" label="Commands" onClick=${() => replace(0, text.length, '/')} />`}
      ${tooLong && html`<span class="toolong" role="alert">${[...text].length - limit} characters too many</span>`}
      <button class="send" aria-label=${parentId ? 'Send reply' : 'Send message'} disabled=${tooLong || (!text.trim() && !uploads.length)}><${Icon} name="send" /></button></div>
  </form>`;
}

/** The field is as high as its text, up to the height CSS allows. @param {{current:HTMLTextAreaElement|null}} area @param {string} text */
function useGrowing(area, text) {
  useLayoutEffect(() => {
    if (!area.current) return;
    area.current.style.height = 'auto';
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [text]);
}

/** @param {KeyboardEvent} event @param {any} completion @param {(value:any)=>void} setCompletion @param {(option:any)=>void} complete @returns {boolean} handled */
function onCompletionKey(event, completion, setCompletion, complete) {
  const { options, index } = completion;
  const option = options[index];
  // A command that is typed out already runs on Enter.
  const typedOut = event.key === 'Enter' && option.insert.trim() === completion.typed;
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') setCompletion({ ...completion, index: (index + (event.key === 'ArrowDown' ? 1 : -1) + options.length) % options.length });
  else if ((event.key === 'Enter' && !typedOut) || event.key === 'Tab') complete(option);
  else if (event.key === 'Escape') setCompletion(null);
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** @type {Map<string, number>} */
const typingSent = new Map();

/** @param {string} channelId @param {string} text */
function signalTyping(channelId, text) {
  if (!text.trim() || text.startsWith('/') || Date.now() - (typingSent.get(channelId) ?? 0) < TYPING_EVERY_MS) return;
  typingSent.set(channelId, Date.now());
  live?.typing(channelId);
}

/** @param {KeyboardEvent} event @param {string} channelId */
function editLast(event, channelId) {
  const mine = timelineOf(channelId).items.filter((message) => message.sender_id === me.value?.id && !message.deleted_at && !message.parent_id);
  const last = mine[mine.length - 1];
  if (!last) return;
  event.preventDefault();
  editing.value = last.id;
}

/** @param {{area:{current:HTMLTextAreaElement|null}, replace:any}} props */
function FormatBar({ area, replace }) {
  return html`<div class="fmt" role="toolbar" aria-label="Formatting">
    <${IconButton} icon="bold" small label="Bold" onClick=${() => wrap(area, replace, '*')} /><${IconButton} icon="ital" small label="Italic" onClick=${() => wrap(area, replace, '_')} />
    <${IconButton} icon="codei" small label="Code" onClick=${() => wrap(area, replace, '`')} /><span class="sep"></span>
    <${IconButton} icon="list" small label="List" onClick=${() => prefix(area, replace, '- ')} /><${IconButton} icon="quote" small label="Quote" onClick=${() => prefix(area, replace, '> ')} />
  </div>`;
}

/** Puts marks around the selection. @param {{current:HTMLTextAreaElement|null}} area @param {any} replace @param {string} mark */
function wrap(area, replace, mark) {
  const { selectionStart = 0, selectionEnd = 0, value = '' } = area.current ?? {};
  const words = value.slice(selectionStart, selectionEnd);
  const caret = words ? selectionEnd + mark.length * 2 : selectionStart + mark.length;
  replace(selectionStart, selectionEnd, mark + words + mark, caret);
}

/** Puts a mark before every selected line. @param {{current:HTMLTextAreaElement|null}} area @param {any} replace @param {string} mark */
function prefix(area, replace, mark) {
  const { selectionStart = 0, selectionEnd = 0, value = '' } = area.current ?? {};
  const from = value.lastIndexOf('\n', selectionStart - 1) + 1;
  replace(from, selectionEnd, value.slice(from, selectionEnd).split('\n').map((line) => mark + line).join('\n'));
}
