/** A channel: its heading, its messages, and what one can write into it. */
import { changes } from '../changes.js';
import { chat } from '../chat_api.js';
import { cleanName } from '../clean.js';
import { tune } from '../channel_tuning.js';
import { summarize } from '../message_actions.js';
import { isAtLeast } from '../channel_roles.js';
import { citedSeq, markedSeq, openDialog, panel, sidebarOpen, toggleAssistant, togglePins } from '../layout.js';
import { holdUnread } from '../marks.js';
import { loadMembers } from '../members.js';
import { channelTitle } from '../names.js';
import { attempt } from '../notices.js';
import { leaveChannelView, loadAround, loadLatest } from '../pages.js';
import { navigate, route, searchPath, visits } from '../router.js';
import { changeTimeline, channels, channelsLoaded, info, isConversation, me, members, putChannel, timelineOf, timelines } from '../store.js';
import { t } from '../words.js';
import { call } from '../voice/state.js';
import { join } from '../workspace.js';
import { Avatar, StatusText } from './avatar.js';
import { html, useEffect, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { lazy } from './lazy.js';
import { MessageLog } from './log.js';
import { Menu } from './menu.js';
import { ChannelIcon, channelLabel } from './channel_name.js';
import { VoiceBar } from './sidebar.js';
import { TypingLine } from './typing.js';

/** @typedef {import('../store.js').Channel} Channel */

export const Composer = lazy(() => import('./composer.js'), 'Composer', { wordless: true, inChannel: true, class: 'box is-coming' });
const VoiceStage = lazy(() => import('./voice/stage.js'), 'VoiceStage', { quiet: true });

/** @param {{channelId:string}} props */
export function ChannelView({ channelId }) {
  const channel = channels.value.get(channelId);
  const [missing, setMissing] = useState('');
  useEffect(() => {
    if (!channelsLoaded.value || channel) return;
    // Not one of mine: perhaps a public one to look into.
    chat.channel(channelId).then((found) => putChannel({ role: null, ...found }), (error) => setMissing(error.message));
  }, [channelId, channelsLoaded.value, Boolean(channel), changes.sight.value]);
  useEffect(() => setMissing(''), [channelId]);
  if (!channel) {
    return html`<main class="main" id="main"><header class="top"><${MenuButton} /></header>
      <div class="empty">${missing ? html`<h1>${t('not_here')}</h1><p>${t('this_channel_does_not_exist_or')}</p>` : html`<p role="status">${t('loading')}</p>`}</div></main>`;
  }
  return html`<main class="main" id="main"><${Heading} channel=${channel} />${call.value && html`<${VoiceBar} inPage />`}
    ${channel.kind === 'voice' && channel.role && html`<${VoiceStage} channel=${channel} />`}<${Conversation} channel=${channel} /></main>`;
}

function MenuButton() {
  return html`<${IconButton} icon="menu" label=${t('open_channel_list')} class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} />`;
}

/** @param {{channel:Channel}} props */
function Heading({ channel }) {
  const list = members.value.get(channel.id) ?? [];
  const others = list.filter(({ user }) => user.id !== me.value?.id);
  useEffect(() => void loadMembers(channel.id), [channel.id]);
  return html`<header class="top">
    <${MenuButton} />
    <h1><${ChannelIcon} channel=${channel} /><bdi>${cleanName(channelTitle(channel))}</bdi></h1>
    ${(channel.topic || channel.description) && html`<span class="topic"><bdi>${cleanName(channel.topic || channel.description)}</bdi></span>`}
    ${channel.kind === 'direct' && others.length === 1 && html`<span class="topic"><${StatusText} userId=${others[0].user.id} /></span>`}
    <span class="acts">
      <button class="members" onClick=${() => openDialog('details')} title=${t('members_and_details')}><span class="stack">${list.slice(0, 3).map(({ user }) => html`<${Avatar} key=${user.id} user=${user} size="xs" />`)}</span>
        <span>${channel.member_count}<span class="sr"> ${t('members_details')}</span></span></button>
      <${IconButton} icon="pin" label=${t('pinned_messages')} pressed=${panel.value === 'pins'} onClick=${togglePins} />
      <${IconButton} icon="find" label=${t('search_in_this_channel')} onClick=${() => navigate(searchPath(isConversation(channel) ? '' : `in:${channel.name} `))} />
      <${IconButton} icon="spark" label=${t('assistant')} class="ai" pressed=${panel.value === 'assistant'} onClick=${toggleAssistant} />
      <${Menu} label=${t('more_of_this_channel')} floating items=${menuItems(channel)}><span class="icon-btn"><${Icon} name="more" /></span></${Menu}>
    </span>
  </header>`;
}

/** @param {Channel} channel @returns {(import('./menu.js').MenuItem|false)[]} */
function menuItems(channel) {
  const named = !isConversation(channel);
  const manages = named && isAtLeast(channel.role, 'admin');
  const hasAssistant = info.value?.features?.assistant !== false;
  const show = (/** @type {string} */ tab) => () => openDialog('details', { tab });
  return [
    Boolean(channel.role) && { label: channel.starred ? t('take_the_star_away') : t('star'), icon: 'star', act: () => void tune(channel, { starred: !channel.starred }) },
    Boolean(channel.role) && { label: channel.muted ? t('unmute') : t('mute'), icon: channel.muted ? 'bell' : 'mute', act: () => void tune(channel, { muted: !channel.muted }) },
    { label: t('notifications_and_details'), icon: 'bell', act: show('about') },
    hasAssistant && { label: channel.unread_count ? t('sum_up_the_unread') : t('sum_up_the_channel'), icon: 'spark', act: () => void summarize(channel.unread_count ? t('sum_up_unread_in', { channel: channelLabel({ channel }) }) : t('sum_up_name', { channel: channelLabel({ channel }) }), { channel_id: channel.id, unread: Boolean(channel.unread_count) }) },
    { label: t('members'), icon: 'users', act: show('members') },
    manages && { label: t('invite_with_a_code'), icon: 'userplus', act: show('invitations') },
    manages && { label: t('settings'), icon: 'gear', act: show('settings') },
  ];
}

/** @param {{channel:Channel}} props */
function Conversation({ channel }) {
  const timeline = timelines.value.get(channel.id);
  const seq = route.value.channelId === channel.id ? route.value.seq : 0;
  const needed = !timeline || (!timeline.loaded && !timeline.loading && !timeline.error);
  useEffect(() => {
    if (seq) void loadAround(channel.id, seq);
    else if (needed) void loadLatest(channel.id);
  }, [channel.id, seq, visits.value, needed]);
  useEffect(() => {
    markedSeq.value = seq;
    if (citedSeq.value !== seq) citedSeq.value = 0;
  }, [seq, visits.value]);
  useNewDivider(channel);
  useEffect(() => () => { holdUnread(''); leaveChannelView(channel.id); }, [channel.id]);
  return html`<${MessageLog} channel=${channel} timeline=${timeline ?? timelineOf(channel.id)} jumpSeq=${seq} jumpVisit=${visits.value} />
    <div class="compose"><${Writing} channel=${channel} /></div>`;
}

/** Where one writes, or why one cannot. @param {{channel:Channel}} props */
function Writing({ channel }) {
  const title = cleanName(channelTitle(channel));
  if (channel.role && !channel.archived_at) {
    return html`<${Composer} channelId=${channel.id} placeholder=${t('message', { value: isConversation(channel) ? '' : '#', title })} /><${TypingLine} channelId=${channel.id} />`;
  }
  if (channel.role) {
    const takeOut = () => attempt(chat.unarchive(channel.id)).then((changed) => { if (changed !== undefined) putChannel(changed?.id ? changed : { id: channel.id, archived_at: null }); });
    return html`<div class="joinbar"><span>${t('this_channel_is_archived_it_can')}</span>${isAtLeast(channel.role, 'admin') && html`<button class="btn" onClick=${() => void takeOut()}>${t('take_it_out')}</button>`}</div>`;
  }
  return html`<div class="joinbar"><span>${t('you_are_looking_at')} <b><${ChannelIcon} channel=${channel} /><bdi>${title}</bdi></b></span>
    ${channel.kind === 'public' || channel.kind === 'voice' ? html`<button class="btn primary" onClick=${() => join(channel.id)}>${t('join_channel')}</button>` : html`<span>${t('opened_by_break_glass_you_can')}</span>`}</div>`;
}

/** The line above what is new stays where it was when the channel was opened. @param {Channel} channel */
function useNewDivider(channel) {
  useEffect(() => {
    const from = (channel.unread_count ?? 0) > 0 ? channel.read_seq ?? 0 : null;
    changeTimeline(channel.id, (timeline) => ({ ...timeline, dividerSeq: from }));
    return () => { if (timelines.value.has(channel.id)) changeTimeline(channel.id, (timeline) => ({ ...timeline, dividerSeq: null })); };
  }, [channel.id]);
}
