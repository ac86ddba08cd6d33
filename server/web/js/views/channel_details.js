/** The channel on screen: what it is, who is in it, who may come, and what becomes of it. */
import { dialog, dialogSubject } from '../layout.js';
import { isAtLeast } from '../channel_roles.js';
import { channelTitle } from '../names.js';
import { t } from '../page_words.js';
import { route } from '../router.js';
import { channels, isConversation, me } from '../store.js';
import { About } from './channel_details/about.js';
import { ChannelInvitations } from './channel_details/invitations.js';
import { Members } from './channel_details/members.js';
import { Settings } from './channel_details/settings.js';
import { ChannelWebhooks } from './channel_details/webhooks.js';
import { Dialog } from './dialog.js';
import { html, useState } from './html.js';
import { Tabs } from './tabs.js';

export function ChannelDetails() {
  const channel = channels.value.get(route.value.channelId);
  const [tab, setTab] = useState(dialogSubject.value?.tab ?? 'members');
  if (!channel) return null;
  const named = !isConversation(channel);
  const tabs = [
    { name: 'about', title: t('about'), panel: About },
    { name: 'members', title: t('members_2', { member_count: channel.member_count }), panel: Members },
    named && isAtLeast(channel.role, 'admin') && { name: 'invitations', title: t('invitations'), panel: ChannelInvitations },
    named && (isAtLeast(channel.role, 'admin') || (me.value?.is_superuser && channel.kind !== 'private')) && { name: 'webhooks', title: t('webhooks'), panel: ChannelWebhooks },
    named && isAtLeast(channel.role, 'admin') && { name: 'settings', title: t('settings'), panel: Settings },
  ].filter((one) => one !== false);
  const current = tabs.find(({ name }) => name === tab) ?? tabs[0];
  return html`<${Dialog} title=${named ? `#${channel.name}` : channelTitle(channel)} class="tall">
    <${Tabs} label=${t('parts_of_the_channel')} tabs=${tabs} current=${current.name} choose=${setTab}><${current.panel} channel=${channel} close=${() => { dialog.value = ''; }} /></${Tabs}>
  </${Dialog}>`;
}
