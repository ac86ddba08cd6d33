/** Choosing one of my channels or conversations. */
import { cleanName } from '../format.js';
import { channelTitle } from '../names.js';
import { t } from '../page_words.js';
import { myChannels } from '../store.js';
import { Field } from './field.js';
import { html, useState } from './html.js';
import { ChannelIcon } from './channel_name.js';

const MAX_SHOWN = 8;

/** @param {{name:string, chosen:string, choose:(channelId:string)=>void}} props name: tells the fields apart from those of other dialogs */
export function ChannelPicker({ name, chosen, choose }) {
  const [text, setText] = useState('');
  const fits = (/** @type {any} */ channel) => channelTitle(channel).toLowerCase().includes(text.trim().toLowerCase());
  const shown = myChannels.value.filter((channel) => !channel.archived_at).filter(fits).slice(0, MAX_SHOWN);
  return html`<${Field} id=${`${name}-to`} label=${t('where_to')} type="search" value=${text} onInput=${setText} autofocus autocomplete="off" placeholder=${t('find_a_channel_or_a_person')} />
    <div class="pick" role="radiogroup" aria-label=${t('channels')}>${shown.map((channel) => html`<label key=${channel.id} class="pick-r"><input type="radio" name=${`${name}-channel`} checked=${channel.id === chosen} onChange=${() => choose(channel.id)} />
      <b><${ChannelIcon} channel=${channel} /> <bdi>${cleanName(channelTitle(channel))}</bdi></b></label>`)}</div>
    ${!shown.length && html`<p class="page-note">${t('none_of_yours_is_called_so')}</p>`}`;
}
