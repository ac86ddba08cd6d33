/** The server's assistant: whether there is one, and what its language model uses. */
import { api } from '../../api.js';
import { cleanName } from '../../format.js';
import { number } from '../../server_figures.js';
import { info } from '../../store.js';
import { AssistantSwitch } from '../assistant_switch.js';
import { html } from '../html.js';
import { useLoaded } from '../loading.js';
import { Block } from '../settings.js';
import { Table } from '../table.js';

/** Days that are shown. */
const DAYS = 7;

export function ServerAssistant() {
  const { value } = useLoaded(() => api.serverAssistant());
  const changed = (/** @type {boolean} */ isOff) => { info.value = { ...info.value, features: { ...info.value?.features, assistant: !isOff } }; };
  return html`<${Block} title="Assistant" lead=${value?.model ? `Its answers are written by ${value.model}.` : 'Its answers are quotations: no language model is set up.'}>
    <${AssistantSwitch} id="server-assistant" load=${() => api.serverAssistant()} save=${(/** @type {boolean} */ isOff) => api.setServerAssistant(isOff)} changed=${changed}
      help="Off: nobody is answered, nothing is found by its meaning, and no model is given anything that was written here.">Everyone may ask the assistant</${AssistantSwitch}>
    ${value?.model && html`<${Usage} value=${value} />`}
  </${Block}>`;
}

/** @param {{value:any}} props */
function Usage({ value }) {
  const [today] = value.days;
  const isToday = today && new Date(today.day).toISOString().slice(0, 10) === new Date().toISOString().slice(0, 10);
  const used = isToday ? today.tokens : 0;
  const days = [
    { name: 'Day', class: 'nowrap', cell: (/** @type {any} */ row) => row.day.slice(0, 10) },
    { name: 'Questions', class: 'tnum', cell: (/** @type {any} */ row) => number(row.questions) },
    { name: 'Tokens', class: 'tnum', cell: (/** @type {any} */ row) => number(row.tokens) },
  ];
  const people = [{ name: 'Today', class: 'wrap-any', cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.username)}</bdi>` }, ...days.slice(1)];
  return html`<p class="lead">${number(used)} of ${number(value.daily_tokens)} tokens are used today; each person has ${number(value.daily_tokens_per_person)}.</p>
    <progress aria-label="Tokens used today" max=${Math.max(1, value.daily_tokens)} value=${used}></progress>
    ${value.days.length > 0 && html`<${Table} label="Tokens by day" columns=${days} rows=${value.days.slice(0, DAYS)} id=${(/** @type {any} */ row) => row.day} />`}
    ${isToday && value.people.length > 0 && html`<${Table} label="Tokens by person" columns=${people} rows=${value.people} id=${(/** @type {any} */ row) => row.user_id} />`}`;
}
