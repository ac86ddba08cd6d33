/** What I am told of, when, and by which way. */
import { DAYS, formValues, MAX_KEYWORDS, preferencesBody } from '../../attention_preferences.js';
import { changes } from '../../changes.js';
import { chat } from '../../page_chat_api.js';
import { shortText } from '../../clock.js';
import { deviceText } from '../../device.js';
import { notify } from '../../notices.js';
import { ownSubscription, pushSupport, subscribe, unsubscribe } from '../../push.js';
import { laterChoices } from '../../later.js';
import { t } from '../../page_words.js';
import { info } from '../../store.js';
import { Check, Checks, Choice, Field, FormError, TextArea } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useEffect, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Time } from '../time.js';

/** @type {[string, string][]} */
const LEVELS = [['all', t('every_message')], ['mentions', t('mentions_words_i_watch_direct_messages')], ['nothing', t('nothing')]];
const PAUSES = /** @type {Record<string,string>} */ ({ hour: t('for_an_hour'), tomorrow: t('until_tomorrow_morning'), monday: t('until_monday_morning') });
/** @type {[string, string][]} */
const DIGESTS = [['off', t('never')], ['hourly', t('every_hour')], ['daily', t('every_day')]];

export function NotificationPreferences() {
  const { value, error, reload, set } = useLoaded(() => chat.preferences(), [changes.preferences.value]);
  return html`<${SettingsPage} title=${t('notifications')} lead=${t('what_you_are_told_of_each')}>
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
  return html`<${Block} title=${t('pause')} lead=${paused ? t('nothing_disturbs_you_until', { when: shortText(preferences.until) }) : t('everything_waits_in_the_inbox_nothing')}>
    <div class="btns">${paused ? html`<${Action} run=${until(null)}>${t('tell_me_again')}</${Action}>` : choices.map(({ id, at }) => html`<${Action} key=${id} run=${until(at)}>${PAUSES[id]}</${Action}>`)}</div></${Block}>`;
}

/** @param {{preferences:any}} props */
function Form({ preferences }) {
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const form = useForm(formValues(preferences), (values) => chat.setPreferences(preferencesBody(values, timeZone)), { done: () => notify(t('your_notifications_are_saved')) });
  const { values, set, field, busy, message, onSubmit } = form;
  return html`<form onSubmit=${onSubmit}>
    <${Block} title=${t('what')}>
      <${FormError} error=${message} />
      <${Choice} ...${field('notification_level', 'told-')} label=${t('tell_me_of')} options=${LEVELS} />
      <${TextArea} ...${field('keywords', 'told-')} label=${t('words_that_i_watch')} rows="2" help=${t('a_message_that_holds_one_of', { max_keywords: MAX_KEYWORDS })} /></${Block}>
    <${Block} title=${t('when_not')}>
      <${Check} id="told-quiet" checked=${values.quiet} onChange=${(/** @type {boolean} */ on) => set('quiet', on)} help=${t('everything_waits_in_the_inbox_nothing')}>${t('do_not_disturb_me_at_certain')}</${Check}>
      ${values.quiet && html`<div class="two"><${Field} ...${field('from', 'told-')} label=${t('from')} type="time" required /><${Field} ...${field('to', 'told-')} label=${t('to')} type="time" required /></div>
        <${Checks} legend=${t('on_these_days')} options=${DAYS.map(([day, label]) => ({ value: day, label }))} chosen=${values.days} onChange=${(/** @type {string[]} */ days) => set('days', days)} /><p class="lead">${t('in_your_time_zone', { timezone: timeZone })}</p>`}</${Block}>
    <${Block} title=${t('by_which_way')}>
      <${Choice} ...${field('email_digest', 'told-')} label=${t('mail_with_what_i_have_not')} options=${DIGESTS} help=${info.value?.features?.mail === false ? t('this_server_sends_no_mail_at') : undefined} />
      <${Check} id="told-push" checked=${values.web_push} onChange=${(/** @type {boolean} */ on) => set('web_push', on)} help=${t('to_the_devices_below_when_no')}>${t('push_notifications')}</${Check}>
      <div class="btns"><${Submit} busy=${busy}>${t('save')}</${Submit}></div></${Block}>
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
  return html`<${Block} title=${t('devices_that_are_pushed_to')}>
    <${FormError} error=${refused} />
    ${support === 'no' && html`<p class="lead">${t('this_browser_cannot_be_pushed_to')}</p>`}
    ${support === 'denied' && html`<p class="lead">${t('this_browser_was_told_not_to')}</p>`}
    ${support === 'yes' && !own && html`<div class="btns"><${Action} class="btn" run=${change(subscribe)} failed=${failed}>${t('push_to_this_browser')}</${Action}></div>`}
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<ul class="pick">${items.map((/** @type {any} */ row) => html`<li key=${row.id}><span class="pick-t wraps"><b>${row.endpoint && row.endpoint === own ? t('this_browser') : deviceText(row.device_info ?? row.user_agent)}</b>
      ${row.created_at && html`<small>${t('since_2')} <${Time} at=${row.created_at} /></small>`}</span>
      <${Action} class="btn small" run=${change(() => unsubscribe(row))} failed=${failed}>${t('no_longer')}</${Action}></li>`)}</ul>${!items.length && html`<p class="lead">${t('none_yet_2')}</p>`}`}
  </${Block}>`;
}
