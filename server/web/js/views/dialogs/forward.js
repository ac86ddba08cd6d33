/** Gives a message on to another channel, with a word of one's own. */
import { chat } from '../../chat_api.js';
import { cleanName, plainWords } from '../../format.js';
import { dialog, dialogSubject } from '../../layout.js';
import { receive } from '../../events.js';
import { channelTitle } from '../../names.js';
import { notify } from '../../notices.js';
import { myChannels } from '../../store.js';
import { PersonName } from '../avatar.js';
import { Dialog } from '../dialog.js';
import { Field, FormError, TextArea } from '../field.js';
import { Action } from '../form.js';
import { html, useState } from '../html.js';
import { ChannelIcon, channelLabel } from '../shell.js';

const MAX_SHOWN = 8;
const EXCERPT_CHARACTERS = 200;

export function Forward() {
  const message = dialogSubject.value;
  const [text, setText] = useState('');
  const [content, setContent] = useState('');
  const [chosen, setChosen] = useState('');
  const [error, setError] = useState('');
  const fits = (/** @type {any} */ channel) => channelTitle(channel).toLowerCase().includes(text.trim().toLowerCase());
  const shown = myChannels.value.filter(fits).slice(0, MAX_SHOWN);
  const target = myChannels.value.find(({ id }) => id === chosen);
  const send = async () => {
    if (!target) return setError('Choose where to.');
    receive(await chat.forward(message.id, { channel_id: target.id, ...(content.trim() ? { content: content.trim() } : {}) }));
    dialog.value = '';
    return notify(`Forwarded to ${channelLabel({ channel: target })}.`);
  };
  return html`<${Dialog} title="Forward the message" class="tall"><div class="dialog-b">
    <p class="quoted"><span class="quoted-h"><b><${PersonName} user=${message.sender} /></b></span><span class="quoted-t" dir="auto">${plainWords(message.content).slice(0, EXCERPT_CHARACTERS) || 'A file'}</span></p>
    <${FormError} error=${error} />
    <${Field} id="forward-to" label="Where to" type="search" value=${text} onInput=${setText} autofocus autocomplete="off" placeholder="Find a channel or a person" />
    <div class="pick" role="radiogroup" aria-label="Channels">${shown.map((channel) => html`<label key=${channel.id} class="pick-r"><input type="radio" name="forward-channel" checked=${channel.id === chosen} onChange=${() => setChosen(channel.id)} />
      <b><${ChannelIcon} channel=${channel} /> <bdi>${cleanName(channelTitle(channel))}</bdi></b></label>`)}</div>
    ${!shown.length && html`<p class="page-note">None of yours is called so.</p>`}
    <${TextArea} id="forward-words" label="Your words (optional)" rows="2" value=${content} onInput=${setContent} />
    <div class="dialog-f"><button type="button" class="btn" onClick=${() => { dialog.value = ''; }}>Cancel</button>
      <${Action} class="btn primary" run=${send} failed=${(/** @type {Error} */ failure) => setError(failure.message)}>Forward</${Action}></div>
  </div></${Dialog}>`;
}
