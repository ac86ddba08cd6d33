/** Reminds me of a message, or of anything. */
import { changed } from '../../changes.js';
import { chat } from '../../page_chat_api.js';
import { whenText } from '../../clock.js';
import { plainWords } from '../../format.js';
import { dialog, dialogSubject } from '../../layout.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { PersonName } from '../avatar.js';
import { Dialog } from '../dialog.js';
import { Field, FormError } from '../field.js';
import { html, useState } from '../html.js';
import { WhenPicker } from '../when_picker.js';

const EXCERPT_CHARACTERS = 160;

export function Remind() {
  const message = dialogSubject.value?.message;
  const [text, setText] = useState('');
  const [error, setError] = useState('');
  const set = async (/** @type {Date} */ at) => {
    if (!message && !text.trim()) return setError(t('say_what_you_want_to_be'));
    await chat.remind({ remind_at: at.toISOString(), ...(message ? { message_id: message.id } : {}), ...(text.trim() ? { text: text.trim() } : {}) });
    changed('reminders');
    dialog.value = '';
    return notify(t('you_will_be_reminded', { when: whenText(at.toISOString()) }));
  };
  return html`<${Dialog} title=${t('remind_me')}><div class="dialog-b">
    ${message && html`<p class="quoted"><span class="quoted-h"><b><${PersonName} user=${message.sender} /></b></span><span class="quoted-t" dir="auto">${plainWords(message.content).slice(0, EXCERPT_CHARACTERS) || t('a_file')}</span></p>`}
    <${FormError} error=${error} />
    <${Field} id="reminder-text" label=${message ? t('a_note_optional') : t('what_it_is_about')} value=${text} onInput=${setText} maxlength="500" autocomplete="off" autofocus />
    <${WhenPicker} action=${t('remind_me')} choose=${set} failed=${(/** @type {Error} */ failure) => setError(failure.message)} />
  </div></${Dialog}>`;
}
