import { computed } from '../../vendor/signals-core.js';
import { cleanName } from '../clean.js';
import { draftKeys } from '../drafts.js';
import { countText, meansMe } from '../inbox.js';
import { openDialog, panel, sidebarOpen, toggleAssistant, toggleInbox, toggleMentions } from '../layout.js';
import { channelTitle, othersIn } from '../names.js';
import { may } from '../permissions.js';
import { channelPath, route } from '../router.js';
import { connection, inbox, info, isConversation, me, myChannels, presences, threads } from '../store.js';
import { unreadThreads } from '../threads.js';
import { t } from '../words.js';
import { call } from '../voice/state.js';
import { AssistantMark, Avatar, PresenceWord, StatusText } from './avatar.js';
import { html, useLayoutEffect, useRef, useState } from './html.js';
import { Icon, IconButton, Logo } from './icon.js';
import { MyCorner } from './me.js';
import { ChannelIcon } from './channel_name.js';
import { lazy } from './lazy.js';
import { Menu } from './menu.js';
import { present, VoicePeople } from './voice/people.js';

/** @typedef {import('../store.js').Channel} Channel */

export const VoiceBar = lazy(() => import('./voice/bar.js'), 'VoiceBar', { quiet: true });

/** Made once: a comparison without it makes one for each pair, and 2,000 channels are compared with every message. */
const collator = new Intl.Collator(undefined, { numeric: true });

/** @param {Channel[]} channels @param {(channel:Channel)=>string} title @param {(left:Channel, right:Channel)=>number} [first] */
function ordered(channels, title, first = () => 0) {
  const titles = new Map(channels.map((channel) => [channel, title(channel)]));
  return channels.sort((left, right) => first(left, right) || collator.compare(titles.get(left) ?? '', titles.get(right) ?? ''));
}

/** What I starred, of every kind. */
const starred = computed(() => ordered(myChannels.value.filter((channel) => channel.starred), channelTitle));
const byName = computed(() => ordered(myChannels.value.filter((channel) => !channel.starred && !isConversation(channel)), ({ name }) => name));
/** Conversations, those with something new first. */
const conversations = computed(() => ordered(myChannels.value.filter((channel) => !channel.starred && isConversation(channel)), channelTitle,
  (left, right) => Number(Boolean(right.unread_count)) - Number(Boolean(left.unread_count))));

/** Channels in the order the sidebar shows them. */
export function sidebarOrder() {
  return [...starred.value, ...byName.value, ...conversations.value];
}

/** The channel on screen is in view in the list too, however one came to it. */
function useCurrentInView() {
  const { channelId } = route.value;
  useLayoutEffect(() => { document.querySelector('.side a[aria-current="page"]')?.scrollIntoView({ block: 'nearest' }); }, [channelId]);
}

export function Sidebar() {
  useCurrentInView();
  const mayCreate = may(me.value, 'channels.create') || may(me.value, 'channels.create_private');
  const online = [...presences.value.values()].filter((status) => status !== 'offline').length;
  return html`<nav class="side" aria-label=${t('workspace')}>
    <div class="ws">
      <${Logo} />
      <div class="ws-t"><span class="name">${cleanName(info.value?.name ?? 'Confab')}</span>
        <span class="sub">${connection.value.status === 'online' ? (online ? t('people_online', { count: online }) : t('connected')) : t('connecting')}</span></div>
      <${Menu} label=${t('new_message_or_channel')} floating items=${[
        { label: t('new_direct_message'), icon: 'edit', act: () => openDialog('direct') },
        mayCreate && { label: t('create_a_channel'), icon: 'hash', act: () => openDialog('create') },
        { label: t('browse_channels'), icon: 'list', act: () => openDialog('browse') },
        may(me.value, 'users.invite') && { label: t('invite_people'), icon: 'userplus', act: () => openDialog('invite') },
      ]}><span class="icon-btn"><${Icon} name="plus" /></span></${Menu}>
    </div>
    <button class="jump" onClick=${() => openDialog('switcher')}><${Icon} name="find" small /> ${t('jump_to_or_search')} <kbd>${isApple() ? '⌘' : t('ctrl')}K</kbd></button>
    <div class="side-scroll" tabindex="0" role="region" aria-label=${t('channels_and_conversations')} onClick=${closeOnFollow}>
      <${PaneRow} name="inbox" icon="inbox" title=${t('inbox')} count=${inbox.value.unread} open=${toggleInbox} quiet=${inbox.value.waiting.some(meansMe)} />
      <${PaneRow} name="mentions" icon="at" title=${t('mentions')} count=${inbox.value.waiting.filter(meansMe).length} open=${toggleMentions} />
      <${PageRow} names=${['threads']} path="/threads" icon="thread" title=${t('threads')} count=${unreadThreads(threads.value)} />
      <${PageRow} names=${['saved', 'later']} path="/saved" icon="mark" title=${t('saved')} />
      ${starred.value.length > 0 && html`<div class="sec"><h2 class="sec-h">${t('starred')}</h2><${Rows} channels=${starred.value} /></div>`}
      <div class="sec"><h2 class="sec-h">${t('channels')} <${IconButton} icon="plus" small label=${mayCreate ? t('create_a_channel') : t('browse_channels')} onClick=${() => openDialog(mayCreate ? 'create' : 'browse')} /></h2>
        <${Rows} channels=${byName.value} />
      </div>
      <div class="sec"><h2 class="sec-h">${t('direct_messages')} <${IconButton} icon="plus" small label=${t('new_direct_message')} onClick=${() => openDialog('direct')} /></h2>
        <button class="row" aria-expanded=${panel.value === 'assistant'} onClick=${toggleAssistant}><${AssistantMark} /><span class="t">${t('assistant')}</span></button>
        <${Rows} channels=${conversations.value} />
      </div>
    </div>
    ${call.value && html`<${VoiceBar} />`}
    <${MyCorner} />
  </nav>`;
}

/** A list that is longer than this is drawn where one looks only. */
const WHOLE_ROWS = 120;
/** Rows drawn beyond what is in view, above and below: the keyboard finds the next one there. */
const BEYOND_ROWS = 12;
/** The people in a voice channel stand below its row. */
const PEOPLE_PX = 24;

/** @param {{channels:Channel[]}} props */
function Rows({ channels }) {
  return channels.length > WHOLE_ROWS ? html`<${WindowedRows} channels=${channels} />` : channels.map((channel) => html`<${ChannelRow} key=${channel.id} channel=${channel} />`);
}

/** Where each row begins, and at last where all end. @param {Channel[]} channels @param {number} rowPx */
function offsetsOf(channels, rowPx) {
  const offsets = [0];
  for (const channel of channels) offsets.push(offsets[offsets.length - 1] + rowPx + (channel.kind === 'voice' && present(channel.id).length ? PEOPLE_PX : 0));
  return offsets;
}

/** Two thousand channels as forty rows: those in view and some around them, with room kept for the others. @param {{channels:Channel[]}} props */
function WindowedRows({ channels }) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const [view, setView] = useState({ top: 0, height: 1_000, rowPx: 32 });
  useLayoutEffect(() => {
    const list = element.current;
    const scroller = list?.closest('.side-scroll');
    if (!list || !scroller) return undefined;
    const look = () => {
      const rowPx = /** @type {HTMLElement|null} */ (list.querySelector('.row'))?.offsetHeight || 32;
      const top = scroller.getBoundingClientRect().top - list.getBoundingClientRect().top;
      // In steps of a few rows: scrolling by one draws nothing.
      const step = rowPx * 4;
      setView((known) => (Math.floor(known.top / step) === Math.floor(top / step) && known.height === scroller.clientHeight && known.rowPx === rowPx ? known : { top, height: scroller.clientHeight, rowPx }));
    };
    look();
    scroller.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(scroller);
    return () => { scroller.removeEventListener('scroll', look); observer.disconnect(); };
  }, []);
  const offsets = offsetsOf(channels, view.rowPx);
  const current = channels.findIndex(({ id }) => id === route.value.channelId);
  useLayoutEffect(() => {
    const scroller = element.current?.closest('.side-scroll');
    if (!scroller || !element.current || current < 0) return;
    const at = element.current.getBoundingClientRect().top - scroller.getBoundingClientRect().top + offsets[current];
    if (at < 0 || at + view.rowPx > scroller.clientHeight) scroller.scrollTop += at - scroller.clientHeight / 2;
  }, [route.value.channelId]);
  const from = Math.max(0, offsets.findIndex((offset) => offset > view.top) - 1 - BEYOND_ROWS);
  const below = offsets.findIndex((offset) => offset >= view.top + view.height);
  const to = Math.min(channels.length, (below < 0 ? channels.length : below) + BEYOND_ROWS);
  return html`<div ref=${element} class="rows" style=${{ paddingTop: `${offsets[from]}px`, paddingBottom: `${Math.max(0, offsets[channels.length] - offsets[to])}px` }}>
    ${channels.slice(from, to).map((channel) => html`<${ChannelRow} key=${channel.id} channel=${channel} />`)}</div>`;
}

/** Opens a pane. @param {{name:string, icon:string, title:string, count:number, open:()=>void, quiet?:boolean}} props quiet: the number is said elsewhere too */
function PaneRow({ name, icon, title, count, open, quiet = false }) {
  return html`<button class=${count && !quiet ? 'row is-unread' : 'row'} aria-expanded=${panel.value === name} onClick=${open}><${Icon} name=${icon} /><span class="t">${title}</span>
    ${count > 0 && html`<span class="end"><span class=${quiet ? 'badge quiet' : 'badge'}>${countText(count)}<span class="sr"> ${t('unread')}</span></span></span>`}</button>`;
}

/** @param {{names:string[], path:string, icon:string, title:string, count?:number}} props names: the pages that it stands for */
function PageRow({ names, path, icon, title, count = 0 }) {
  return html`<a class=${count ? 'row is-unread' : 'row'} href=${path} aria-current=${names.includes(route.value.name) ? 'page' : undefined}><${Icon} name=${icon} /><span class="t">${title}</span>
    ${count > 0 && html`<span class="end"><span class="badge">${countText(count)}<span class="sr"> ${t('unread')}</span></span></span>`}</a>`;
}

/** @param {Event} event */
function closeOnFollow(event) {
  if (/** @type {Element} */ (event.target).closest('a')) sidebarOpen.value = false;
}

export function isApple() {
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
      ${channel.muted && html`<span class="draft" title=${t('muted')}><${Icon} name="mute" small /><span class="sr">${t('muted')}</span></span>`}
      ${!current && draftKeys.value.has(channel.id) && html`<span class="draft" title=${t('draft')}><${Icon} name="quote" small /><span class="sr">${t('draft')}</span></span>`}
      ${unread && count > 0 && html`<span class="badge">${count > 99 ? '99+' : count}<span class="sr"> ${isConversation(channel) ? t('unread') : t('mentions_lower')}</span></span>`}
      ${channel.kind === 'voice' && present(channel.id).length > 0 && html`<span class="badge quiet">${present(channel.id).length}<span class="sr"> ${t('talking')}</span></span>`}
      ${unread && count === 0 && html`<span class="pip"></span><span class="sr">${t('unread')}</span>`}
    </span>
  </a>`;
  return channel.kind === 'voice' ? html`<div class="talk">${row}<${VoicePeople} channel=${channel} /></div>` : row;
}

/** The one other person of a direct conversation. @param {Channel} channel */
function partner(channel) {
  const others = channel.kind === 'direct' ? othersIn(channel) : [];
  return others.length === 1 ? others[0] : undefined;
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
