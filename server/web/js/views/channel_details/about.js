/** What the channel is about, and how I keep it. */
import { chat } from '../../chat_api.js';
import { isAtLeast } from '../../channel_roles.js';
import { LEVELS, tune } from '../../channel_tuning.js';
import { shortText } from '../../clock.js';
import { notify } from '../../notices.js';
import { isConversation, putChannel } from '../../store.js';
import { PersonById } from '../admin/invitations.js';
import { Check, Choice, Field, FormError, TextArea } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html } from '../html.js';

const NAME_CHARACTERS = 80;
const TOPIC_CHARACTERS = 250;
const DESCRIPTION_CHARACTERS = 1_000;

/** @typedef {import('../../store.js').Channel} Channel */

/** @param {{channel:Channel & {created_at?:string}}} props */
export function About({ channel }) {
  const mayChange = !isConversation(channel) && isAtLeast(channel.role, 'admin') && !channel.archived_at;
  return html`${mayChange ? html`<${Words} channel=${channel} />` : html`<dl class="facts">
      ${channel.topic && html`<div><dt>Topic</dt><dd><bdi>${channel.topic}</bdi></dd></div>`}
      ${channel.description && html`<div><dt>About</dt><dd><bdi>${channel.description}</bdi></dd></div>`}
      ${channel.created_at && html`<div><dt>Since</dt><dd>${shortText(channel.created_at)}</dd></div>`}
      ${channel.owner_id && html`<div><dt>Owner</dt><dd><${PersonById} userId=${channel.owner_id} /></dd></div>`}</dl>`}
    ${channel.role && html`<section class="block" aria-label="For you"><div class="block-h"><h2>For you</h2></div>
      <${Choice} id="channel-level" label="Tell me of" value=${channel.notification_level ?? 'default'} options=${LEVELS} onInput=${(/** @type {string} */ level) => void tune(channel, { notification_level: level })} />
      <${Check} id="channel-starred" checked=${Boolean(channel.starred)} onChange=${(/** @type {boolean} */ starred) => void tune(channel, { starred })} help="It stands at the top of your list.">Starred</${Check}>
      <${Check} id="channel-muted" checked=${Boolean(channel.muted)} onChange=${(/** @type {boolean} */ muted) => void tune(channel, { muted })} help="It stays grey when something new comes, unless you are mentioned.">Muted</${Check}></section>`}`;
}

/** @param {{channel:Channel}} props */
function Words({ channel }) {
  const save = (/** @type {any} */ { name, topic, description }) => chat.changeChannel(channel.id, { name: name.trim(), topic: topic.trim(), description: description.trim() });
  const { field, busy, message, onSubmit } = useForm({ name: channel.name, topic: channel.topic ?? '', description: channel.description ?? '' }, save, {
    done: (saved) => {
      putChannel(saved);
      notify('The channel is changed.');
    },
  });
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('name', 'channel-')} label="Name" required maxlength=${NAME_CHARACTERS} autocomplete="off" />
    <${Field} ...${field('topic', 'channel-')} label="Topic" maxlength=${TOPIC_CHARACTERS} autocomplete="off" help="What is talked about at the moment. It stands beside the name." />
    <${TextArea} ...${field('description', 'channel-')} label="What belongs here" rows="2" maxlength=${DESCRIPTION_CHARACTERS} />
    <div class="btns"><${Submit} busy=${busy}>Save</${Submit}></div>
  </form>`;
}
