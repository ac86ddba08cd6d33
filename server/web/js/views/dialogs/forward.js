/** Gives a message on to another channel, with a word of one's own. */
import { chat } from '../../page_chat_api.js';
import { plainWords } from '../../format.js';
import { dialog, dialogSubject } from '../../layout.js';
import { receive } from '../../events.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { myChannels } from '../../store.js';
import { PersonName } from '../avatar.js';
import { Dialog } from '../dialog.js';
import { ChannelPicker } from '../channel_picker.js';
import { FormError, TextArea } from '../field.js';
import { Action } from '../form.js';
import { html, useState } from '../html.js';
import { channelLabel } from '../channel_name.js';

const EXCERPT_CHARACTERS = 200;

export function Forward() {
  const message = dialogSubject.value;
  const [content, setContent] = useState('');
  const [chosen, setChosen] = useState('');
  const [error, setError] = useState('');
  const target = myChannels.value.find(({ id }) => id === chosen);
  const send = async () => {
    if (!target) return setError(t('choose_where_to'));
    receive(await chat.forward(message.id, { channel_id: target.id, ...(content.trim() ? { content: content.trim() } : {}) }));
    dialog.value = '';
    return notify(t('forwarded_to', { channel: channelLabel({ channel: target }) }));
  };
  return html`<${Dialog} title=${t('forward_the_message')} class="tall"><div class="dialog-b">
    <p class="quoted"><span class="quoted-h"><b><${PersonName} user=${message.sender} /></b></span><span class="quoted-t" dir="auto">${plainWords(message.content).slice(0, EXCERPT_CHARACTERS) || t('a_file')}</span></p>
    <${FormError} error=${error} />
    <${ChannelPicker} name="forward" chosen=${chosen} choose=${setChosen} />
    <${TextArea} id="forward-words" label=${t('your_words_optional')} rows="2" value=${content} onInput=${setContent} />
    <div class="dialog-f"><button type="button" class="btn" onClick=${() => { dialog.value = ''; }}>${t('cancel')}</button>
      <${Action} class="btn primary" run=${send} failed=${(/** @type {Error} */ failure) => setError(failure.message)}>${t('forward')}</${Action}></div>
  </div></${Dialog}>`;
}
