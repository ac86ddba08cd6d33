/** Above the messages of a voice channel: who talks, and the screens that they show. */
import { t } from '../../page_words.js';
import { me, users } from '../../store.js';
import { call } from '../../voice/state.js';
import { Avatar } from '../avatar.js';
import { html, useEffect, useRef } from '../html.js';
import { Icon } from '../icon.js';
import { enter, nameOf, present, useNames } from './people.js';

/** @typedef {import('../../voice/link.js').Participant} Participant */

/** @param {{channel:import('../../store.js').Channel}} props */
export function VoiceStage({ channel }) {
  const people = present(channel.id);
  useNames(people);
  const isIn = call.value?.channelId === channel.id;
  if (channel.archived_at) return null;
  const screens = people.filter((one) => isIn && call.value?.screens[one.participant_id]);
  return html`<section class="stage" aria-label=${t('voice_channel')}>
    ${screens.map((one) => html`<${Screen} key=${one.participant_id} name=${nameOf(one)} stream=${call.value?.screens[one.participant_id]} />`)}
    <ul class="tiles">${people.map((one) => html`<${Tile} key=${one.participant_id} one=${one} />`)}</ul>
    ${!people.length && html`<p class="stage-none">${t('nobody_talks_here_at_the_moment')}</p>`}
    ${!isIn && html`<button class="btn primary" onClick=${() => enter(channel.id)}><${Icon} name="mic" small /> ${people.length ? t('join_them') : t('start_talking')}</button>`}
  </section>`;
}

/** @param {{one:Participant}} props */
function Tile({ one }) {
  const isMe = one.user_id === me.value?.id;
  const state = call.value?.states[one.participant_id];
  const isCut = state === 'failed' || state === 'disconnected';
  return html`<li class=${`tile ${one.speaking ? 'speaks' : ''} ${isCut ? 'is-cut' : ''}`}>
    <${Avatar} user=${users.value.get(one.user_id) ?? { id: one.user_id, username: '?' }} />
    <span class="tile-t"><bdi>${nameOf(one)}</bdi>${isMe ? ' (you)' : ''}<span class="sr">${one.speaking ? t('speaks') : ''}</span></span>
    ${one.sharing && html`<span class="tile-m" title=${t('shows_their_screen_2')}><${Icon} name="share" small /><span class="sr">${t('shows_their_screen_2')}</span></span>`}
    ${one.muted && html`<span class="tile-m" title=${t('muted')}><${Icon} name="micoff" small /><span class="sr">${t('muted')}</span></span>`}
    ${one.deafened && html`<span class="tile-m" title=${t('hears_nothing')}><${Icon} name="earoff" small /><span class="sr">${t('hears_nothing')}</span></span>`}
    ${isCut && html`<span class="tile-m" title=${t('no_connection')}>${t('no_connection')}</span>`}
  </li>`;
}

/** @param {{name:string, stream:MediaStream|undefined}} props */
function Screen({ name, stream }) {
  const element = useRef(/** @type {HTMLVideoElement|null} */ (null));
  useEffect(() => {
    const video = element.current;
    if (!video || !stream) return;
    video.srcObject = stream;
    video.play().catch(() => {}); // a page that is not looked at plays later
  }, [stream]);
  return html`<figure class="screen"><video ref=${element} autoplay playsinline muted aria-label=${t('the_screen_of', { name })}></video>
    <figcaption><${Icon} name="share" small /> <bdi>${name}</bdi> ${t('shows_their_screen')}</figcaption>
    <button class="btn" onClick=${() => void element.current?.requestFullscreen?.()}>${t('full_screen')}</button></figure>`;
}
