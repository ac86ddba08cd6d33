/** What holds for everyone, and the way into a channel of others in an emergency. */
import { api } from '../../api.js';
import { notify } from '../../notices.js';
import { me } from '../../store.js';
import { Confirm } from '../dialog.js';
import { Check, Field, FormError } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { BreakGlass } from './break_glass.js';

export function Policy() {
  return html`<${SettingsPage} title="Policy" wide><${Requirement} /><${Retention} /><${BreakGlass} /></${SettingsPage}>`;
}

function Requirement() {
  const { value, error, reload, set } = useLoaded(() => api.policy());
  const [wanted, setWanted] = useState(/** @type {boolean|null} */ (null));
  const save = async () => {
    set(await api.setPolicy({ require_two_factor: wanted }));
    notify(wanted ? 'Everyone is asked for a second factor now.' : 'A second factor is everyone’s own choice now.');
    // It holds for me too.
    me.value = { ...me.value, ...(await api.me()) };
  };
  return html`<${Block} title="Signing in">${!value ? html`<${Waiting} error=${error} reload=${reload} />`
    : html`<${Check} id="require-two-factor" checked=${wanted ?? value.require_two_factor} onChange=${setWanted} help="People who sign in by password and have none can do nothing else before they set one up. Other systems that sign people in ask for it themselves.">Ask everyone for a second factor</${Check}>`}
    ${wanted !== null && html`<${Confirm} title=${wanted ? 'Ask everyone for a second factor?' : 'No longer ask for a second factor?'} action=${wanted ? 'Ask everyone' : 'Stop asking'} danger=${!wanted} run=${save} close=${() => setWanted(null)}>
      <p>${wanted ? `From now on, people without one must set it up before they can go on.${me.value?.two_factor_enabled ? '' : ' You have none yourself: you are asked at once.'}` : 'Those who have one keep it, and can turn it off.'}</p></${Confirm}>`}
  </${Block}>`;
}

/** For how long messages stay, in channels that have no rule of their own. */
function Retention() {
  const { value, error, reload, set } = useLoaded(() => api.policy());
  return html`<${Block} title="How long messages stay" lead="Older messages and their files are deleted for good, within minutes. A channel can have a rule of its own.">
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
    notify(asking ? `Messages go after ${asking} days.` : 'Messages stay for ever.');
  };
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('message_retention_days')} label="Days" type="number" min="1" max="3650" help="Empty: for ever." />
    <div class="btns"><${Submit} busy=${busy} class="btn">Save</${Submit}></div>
    ${asking !== undefined && html`<${Confirm} title=${asking ? `Delete what is older than ${asking} days?` : 'Keep messages for ever?'} action=${asking ? 'Delete them' : 'Keep them'} danger=${Boolean(asking)} run=${save} close=${() => setAsking(undefined)}>
      <p>${asking ? 'Everything older is gone for everyone, in all channels without a rule of their own. This cannot be undone.' : 'What was deleted does not come back.'}</p></${Confirm}>`}
  </form>`;
}
