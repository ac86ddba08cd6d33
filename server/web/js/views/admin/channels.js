/** The channels that everybody may know of, and how many others there are. */
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { t } from '../../page_words.js';
import { channelPath } from '../../router.js';
import { number } from '../../server_figures.js';
import { ChannelIcon } from '../channel_name.js';
import { html, useState } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';

export function Channels() {
  const [hidden, setHidden] = useState(/** @type {{private_count:number, conversation_count:number}|null} */ (null));
  const list = usePages((cursor) => api.openChannels(cursor).then((/** @type {any} */ page) => { setHidden(page); return page; }), '');
  return html`<${SettingsPage} title=${t('channels')} wide lead=${hidden && t('others_are_not_named', { private: t('private_channels_count', { count: hidden.private_count }), conversations: t('conversations_count', { count: hidden.conversation_count }) })}>
    <${Table} label=${t('channels')} columns=${COLUMNS} rows=${list.items} />
    <${PagesEnd} list=${list} none=${t('there_is_none')} />
  </${SettingsPage}>`;
}

/** @type {import('../table.js').Column[]} */
const COLUMNS = [
  { name: t('name'), cell: (channel) => html`<span class="person"><${ChannelIcon} channel=${channel} /><span><b><bdi>${cleanName(channel.name)}</bdi></b>${channel.topic && html`<small><bdi>${cleanName(channel.topic)}</bdi></small>`}</span></span>` },
  { name: t('members'), class: 'tnum', cell: (channel) => number(channel.member_count) },
  { name: t('messages'), class: 'tnum', cell: (channel) => number(channel.message_count) },
  { name: t('kept_for'), class: 'tnum', cell: (channel) => (channel.retention_days ? t('days_count', { count: channel.retention_days }) : html`<span class="dim">${t('as_the_policy_says')}</span>`) },
  { name: t('since'), cell: (channel) => html`<${Time} at=${channel.created_at} />` },
  { name: t('state'), cell: (channel) => html`<span class=${channel.archived_at ? 'pill warn' : 'pill ok'}>${channel.archived_at ? t('archived') : channel.kind === 'voice' ? t('voice') : t('open_to_all')}</span>` },
  { name: t('actions'), silent: true, class: 'end', cell: (channel) => html`<a class="btn small" href=${channelPath(channel.id)} aria-label=${`${t('open')}: ${cleanName(channel.name)}`}>${t('open')}</a>` },
];
