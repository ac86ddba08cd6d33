/** What holds for everyone, and the way into a channel of others in an emergency. */
import { api } from '../../page_api.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { me } from '../../store.js';
import { Confirm } from '../dialog.js';
import { Check, Field, FormError } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { BreakGlass } from './break_glass.js';

export function Policy() {
  return html`<${SettingsPage} title=${t('policy')} wide><${Requirement} /><${Retention} /><${BreakGlass} /></${SettingsPage}>`;
}

function Requirement() {
  const { value, error, reload, set } = useLoaded(() => api.policy());
  const [wanted, setWanted] = useState(/** @type {boolean|null} */ (null));
  const save = async () => {
    set(await api.setPolicy({ require_two_factor: wanted }));
    notify(wanted ? t('everyone_is_asked_for_a_second') : t('a_second_factor_is_everyones_own'));
    // It holds for me too.
    me.value = { ...me.value, ...(await api.me()) };
  };
  return html`<${Block} title=${t('signing_in')}>${!value ? html`<${Waiting} error=${error} reload=${reload} />`
    : html`<${Check} id="require-two-factor" checked=${wanted ?? value.require_two_factor} onChange=${setWanted} help=${t('people_who_sign_in_by_password')}>${t('ask_everyone_for_a_second_factor_2')}</${Check}>`}
    ${wanted !== null && html`<${Confirm} title=${wanted ? t('ask_everyone_for_a_second_factor') : t('no_longer_ask_for_a_second')} action=${wanted ? t('ask_everyone') : t('stop_asking')} danger=${!wanted} run=${save} close=${() => setWanted(null)}>
      <p>${wanted ? (me.value?.two_factor_enabled ? t('from_now_on_people_without_one_2') : t('from_now_on_people_without_one')) : t('those_who_have_one_keep_it')}</p></${Confirm}>`}
  </${Block}>`;
}

/** For how long messages stay, in channels that have no rule of their own. */
function Retention() {
  const { value, error, reload, set } = useLoaded(() => api.policy());
  return html`<${Block} title=${t('how_long_messages_stay')} lead=${t('older_messages_and_their_files_are')}>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<${Days} key=${value.message_retention_days ?? ''} policy=${value} saved=${set} />`}</${Block}>`;
}

/** @param {{policy:any, saved:(policy:any)=>void}} props */
function Days({ policy, saved }) {
  const known = policy.message_retention_days;
  const [asking, setAsking] = useState(/** @type {number|null|undefined} */ (undefined));
  const ask = async (/** @type {any} */ { message_retention_days: days }) => setAsking(days ? Number(days) : null);
  const { field, busy, message, onSubmit } = useForm({ message_retention_days: known ? String(known) : '' }, ask);
  const save = async () => {
    // What else the policy holds is said again as it is: an older page must not take it back.
    saved(await api.setPolicy({ require_two_factor: (await api.policy()).require_two_factor, message_retention_days: asking }));
    notify(asking ? t('messages_go_after_days', { asking }) : t('messages_stay_for_ever'));
  };
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('message_retention_days')} label=${t('days')} type="number" min="1" max="3650" help=${t('empty_for_ever')} />
    <div class="btns"><${Submit} busy=${busy} class="btn">${t('save')}</${Submit}></div>
    ${asking !== undefined && html`<${Confirm} title=${asking ? t('delete_what_is_older_than_days', { asking }) : t('keep_messages_for_ever')} action=${asking ? t('delete_them') : t('keep_them')} danger=${Boolean(asking)} run=${save} close=${() => setAsking(undefined)}>
      <p>${asking ? t('everything_older_is_gone_for_everyone') : t('what_was_deleted_does_not_come')}</p></${Confirm}>`}
  </form>`;
}
