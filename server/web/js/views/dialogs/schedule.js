/** Sends what was written at a later time, or changes when and what. */
import { changed } from '../../changes.js';
import { chat } from '../../page_chat_api.js';
import { whenText } from '../../clock.js';
import { dialog, dialogSubject } from '../../layout.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { info } from '../../store.js';
import { Dialog } from '../dialog.js';
import { FormError, TextArea } from '../field.js';
import { html, useState } from '../html.js';
import { WhenPicker } from '../when_picker.js';

export function Schedule() {
  const { done, id, send_at: sendAt, ...message } = dialogSubject.value ?? {};
  const [content, setContent] = useState(message.content ?? '');
  const [error, setError] = useState('');
  const set = async (/** @type {Date} */ at) => {
    const body = { content: content.trim(), send_at: at.toISOString(), ...(message.file_ids?.length ? { file_ids: message.file_ids } : {}) };
    // Where it goes was said when it was made.
    await (id ? chat.reschedule(id, body) : chat.schedule({ ...body, channel_id: message.channel_id, ...(message.parent_id ? { parent_id: message.parent_id } : {}) }));
    changed('scheduled');
    dialog.value = '';
    done?.();
    notify(t('it_will_be_sent', { when: whenText(at.toISOString()) }));
  };
  return html`<${Dialog} title=${id ? t('change_the_scheduled_message') : t('send_later_2')} class="tall"><div class="dialog-b">
    <${FormError} error=${error} />
    <${TextArea} id="scheduled-text" label=${t('message_2')} rows="4" value=${content} onInput=${setContent} maxlength=${info.value?.limits?.message_chars} autofocus help=${message.file_ids?.length ? t('files_go', { count: message.file_ids.length }) : undefined} />
    <${WhenPicker} action=${id ? t('save') : t('send_then')} choose=${set} at=${sendAt ? new Date(sendAt) : undefined} choices=${!id} failed=${(/** @type {Error} */ failure) => setError(failure.message)} />
  </div></${Dialog}>`;
}
