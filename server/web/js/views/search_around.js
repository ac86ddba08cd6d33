/** Channels and people among what a search finds. */
import { cleanName } from '../format.js';
import { openDirect } from '../direct_conversation.js';
import { t } from '../page_words.js';
import { channelPath } from '../router.js';
import { channels, me } from '../store.js';
import { Avatar, PersonName, PresenceWord } from './avatar.js';
import { channelLabel } from './channel_name.js';
import { html } from './html.js';
import { Icon } from './icon.js';

/** @param {{hit:any}} props */
export function ChannelHit({ hit: { channel } }) {
  const name = cleanName(channel.name || channelLabel({ channel }));
  const about = cleanName(channel.topic || channel.description || '');
  return html`<li class="hit file-hit">
    <span class="ic" aria-hidden="true"><${Icon} name=${channel.kind === 'private' ? 'lock' : channel.kind === 'voice' ? 'wave' : 'hash'} /></span>
    <div class="hit-in"><div class="ctx">${t('members_count', { count: channel.member_count })}${channels.value.get(channel.id)?.role ? ` · ${t('joined')}` : ''}</div>
      <div class="hd"><bdi class="by">${name}</bdi></div>
      ${about && html`<div class="body"><p dir="auto">${about}</p></div>`}</div>
    <a class="btn go" href=${channelPath(channel.id)} aria-label=${`${t('open')} ${name}`}>${t('open')}</a>
  </li>`;
}

/** @param {{person:any}} props */
export function PersonHit({ person }) {
  return html`<li class="hit">
    <${Avatar} user=${person} presence />
    <div class="hit-in"><div class="ctx">@${cleanName(person.username)}<${PresenceWord} userId=${person.id} /></div>
      <div class="hd"><${PersonName} user=${person} class="by" /></div></div>
    ${person.id !== me.value?.id && html`<button class="btn go" aria-label=${`${t('message_2')} ${cleanName(person.username)}`} onClick=${() => void openDirect([person.id])}>${t('message_2')}</button>`}
  </li>`;
}
