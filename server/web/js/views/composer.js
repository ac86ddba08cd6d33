/** Where one writes: drafts, completion, formatting, files, sending now or later. */
import { clearDraft, draftFileIds, draftFiles, draftKey, drafts, setDraft } from '../drafts.js';
import { editing, openDialog } from '../layout.js';
import { live } from '../live.js';
import { setQuote } from '../message_actions.js';
import { notify } from '../notices.js';
import { commandIn, isLikeCommand, loadCommands, runCommand, sendMessage } from '../outbox.js';
import { laterPath } from '../router.js';
import { commands, commandsLoaded, info, me, quotes, thread, timelineOf } from '../store.js';
import { typingPlace } from '../typing.js';
import { addFiles, clearUploads, followDraftFiles, MAX_FILES, uploadsOf } from '../uploads.js';
import { t } from '../channel_words.js';
import { turns } from '../command_suggestions.js';
import { Completion, completionFor } from './completion.js';
import { ComposerQuote } from './composer_quote.js';
import { useGrowing } from './growing.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { Menu } from './menu.js';
import { openPicker } from './reactions.js';
import { AttachButton, takeFiles, Uploads, useDropZone } from './uploads.js';

/** A typing signal is sent at most this often. */
const TYPING_EVERY_MS = 4_000;

/**
 * @param {{channelId:string, parentId?:string, placeholder:string}} props
 */
export function Composer({ channelId, parentId, placeholder }) {
  const area = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  const sendNow = useRef(() => {});
  /** The list of commands is being asked for, and the text for which it could not be had. */
  const asking = useRef(false);
  const refused = useRef('');
  const place = { channelId, parentId };
  const key = draftKey(place);
  const domId = `composer-${key.replace(' ', '-')}`;
  const text = drafts.value.get(key) ?? '';
  const quoted = quotes.value.get(key);
  const uploads = uploadsOf(key);
  const ready = uploads.filter((upload) => upload.file).map((upload) => upload.file.id);
  const [completion, setCompletion] = useState(/** @type {ReturnType<typeof completionFor>} */ (null));
  const [turn] = useState(turns);
  const [also, setAlso] = useState(false);
  const limit = info.value?.limits?.message_chars ?? 0;
  const tooLong = limit > 0 && [...text].length > limit;
  useDraftFiles(key, ready, (fileIds) => setDraft(place, text, fileIds));
  useGrowing(area, text);
  // Not from a message that was jumped to: whoever went there by keyboard is to be there.
  // Before the next frame: keys that follow at once are for it.
  useLayoutEffect(() => { if (matchMedia('(min-width: 721px)').matches && (parentId || !document.activeElement?.matches('.log article, input, textarea, select'))) area.current?.focus({ preventScroll: true }); }, [key]);

  const closeCompletion = () => {
    turn.end();
    setCompletion(null);
  };
  // Another channel or thread: what was begun here is not for there.
  useEffect(() => () => {
    closeCompletion();
    setAlso(false);
  }, [key]);
  const complement = (/** @type {string} */ value, /** @type {number} */ caret) => {
    const isLatest = turn.begin();
    const found = completionFor(value, caret, channelId, Boolean(parentId));
    setCompletion(found);
    // What a plugin suggests comes a moment later.
    void found?.waits?.then(() => { if (isLatest() && area.current?.value === value) setCompletion(completionFor(value, caret, channelId, Boolean(parentId))); });
  };
  // Commands may come when one types already.
  const typedIn = useRef('');
  useEffect(() => { if (!completion && typedIn.current === key && area.current?.value && area.current === document.activeElement) complement(area.current.value, area.current.selectionStart); }, [commands.value]);
  const write = (/** @type {string} */ value, /** @type {number} */ caret = value.length) => {
    typedIn.current = key;
    setDraft(place, value);
    complement(value, caret);
    signalTyping(channelId, parentId, value);
  };
  const attach = (/** @type {FileList} */ files) => {
    const left = addFiles(key, files, info.value?.limits?.upload_bytes);
    if (left) notify(t('a_message_carries_at_most_files', { max_files: MAX_FILES }), { bad: true });
  };
  const over = useDropZone(area, attach);
  const replace = (/** @type {number} */ from, /** @type {number} */ to, /** @type {string} */ words, /** @type {number} */ caret = from + words.length) => {
    write(text.slice(0, from) + words + text.slice(to), caret);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(caret, caret);
    });
  };
  const content = text.trim();
  // Files stay in the thread, and without words nothing is left for the channel.
  const alsoThere = Boolean(parentId && also && (content || !uploads.length));
  const busy = tooLong || uploads.some((upload) => !upload.file && !upload.error) || (!content && !ready.length);
  const cleared = (/** @type {boolean} */ sent) => {
    clearDraft(place, { sent });
    clearUploads(key);
    setQuote(key, null);
    typingSent.delete(typingPlace(channelId, parentId));
    closeCompletion();
    setAlso(false);
    area.current?.focus();
  };
  const send = () => {
    if (busy) return;
    // Nobody is to read a command because it was typed before the list of them came. Where it cannot be had, who presses once more means a message.
    if (!parentId && !ready.length && !commandsLoaded.value && isLikeCommand(content) && refused.current !== text) return askThenSend();
    const isCommand = !parentId && !ready.length && commandIn(content);
    if (isCommand) void runCommand(channelId, content);
    else sendMessage({ channelId, content, parentId, fileIds: ready, quoted });
    // Those who do not follow the thread read it beside what it answers.
    if (alsoThere && content) sendMessage({ channelId, content, quoted: thread.value?.timeline.items.find(({ id }) => id === parentId) });
    cleared(!isCommand);
  };
  sendNow.current = send;
  const askThenSend = () => {
    if (asking.current) return;
    asking.current = true;
    void loadCommands().then(() => { if (area.current?.value === text && area.current === document.activeElement) sendNow.current(); }, (/** @type {Error} */ error) => {
      refused.current = text;
      notify(error.message, { bad: true });
    }).finally(() => { asking.current = false; });
  };
  const later = () => {
    if (busy) notify(uploads.length ? t('the_files_are_still_on_their') : t('write_something_first'));
    else openDialog('schedule', { channel_id: channelId, ...(parentId ? { parent_id: parentId } : {}), content, file_ids: ready, done: () => cleared(false) });
  };
  const complete = (/** @type {import('./completion.js').Option} */ option) => {
    if (completion) replace(completion.from, completion.to, option.insert);
    // A command leads on to its options, and one of them to the next.
    if (!option.command && option.value === undefined) closeCompletion();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    if (completion && onCompletionKey(event, completion, { move: setCompletion, close: closeCompletion, complete })) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && quoted) {
      event.preventDefault();
      setQuote(key, null);
    } else if (event.key === 'ArrowUp' && !event.altKey && !event.ctrlKey && !event.metaKey && !text && !parentId) editLast(event, channelId);
    else if ((event.ctrlKey || event.metaKey) && ['b', 'i'].includes(event.key.toLowerCase())) {
      event.preventDefault();
      wrap(area, replace, event.key.toLowerCase() === 'b' ? '**' : '_');
    }
  };
  const insertAtCaret = (/** @type {string} */ words) => replace(area.current?.selectionStart ?? text.length, area.current?.selectionEnd ?? text.length, words);
  return html`<form class=${over ? 'box is-over' : 'box'} aria-label=${parentId ? t('reply_in_thread') : t('message_composer')} onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); send(); }}>
    <${Completion} id=${`${domId}-list`} completion=${completion} choose=${complete} />
    ${quoted && html`<${ComposerQuote} message=${quoted} remove=${() => { setQuote(key, null); area.current?.focus(); }} />`}
    ${!parentId && html`<${FormatBar} area=${area} replace=${replace} />`}
    <textarea ref=${area} class="ta" rows="1" value=${text} placeholder=${placeholder} aria-label=${placeholder} aria-autocomplete="list" aria-controls=${completion ? `${domId}-list` : undefined}
      aria-activedescendant=${completion ? `${domId}-list-${completion.index}` : undefined} onInput=${(/** @type {any} */ event) => write(event.target.value, event.target.selectionStart)}
      onKeyDown=${onKeyDown} onPaste=${(/** @type {ClipboardEvent} */ event) => takeFiles(event, event.clipboardData, attach)} onBlur=${closeCompletion} dir="auto"></textarea>
    <${Uploads} place=${key} />
    <div class="bar"><${AttachButton} addFiles=${attach} />
      <${IconButton} icon="smile" label=${t('emoji')} onClick=${(/** @type {any} */ event) => openPicker(event.currentTarget, insertAtCaret)} />
      <${IconButton} icon="at" label=${t('mention_someone')} onClick=${() => insertAtCaret(/\s$|^$/.test(text) ? '@' : ' @')} />
      ${!parentId && html`<${IconButton} icon="slash" label=${t('commands')} onClick=${() => replace(0, text.length, '/')} />`}
      ${parentId && html`<label class="also" title=${uploads.length ? t('files_stay_in_the_thread') : undefined}><input type="checkbox" checked=${alsoThere} disabled=${uploads.length > 0 && !content} onChange=${(/** @type {any} */ event) => setAlso(event.target.checked)} />
        ${t(uploads.length ? 'also_send_to_channel_without_files' : 'also_send_to_channel')}</label>`}
      ${tooLong && html`<span class="toolong" role="alert">${t('characters_too_many', { value: [...text].length - limit })}</span>`}
      <span class="sends"><${Menu} label=${t('send_later_2')} floating items=${[!alsoThere && { label: t('send_later'), icon: 'clock', act: later }, { label: t('scheduled_messages'), icon: 'list', href: laterPath() }]}><${Icon} name="chevron" small /></${Menu}>
        <button class="send" aria-label=${parentId ? t('send_reply') : t('send_message')} disabled=${busy}><${Icon} name="send" /></button></span></div>
  </form>`;
}

/** The draft's files go with it, to and from the other devices. @param {string} key @param {string[]} ready @param {(fileIds:string[])=>void} save */
function useDraftFiles(key, ready, save) {
  const { ids: coming = [], had = [] } = draftFiles.value.get(key) ?? {};
  const ids = [...new Set([...ready.filter((id) => !had.includes(id)), ...coming])];
  useEffect(() => {
    // In whatever order, or two devices would put them in order for ever.
    if ([...ids].sort().join() !== [...draftFileIds(key)].sort().join()) save(ids);
  }, [key, ids.join()]);
  useEffect(() => void followDraftFiles(key), [key, coming.join(), had.join()]);
}

/** @param {KeyboardEvent} event @param {any} completion @param {{move:(completion:any)=>void, close:()=>void, complete:(option:any)=>void}} does @returns {boolean} handled */
function onCompletionKey(event, completion, { move, close, complete }) {
  const { options, index } = completion;
  const option = options[index];
  // A command that is typed out already runs on Enter.
  const typedOut = event.key === 'Enter' && option?.insert.trim() === completion.typed;
  if (!options.length && event.key !== 'Escape') return false;
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') move({ ...completion, index: (index + (event.key === 'ArrowDown' ? 1 : -1) + options.length) % options.length });
  else if (option && ((event.key === 'Enter' && !typedOut) || event.key === 'Tab')) complete(option);
  else if (event.key === 'Escape') close();
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}

/** @type {Map<string, number>} */
const typingSent = new Map();

/** @param {string} channelId @param {string|undefined} parentId @param {string} text */
function signalTyping(channelId, parentId, text) {
  const place = typingPlace(channelId, parentId);
  if (!text.trim() || text.startsWith('/') || Date.now() - (typingSent.get(place) ?? 0) < TYPING_EVERY_MS) return;
  typingSent.set(place, Date.now());
  live.value?.typing(channelId, parentId);
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
  return html`<div class="fmt" role="toolbar" aria-label=${t('formatting')}>
    <${IconButton} icon="bold" small label=${t('bold')} onClick=${() => wrap(area, replace, '**')} /><${IconButton} icon="ital" small label=${t('italic')} onClick=${() => wrap(area, replace, '_')} />
    <${IconButton} icon="link" small label=${t('link')} onClick=${() => link(area, replace)} /><span class="sep"></span>
    <${IconButton} icon="list" small label=${t('list')} onClick=${() => prefix(area, replace, '- ')} /><${IconButton} icon="quote" small label=${t('quote')} onClick=${() => prefix(area, replace, '> ')} /><${IconButton} icon="codei" small label=${t('code')} onClick=${() => code(area, replace)} />
  </div>`;
}

/** Puts marks around the selection. @param {{current:HTMLTextAreaElement|null}} area @param {any} replace @param {string} mark */
function wrap(area, replace, mark) {
  const { selectionStart = 0, selectionEnd = 0, value = '' } = area.current ?? {};
  const words = value.slice(selectionStart, selectionEnd);
  const caret = words ? selectionEnd + mark.length * 2 : selectionStart + mark.length;
  replace(selectionStart, selectionEnd, mark + words + mark, caret);
}

/** Makes a link of the selection: of words, with the place for the address chosen; of an address, with that for the words. @param {{current:HTMLTextAreaElement|null}} area @param {any} replace */
function link(area, replace) {
  const { selectionStart = 0, selectionEnd = 0, value = '' } = area.current ?? {};
  const words = value.slice(selectionStart, selectionEnd);
  if (/^https?:\/\/\S+$/.test(words)) replace(selectionStart, selectionEnd, `[](${words})`, selectionStart + 1);
  else replace(selectionStart, selectionEnd, `[${words}](https://)`, selectionStart + words.length + (words ? 11 : 1));
}

/** Within a line between marks, several lines between fences. @param {{current:HTMLTextAreaElement|null}} area @param {any} replace */
function code(area, replace) {
  const { selectionStart = 0, selectionEnd = 0, value = '' } = area.current ?? {};
  const words = value.slice(selectionStart, selectionEnd);
  if (!words.includes('\n')) return wrap(area, replace, '`');
  return replace(selectionStart, selectionEnd, `\`\`\`\n${words}\n\`\`\``, selectionEnd + 8);
}

/** Puts a mark before every selected line. @param {{current:HTMLTextAreaElement|null}} area @param {any} replace @param {string} mark */
function prefix(area, replace, mark) {
  const { selectionStart = 0, selectionEnd = 0, value = '' } = area.current ?? {};
  const from = value.lastIndexOf('\n', selectionStart - 1) + 1;
  replace(from, selectionEnd, value.slice(from, selectionEnd).split('\n').map((line) => mark + line).join('\n'));
}
