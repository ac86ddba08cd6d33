/** What the channel is about, and how I keep it. */
import { chat } from '../../page_chat_api.js';
import { isAtLeast } from '../../channel_roles.js';
import { LEVELS, tune } from '../../channel_tuning.js';
import { shortText } from '../../clock.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
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
      ${channel.topic && html`<div><dt>${t('topic')}</dt><dd><bdi>${channel.topic}</bdi></dd></div>`}
      ${channel.description && html`<div><dt>${t('about')}</dt><dd><bdi>${channel.description}</bdi></dd></div>`}
      ${channel.created_at && html`<div><dt>${t('since')}</dt><dd>${shortText(channel.created_at)}</dd></div>`}
      ${channel.owner_id && html`<div><dt>${t('owner')}</dt><dd><${PersonById} userId=${channel.owner_id} /></dd></div>`}</dl>`}
    ${channel.role && html`<section class="block" aria-label=${t('for_you')}><div class="block-h"><h2>${t('for_you')}</h2></div>
      <${Choice} id="channel-level" label=${t('tell_me_of')} value=${channel.notification_level ?? 'default'} options=${LEVELS} onInput=${(/** @type {string} */ level) => void tune(channel, { notification_level: level })} />
      <${Check} id="channel-starred" checked=${Boolean(channel.starred)} onChange=${(/** @type {boolean} */ starred) => void tune(channel, { starred })} help=${t('it_stands_at_the_top_of')}>${t('starred')}</${Check}>
      <${Check} id="channel-muted" checked=${Boolean(channel.muted)} onChange=${(/** @type {boolean} */ muted) => void tune(channel, { muted })} help=${t('it_stays_grey_when_something_new')}>${t('muted')}</${Check}></section>`}`;
}

/** @param {{channel:Channel}} props */
function Words({ channel }) {
  const save = (/** @type {any} */ { name, topic, description }) => chat.changeChannel(channel.id, { name: name.trim(), topic: topic.trim(), description: description.trim() });
  const { field, busy, message, onSubmit } = useForm({ name: channel.name, topic: channel.topic ?? '', description: channel.description ?? '' }, save, {
    done: (saved) => {
      putChannel(saved);
      notify(t('the_channel_is_changed'));
    },
  });
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('name', 'channel-')} label=${t('name')} required maxlength=${NAME_CHARACTERS} autocomplete="off" />
    <${Field} ...${field('topic', 'channel-')} label=${t('topic')} maxlength=${TOPIC_CHARACTERS} autocomplete="off" help=${t('what_is_talked_about_at_the')} />
    <${TextArea} ...${field('description', 'channel-')} label=${t('what_belongs_here')} rows="2" maxlength=${DESCRIPTION_CHARACTERS} />
    <div class="btns"><${Submit} busy=${busy}>${t('save')}</${Submit}></div>
  </form>`;
}
