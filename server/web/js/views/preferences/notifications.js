/** What I am told of, when, and by which way. */
import { DAYS, formValues, MAX_KEYWORDS, preferencesBody } from '../../attention_preferences.js';
import { changes } from '../../changes.js';
import { chat } from '../../chat_api.js';
import { fullText, shortText } from '../../clock.js';
import { deviceText } from '../../device.js';
import { notify } from '../../notices.js';
import { ownSubscription, pushSupport, subscribe, unsubscribe } from '../../push.js';
import { laterChoices } from '../../later.js';
import { info } from '../../store.js';
import { Check, Checks, Choice, Field, FormError, TextArea } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useEffect, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';

/** @type {[string, string][]} */
const LEVELS = [['all', 'Every message'], ['mentions', 'Mentions, words I watch, direct messages, my threads'], ['nothing', 'Nothing']];
const PAUSES = /** @type {Record<string,string>} */ ({ hour: 'For an hour', tomorrow: 'Until tomorrow morning', monday: 'Until Monday morning' });
/** @type {[string, string][]} */
const DIGESTS = [['off', 'Never'], ['hourly', 'Every hour'], ['daily', 'Every day']];

export function NotificationPreferences() {
  const { value, error, reload, set } = useLoaded(() => chat.preferences(), [changes.preferences.value]);
  return html`<${SettingsPage} title="Notifications" lead="What you are told of. Each channel can have its own rule, in its details.">
    ${value && html`<${Pause} preferences=${value} changed=${set} />`}
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<${Form} key=${JSON.stringify({ ...value, until: null, is_quiet: null })} preferences=${value} />`}
    <${ThisDevice} />
  </${SettingsPage}>`;
}

/** Nothing for a while, whatever the hours. @param {{preferences:any, changed:(preferences:any)=>void}} props */
function Pause({ preferences, changed }) {
  const paused = preferences.until && new Date(preferences.until) > new Date();
  const until = (/** @type {Date|null} */ at) => async () => changed(await chat.setPreferences({ until: at?.toISOString() ?? null }));
  const choices = laterChoices().filter(({ id }) => id !== 'soon');
  return html`<${Block} title="Pause" lead=${paused ? `Nothing disturbs you until ${shortText(preferences.until)}.` : 'Everything waits in the inbox; nothing is pushed or mailed.'}>
    <div class="btns">${paused ? html`<${Action} run=${until(null)}>Tell me again</${Action}>` : choices.map(({ id, at }) => html`<${Action} key=${id} run=${until(at)}>${PAUSES[id]}</${Action}>`)}</div></${Block}>`;
}

/** @param {{preferences:any}} props */
function Form({ preferences }) {
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const form = useForm(formValues(preferences), (values) => chat.setPreferences(preferencesBody(values, timeZone)), { done: () => notify('Your notifications are saved.') });
  const { values, set, field, busy, message, onSubmit } = form;
  return html`<form onSubmit=${onSubmit}>
    <${Block} title="What">
      <${FormError} error=${message} />
      <${Choice} ...${field('notification_level', 'told-')} label="Tell me of" options=${LEVELS} />
      <${TextArea} ...${field('keywords', 'told-')} label="Words that I watch" rows="2" help=${`A message that holds one of them counts as a mention of you. Commas between them, at most ${MAX_KEYWORDS}.`} /></${Block}>
    <${Block} title="When not">
      <${Check} id="told-quiet" checked=${values.quiet} onChange=${(/** @type {boolean} */ on) => set('quiet', on)} help="Everything waits in the inbox; nothing is pushed or mailed.">Do not disturb me at certain hours</${Check}>
      ${values.quiet && html`<div class="two"><${Field} ...${field('from', 'told-')} label="From" type="time" required /><${Field} ...${field('to', 'told-')} label="To" type="time" required /></div>
        <${Checks} legend="On these days" options=${DAYS.map(([day, label]) => ({ value: day, label }))} chosen=${values.days} onChange=${(/** @type {string[]} */ days) => set('days', days)} /><p class="lead">In your time zone, ${timeZone}.</p>`}</${Block}>
    <${Block} title="By which way">
      <${Choice} ...${field('email_digest', 'told-')} label="Mail with what I have not read" options=${DIGESTS} help=${info.value?.features?.mail === false ? 'This server sends no mail at the moment.' : undefined} />
      <${Check} id="told-push" checked=${values.web_push} onChange=${(/** @type {boolean} */ on) => set('web_push', on)} help="To the devices below, when no page of this workspace is open on them.">Push notifications</${Check}>
      <div class="btns"><${Submit} busy=${busy}>Save</${Submit}></div></${Block}>
  </form>`;
}

function ThisDevice() {
  const support = pushSupport();
  const { value, error, reload } = useLoaded(() => chat.pushSubscriptions());
  const [own, setOwn] = useState('');
  const [refused, setRefused] = useState('');
  const look = () => ownSubscription().then((subscription) => setOwn(subscription?.endpoint ?? ''), () => setOwn(''));
  useEffect(() => void look(), []);
  const change = (/** @type {() => Promise<any>} */ work) => async () => {
    setRefused('');
    await work();
    await look();
    await reload();
  };
  const failed = (/** @type {Error} */ failure) => setRefused(failure.message);
  const items = value?.items ?? [];
  return html`<${Block} title="Devices that are pushed to">
    <${FormError} error=${refused} />
    ${support === 'no' && html`<p class="lead">This browser cannot be pushed to here: it needs a safe (https) address.</p>`}
    ${support === 'denied' && html`<p class="lead">This browser was told not to show notifications of this page. Its own settings can change that.</p>`}
    ${support === 'yes' && !own && html`<div class="btns"><${Action} class="btn" run=${change(subscribe)} failed=${failed}>Push to this browser</${Action}></div>`}
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<ul class="pick">${items.map((/** @type {any} */ row) => html`<li key=${row.id}><span class="pick-t wraps"><b>${row.endpoint && row.endpoint === own ? 'This browser' : deviceText(row.device_info ?? row.user_agent)}</b>
      ${row.created_at && html`<small>since <time datetime=${row.created_at} title=${fullText(row.created_at)}>${shortText(row.created_at)}</time></small>`}</span>
      <${Action} class="btn small" run=${change(() => unsubscribe(row))} failed=${failed}>No longer</${Action}></li>`)}</ul>${!items.length && html`<p class="lead">None yet.</p>`}`}
  </${Block}>`;
}
