import { cleanName } from '../format.js';
import { draftKeys } from '../drafts.js';
import { countText } from '../inbox.js';
import { openDialog, panel, sidebarOpen, toggleAssistant, toggleInbox } from '../layout.js';
import { channelTitle } from '../names.js';
import { may } from '../permissions.js';
import { channelPath, laterPath, route, searchPath } from '../router.js';
import { connection, inbox, info, isConversation, me, members, myChannels, presences, threads } from '../store.js';
import { unreadThreads } from '../threads.js';
import { call } from '../voice/state.js';
import { Avatar, PresenceWord, StatusText } from './avatar.js';
import { html } from './html.js';
import { Icon, IconButton, Logo } from './icon.js';
import { MyCorner } from './me.js';
import { ChannelIcon } from './shell.js';
import { lazy } from './lazy.js';
import { present, VoicePeople } from './voice/people.js';

/** @typedef {import('../store.js').Channel} Channel */

export const VoiceBar = lazy(() => import('./voice/bar.js'), 'VoiceBar', { quiet: true });

/** What I starred, of every kind. */
function starred() {
  return myChannels.value.filter((channel) => channel.starred).sort((left, right) => channelTitle(left).localeCompare(channelTitle(right)));
}

function byName() {
  return myChannels.value.filter((channel) => !channel.starred && !isConversation(channel)).sort((left, right) => left.name.localeCompare(right.name));
}

/** Conversations, the one with the newest message first. */
function conversations() {
  return myChannels.value.filter((channel) => !channel.starred && isConversation(channel)).sort((left, right) => Number(Boolean(right.unread_count)) - Number(Boolean(left.unread_count)) || channelTitle(left).localeCompare(channelTitle(right)));
}

/** Channels in the order the sidebar shows them. */
export function sidebarOrder() {
  return [...starred(), ...byName(), ...conversations()];
}

export function Sidebar() {
  const mayCreate = may(me.value, 'channels.create') || may(me.value, 'channels.create_private');
  const online = [...presences.value.values()].filter((status) => status !== 'offline').length;
  return html`<nav class="side" aria-label="Workspace">
    <div class="ws">
      <${Logo} />
      <div class="ws-t"><span class="name">${cleanName(info.value?.name ?? 'Confab')}</span>
        <span class="sub">${connection.value.status === 'online' ? (online ? `${online} ${online === 1 ? 'person' : 'people'} online` : 'Connected') : 'Connecting…'}</span></div>
      ${may(me.value, 'users.invite') && html`<${IconButton} icon="userplus" label="Invite people" onClick=${() => openDialog('invite')} />`}
    </div>
    <button class="jump" onClick=${() => openDialog('switcher')}><${Icon} name="find" small /> Jump to or search <kbd>${isApple() ? '⌘' : 'Ctrl '}K</kbd></button>
    <div class="side-scroll" tabindex="0" role="region" aria-label="Channels and conversations" onClick=${closeOnFollow}>
      <a class="row" href=${searchPath('')} aria-current=${route.value.name === 'search' ? 'page' : undefined}><${Icon} name="find" /><span class="t">Search</span></a>
      <button class=${inbox.value.unread ? 'row is-unread' : 'row'} aria-expanded=${panel.value === 'inbox'} onClick=${toggleInbox}><${Icon} name="bell" /><span class="t">Inbox</span>
        ${inbox.value.unread > 0 && html`<span class="end"><span class="badge">${countText(inbox.value.unread)}<span class="sr"> unread</span></span></span>`}</button>
      <${PageRow} name="threads" path="/threads" icon="thread" title="Threads" count=${unreadThreads(threads.value)} />
      <${PageRow} name="saved" path="/saved" icon="mark" title="Saved" />
      <${PageRow} name="later" path=${laterPath()} icon="clock" title="Drafts and later" count=${draftKeys.value.size} quiet />
      <button class="row" onClick=${toggleAssistant}><${Icon} name="spark" /><span class="t">Assistant</span></button>
      ${starred().length > 0 && html`<div class="sec"><h2 class="sec-h">Starred</h2>${starred().map((channel) => html`<${ChannelRow} key=${channel.id} channel=${channel} />`)}</div>`}
      <div class="sec"><h2 class="sec-h">Channels ${mayCreate && html`<${IconButton} icon="plus" small label="Create a channel" onClick=${() => openDialog('create')} />`}</h2>
        ${byName().map((channel) => html`<${ChannelRow} key=${channel.id} channel=${channel} />`)}
        <button class="row is-muted" onClick=${() => openDialog('browse')}><${Icon} name="list" /><span class="t">Browse channels</span></button>
      </div>
      <div class="sec"><h2 class="sec-h">Direct messages <${IconButton} icon="plus" small label="New direct message" onClick=${() => openDialog('direct')} /></h2>
        ${conversations().map((channel) => html`<${ChannelRow} key=${channel.id} channel=${channel} />`)}
      </div>
    </div>
    ${call.value && html`<${VoiceBar} />`}
    <${MyCorner} />
  </nav>`;
}

/** @param {{name:string, path:string, icon:string, title:string, count?:number, quiet?:boolean}} props quiet: the number is no news */
function PageRow({ name, path, icon, title, count = 0, quiet = false }) {
  return html`<a class=${count && !quiet ? 'row is-unread' : 'row'} href=${path} aria-current=${route.value.name === name ? 'page' : undefined}><${Icon} name=${icon} /><span class="t">${title}</span>
    ${count > 0 && html`<span class="end"><span class=${quiet ? 'badge quiet' : 'badge'}>${countText(count)}<span class="sr">${quiet ? ' drafts' : ' unread'}</span></span></span>`}</a>`;
}

/** @param {Event} event */
function closeOnFollow(event) {
  if (/** @type {Element} */ (event.target).closest('a')) sidebarOpen.value = false;
}

function isApple() {
  return /Mac|iPhone|iPad/.test(navigator.platform);
}

/** @param {{channel:Channel}} props */
function ChannelRow({ channel }) {
  const current = route.value.name === 'channel' && route.value.channelId === channel.id;
  // A muted channel is quiet until somebody means me.
  const count = channel.mention_count || (isConversation(channel) && !channel.muted ? channel.unread_count : 0) || 0;
  const unread = (channel.unread_count ?? 0) > 0 && !current && (!channel.muted || count > 0);
  const row = html`<a class=${`row ${unread ? 'is-unread' : channel.muted ? 'is-muted' : ''}`} href=${channelPath(channel.id)} aria-current=${current ? 'page' : undefined}>
    <${RowMark} channel=${channel} />
    <span class="t"><bdi>${cleanName(channelTitle(channel))}</bdi><${RowPresence} channel=${channel} /></span>
    <span class="end">
      ${channel.muted && html`<span class="draft" title="Muted"><${Icon} name="mute" small /><span class="sr">Muted</span></span>`}
      ${!current && draftKeys.value.has(channel.id) && html`<span class="draft" title="Draft"><${Icon} name="edit" small /><span class="sr">Draft</span></span>`}
      ${unread && count > 0 && html`<span class="badge">${count > 99 ? '99+' : count}<span class="sr">${isConversation(channel) ? ' unread' : ' mentions'}</span></span>`}
      ${channel.kind === 'voice' && present(channel.id).length > 0 && html`<span class="badge quiet">${present(channel.id).length}<span class="sr"> talking</span></span>`}
      ${unread && count === 0 && html`<span class="pip"></span><span class="sr">unread</span>`}
    </span>
  </a>`;
  return channel.kind === 'voice' ? html`<div class="talk">${row}<${VoicePeople} channel=${channel} /></div>` : row;
}

/** The one other person of a direct conversation. @param {Channel} channel */
function partner(channel) {
  const others = (members.value.get(channel.id) ?? []).filter((member) => member.user.id !== me.value?.id);
  return channel.kind === 'direct' && others.length === 1 ? others[0].user : undefined;
}

/** @param {{channel:Channel}} props */
function RowMark({ channel }) {
  const person = partner(channel);
  return person ? html`<${Avatar} user=${person} size="sm" presence />` : html`<${ChannelIcon} channel=${channel} />`;
}

/** @param {{channel:Channel}} props */
function RowPresence({ channel }) {
  const person = partner(channel);
  return person ? html` <${StatusText} userId=${person.id} /><${PresenceWord} userId=${person.id} />` : null;
}
