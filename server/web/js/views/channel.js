/** A channel: its heading, its messages, and what one can write into it. */
import { api } from '../api.js';
import { cleanName } from '../format.js';
import { markedSeq, openDialog, panel, sidebarOpen, toggleAssistant } from '../layout.js';
import { navigate, route, searchPath, visits } from '../router.js';
import { changeTimeline, channels, channelsLoaded, isConversation, members, putChannel, timelineOf, timelines } from '../store.js';
import { channelTitle, join, loadAround, loadLatest, loadMembers } from '../workspace.js';
import { Avatar } from './avatar.js';
import { Composer } from './composer.js';
import { html, useEffect, useState } from './html.js';
import { IconButton } from './icon.js';
import { MessageLog } from './log.js';
import { ChannelIcon } from './shell.js';
import { TypingLine } from './typing.js';

/** @typedef {import('../store.js').Channel} Channel */

/** @param {{channelId:string}} props */
export function ChannelView({ channelId }) {
  const channel = channels.value.get(channelId);
  const [missing, setMissing] = useState('');
  useEffect(() => {
    if (!channelsLoaded.value || channel) return;
    // Not one of mine: perhaps a public one to look into.
    api.channel(channelId).then((found) => putChannel({ role: null, ...found }), (error) => setMissing(error.message));
  }, [channelId, channelsLoaded.value, Boolean(channel)]);
  useEffect(() => setMissing(''), [channelId]);
  if (!channel) {
    return html`<main class="main" id="main"><header class="top"><${MenuButton} /></header>
      <div class="empty">${missing ? html`<h1>Not here</h1><p>This channel does not exist, or you are not in it.</p>` : html`<p role="status">Loading…</p>`}</div></main>`;
  }
  return html`<main class="main" id="main"><${Heading} channel=${channel} /><${Conversation} channel=${channel} /></main>`;
}

function MenuButton() {
  return html`<${IconButton} icon="menu" label="Open channel list" class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} />`;
}

/** @param {{channel:Channel}} props */
function Heading({ channel }) {
  const list = members.value.get(channel.id) ?? [];
  useEffect(() => void loadMembers(channel.id), [channel.id]);
  return html`<header class="top">
    <${MenuButton} />
    <h1><${ChannelIcon} channel=${channel} /><bdi>${cleanName(channelTitle(channel))}</bdi></h1>
    ${(channel.topic || channel.description) && html`<span class="topic"><bdi>${cleanName(channel.topic || channel.description)}</bdi></span>`}
    <span class="acts">
      <button class="members" onClick=${() => openDialog('details')} title="Members and details"><span class="stack">${list.slice(0, 3).map(({ user }) => html`<${Avatar} key=${user.id} user=${user} size="xs" />`)}</span>
        <span>${channel.member_count}<span class="sr"> members, details</span></span></button>
      <${IconButton} icon="find" label="Search in this channel" onClick=${() => navigate(searchPath(isConversation(channel) ? '' : `in:${channel.name} `))} />
      <${IconButton} icon="spark" label="Assistant" class="ai" pressed=${panel.value === 'assistant'} onClick=${toggleAssistant} />
    </span>
  </header>`;
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
  useEffect(() => { markedSeq.value = seq; }, [seq, visits.value]);
  useNewDivider(channel);
  return html`<${MessageLog} channel=${channel} timeline=${timeline ?? timelineOf(channel.id)} jumpSeq=${seq} jumpVisit=${visits.value} />
    ${channel.role ? html`<div class="compose">
      <${Composer} draftKey=${channel.id} channelId=${channel.id} placeholder=${`Message ${isConversation(channel) ? '' : '#'}${cleanName(channelTitle(channel))}`} />
      <${TypingLine} channelId=${channel.id} />
    </div>` : html`<div class="compose"><div class="joinbar"><span>You are looking at <b><${ChannelIcon} channel=${channel} /><bdi>${cleanName(channelTitle(channel))}</bdi></b></span>
      ${channel.kind === 'public' || channel.kind === 'voice' ? html`<button class="btn primary" onClick=${() => join(channel.id)}>Join channel</button>` : html`<span>Opened by break-glass: you can read, no more.</span>`}</div></div>`}`;
}

/** The line above what is new stays where it was when the channel was opened. @param {Channel} channel */
function useNewDivider(channel) {
  useEffect(() => {
    const from = (channel.unread_count ?? 0) > 0 ? channel.read_seq ?? 0 : null;
    changeTimeline(channel.id, (timeline) => ({ ...timeline, dividerSeq: from }));
    return () => { if (timelines.value.has(channel.id)) changeTimeline(channel.id, (timeline) => ({ ...timeline, dividerSeq: null })); };
  }, [channel.id]);
}
