import { closeEditor, edited } from '../layout.js';
import { attempt } from '../notices.js';
import { chat } from '../page_chat_api.js';
import { changeEverywhere } from '../store.js';
import { withUpdate } from '../timeline.js';
import { t } from '../channel_words.js';
import { html, useLayoutEffect, useRef } from './html.js';

/** A message of mine in a field, in its place. @param {{message:import('../timeline.js').Message}} props */
export function MessageEditor({ message }) {
  const area = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  const { id } = message;
  const text = edited.value.id === id ? edited.value.text : message.content;
  useLayoutEffect(() => {
    area.current?.focus();
    area.current?.setSelectionRange(text.length, text.length);
  }, []);
  const close = () => {
    closeEditor();
    /** @type {HTMLElement|null} */ (document.querySelector(`article[data-id="${CSS.escape(id)}"]`))?.focus();
  };
  const save = async () => {
    if (!text.trim() || text === message.content) return close();
    const saved = await attempt(chat.edit(id, { content: text.trim(), version: message.version }));
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
  return html`<div class="editor"><textarea ref=${area} aria-label=${t('edit_message')} rows=${Math.min(10, text.split('\n').length + 1)} value=${text} onInput=${(/** @type {any} */ event) => { edited.value = { id, text: event.target.value }; }} onKeyDown=${onKeyDown}></textarea>
    <div><button class="btn primary" onClick=${save}>${t('save')}</button><button class="btn" onClick=${close}>${t('cancel')}</button><span class="help">${t('enter_saves_esc_cancels')}</span></div></div>`;
}
