/** Above the messages of a voice channel: who talks, and the screens that they show. */
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
  return html`<section class="stage" aria-label="Voice channel">
    ${screens.map((one) => html`<${Screen} key=${one.participant_id} name=${nameOf(one)} stream=${call.value?.screens[one.participant_id]} />`)}
    <ul class="tiles">${people.map((one) => html`<${Tile} key=${one.participant_id} one=${one} />`)}</ul>
    ${!people.length && html`<p class="stage-none">Nobody talks here at the moment.</p>`}
    ${!isIn && html`<button class="btn primary" onClick=${() => enter(channel.id)}><${Icon} name="mic" small /> ${people.length ? 'Join them' : 'Start talking'}</button>`}
  </section>`;
}

/** @param {{one:Participant}} props */
function Tile({ one }) {
  const isMe = one.user_id === me.value?.id;
  const state = call.value?.states[one.participant_id];
  const isCut = state === 'failed' || state === 'disconnected';
  return html`<li class=${`tile ${one.speaking ? 'speaks' : ''} ${isCut ? 'is-cut' : ''}`}>
    <${Avatar} user=${users.value.get(one.user_id) ?? { id: one.user_id, username: '?' }} />
    <span class="tile-t"><bdi>${nameOf(one)}</bdi>${isMe ? ' (you)' : ''}<span class="sr">${one.speaking ? ', speaks' : ''}</span></span>
    ${one.sharing && html`<span class="tile-m" title="Shows their screen"><${Icon} name="share" small /><span class="sr">Shows their screen</span></span>`}
    ${one.muted && html`<span class="tile-m" title="Muted"><${Icon} name="micoff" small /><span class="sr">Muted</span></span>`}
    ${one.deafened && html`<span class="tile-m" title="Hears nothing"><${Icon} name="earoff" small /><span class="sr">Hears nothing</span></span>`}
    ${isCut && html`<span class="tile-m" title="No connection">No connection</span>`}
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
  return html`<figure class="screen"><video ref=${element} autoplay playsinline muted aria-label=${`The screen of ${name}`}></video>
    <figcaption><${Icon} name="share" small /> <bdi>${name}</bdi> shows their screen</figcaption>
    <button class="btn" onClick=${() => void element.current?.requestFullscreen?.()}>Full screen</button></figure>`;
}
