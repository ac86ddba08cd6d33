/** Who talks in a voice channel, below its row of the list, and the way in. */
import { api } from '../../api.js';
import { cleanName } from '../../clean.js';
import { me, meet, users, voiceRooms } from '../../store.js';
import { call, voice } from '../../voice/state.js';
import { personName } from '../../names.js';
import { attempt } from '../../notices.js';
import { t } from '../../words.js';
import { Avatar } from '../avatar.js';
import { html, useEffect } from '../html.js';
import { IconButton } from '../icon.js';

/** @typedef {import('../../voice/link.js').Participant} Participant */

/** Pictures in the list; the others are a number. */
const SHOWN = 4;

/** As those who are in see it, and else as everybody is told. @param {string} channelId @returns {Participant[]} */
export function present(channelId) {
  return call.value?.channelId === channelId && call.value.participants.length ? call.value.participants : voiceRooms.value.get(channelId) ?? [];
}

/** Whoever is not known by name yet is asked for. @param {Participant[]} people */
export function useNames(people) {
  const unknown = people.map((one) => one.user_id).find((id) => !users.value.has(id));
  useEffect(() => { if (unknown) api.user(unknown).then((user) => meet([user]), () => {}); }, [unknown]);
}

/** @param {Participant} one */
export function nameOf(one) {
  return cleanName(personName(users.value.get(one.user_id)));
}

/** @param {string} channelId */
export function enter(channelId) {
  void attempt(voice().then((calls) => calls.joinCall(channelId)));
}

/** @param {{channel:import('../../store.js').Channel}} props */
export function VoicePeople({ channel }) {
  const people = present(channel.id);
  useNames(people);
  const isIn = call.value?.channelId === channel.id;
  const names = people.map((one) => (one.user_id === me.value?.id ? t('you_2') : nameOf(one).split(' ')[0]));
  return html`${!isIn && !channel.archived_at && html`<${IconButton} icon="mic" small class="talk-in" label=${t('talk_in', { name: cleanName(channel.name) })} onClick=${() => enter(channel.id)} />`}
    ${people.length > 0 && html`<div class="voice"><span class="stack">${people.slice(0, SHOWN).map((one) => html`<span key=${one.participant_id} class=${one.speaking ? 'speaks' : ''}><${Avatar} user=${users.value.get(one.user_id) ?? { id: one.user_id, username: '?' }} size="xs" /></span>`)}</span>
      <span class="voice-t"><span class="sr">${t('talking_2')} </span><bdi>${names.slice(0, SHOWN).join(', ')}</bdi>${people.length > SHOWN ? t('and_more', { value: people.length - SHOWN }) : ''}</span></div>`}`;
}
