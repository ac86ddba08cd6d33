/** The directory: channels that one may find and join, and joining by a code. */
import { changes } from '../../changes.js';
import { chat } from '../../page_chat_api.js';
import { cleanName } from '../../format.js';
import { dialog } from '../../layout.js';
import { t } from '../../page_words.js';
import { channelPath, navigate } from '../../router.js';
import { channels, isConversation } from '../../store.js';
import { join } from '../../workspace.js';
import { Dialog } from '../dialog.js';
import { Field } from '../field.js';
import { html, useEffect, useState } from '../html.js';
import { Icon } from '../icon.js';
import { JoinForm } from '../join.js';
import { PagesEnd, usePages } from '../loading.js';

export function BrowseChannels() {
  const [text, setText] = useState('');
  const [wanted, setWanted] = useState('');
  const [byCode, setByCode] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setWanted(text.trim()), text ? 200 : 0);
    return () => clearTimeout(timer);
  }, [text]);
  const list = usePages((cursor) => chat.channels({ q: wanted, cursor }), `${wanted} ${changes.sight.value}`);
  const shown = list.items.filter((channel) => !isConversation(channel) && !channel.archived_at);
  const close = () => { dialog.value = ''; };
  return html`<${Dialog} title=${t('browse_channels')} class="tall"><div class="dialog-b">
    ${byCode ? html`<${JoinForm} joined=${close} autofocus />` : html`
      <${Field} id="browse-filter" label=${t('find_a_channel')} type="search" value=${text} onInput=${setText} autofocus autocomplete="off" />
      <ul class="pick">${shown.map((channel) => html`<${Found} key=${channel.id} channel=${channel} close=${close} />`)}</ul>
      <${PagesEnd} list=${list} none=${t('no_channel_of_that_name')} />`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${() => setByCode(!byCode)}>${byCode ? t('show_the_channels') : t('join_with_a_code')}</button></div>
  </div></${Dialog}>`;
}

/** @param {{channel:any, close:()=>void}} props */
function Found({ channel, close }) {
  const mine = channels.value.get(channel.id)?.role;
  const open = () => { close(); navigate(channelPath(channel.id)); };
  return html`<li><button class="pick-t" onClick=${open}><b><${Icon} name=${channel.kind === 'private' ? 'lock' : channel.kind === 'voice' ? 'wave' : 'hash'} small /> <bdi>${cleanName(channel.name)}</bdi></b>
    <small>${t('members_count', { count: channel.member_count })}${channel.description ? ` · ${cleanName(channel.description)}` : ''}</small></button>
    ${mine ? html`<span class="pill ok">${t('joined')}</span>` : html`<button class="btn" aria-label=${t('join_2', { name: cleanName(channel.name) })} onClick=${() => { close(); void join(channel.id); }}>${t('join')}</button>`}</li>`;
}
