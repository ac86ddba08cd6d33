/** Sends what was written at a later time, or changes when and what. */
import { changed } from '../../changes.js';
import { chat } from '../../chat_api.js';
import { whenText } from '../../clock.js';
import { dialog, dialogSubject } from '../../layout.js';
import { notify } from '../../notices.js';
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
    notify(`It will be sent ${whenText(at.toISOString())}.`);
  };
  return html`<${Dialog} title=${id ? 'Change the scheduled message' : 'Send later'} class="tall"><div class="dialog-b">
    <${FormError} error=${error} />
    <${TextArea} id="scheduled-text" label="Message" rows="4" value=${content} onInput=${setContent} maxlength=${info.value?.limits?.message_chars} autofocus help=${message.file_ids?.length ? t('files_go', { count: message.file_ids.length }) : undefined} />
    <${WhenPicker} action=${id ? 'Save' : 'Send then'} choose=${set} at=${sendAt ? new Date(sendAt) : undefined} choices=${!id} failed=${(/** @type {Error} */ failure) => setError(failure.message)} />
  </div></${Dialog}>`;
}
