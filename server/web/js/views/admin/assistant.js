/** The server's assistant: whether there is one, what its askers think of it, and what its language model uses. */
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { t } from '../../page_words.js';
import { number, vectorsText } from '../../server_figures.js';
import { info } from '../../store.js';
import { locale } from '../../words.js';
import { AssistantSwitch } from '../assistant_switch.js';
import { html } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Tiles } from './tiles.js';

/** Days that are shown. */
const DAYS = 7;

export function ServerAssistant() {
  const { value, error, reload } = useLoaded(() => api.serverAssistant());
  const changed = (/** @type {boolean} */ isOff) => { info.value = { ...info.value, features: { ...info.value?.features, assistant: !isOff } }; };
  return html`<${SettingsPage} title=${t('assistant_and_models')} wide lead=${value && (value.model ? t('its_answers_are_written_by', { model: value.model }) : t('its_answers_are_quotations_no_language'))}>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<${Thought} value=${value} />
      <${Block} title=${t('who_may_ask')}>
        <${AssistantSwitch} id="server-assistant" load=${() => api.serverAssistant()} save=${(/** @type {boolean} */ isOff) => api.setServerAssistant(isOff)} changed=${changed}
          help=${t('server_assistant_help')}>${t('everyone_may_ask_the_assistant')}</${AssistantSwitch}></${Block}>
      ${value.model && html`<${Block} title=${t('language_model')}><${Usage} value=${value} /></${Block}>`}`}
    <${Meaning} />
  </${SettingsPage}>`;
}

/** What askers said of answers. @param {{value:any}} props */
function Thought({ value }) {
  const { helpful_answers: helped = 0, unhelpful_answers: not = 0 } = value;
  const share = helped + not ? new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 0 }).format(helped / (helped + not)) : '–';
  const tiles = [[t('answers_that_helped'), number(helped), t('of_the_last_30_days')], [t('answers_that_did_not'), number(not), t('of_the_last_30_days')], [t('share_that_helped'), share, t('as_askers_say')],
    [t('model'), value.model ?? t('quotations'), value.model ? t('language_model') : t('no_model_connected')]];
  return html`<${Tiles} tiles=${tiles} />`;
}

/** The model of search by meaning, as the worker that answers has it. */
function Meaning() {
  const { value } = useLoaded(() => api.stats());
  const vectors = value?.index?.vectors;
  if (!value) return null;
  return html`<${Block} title=${t('search_by_meaning')} lead=${vectors ? vectorsText(vectors) : t('it_is_off_on_this_server')} />`;
}

/** @param {{value:any}} props */
function Usage({ value }) {
  const [today] = value.days;
  const isToday = today && new Date(today.day).toISOString().slice(0, 10) === new Date().toISOString().slice(0, 10);
  const used = isToday ? today.tokens : 0;
  const days = [
    { name: t('day'), class: 'nowrap', cell: (/** @type {any} */ row) => row.day.slice(0, 10) },
    { name: t('questions'), class: 'tnum', cell: (/** @type {any} */ row) => number(row.questions) },
    { name: t('tokens'), class: 'tnum', cell: (/** @type {any} */ row) => number(row.tokens) },
  ];
  const people = [{ name: t('today_heading'), class: 'wrap-any', cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.username)}</bdi>` }, ...days.slice(1)];
  return html`<p class="lead">${t('tokens_are_used_today', { used: number(used), all: number(value.daily_tokens), each: number(value.daily_tokens_per_person) })}</p>
    <progress aria-label=${t('tokens_used_today')} max=${Math.max(1, value.daily_tokens)} value=${used}></progress>
    ${value.days.length > 0 && html`<${Table} label=${t('tokens_by_day')} columns=${days} rows=${value.days.slice(0, DAYS)} id=${(/** @type {any} */ row) => row.day} />`}
    ${isToday && value.people.length > 0 && html`<${Table} label=${t('tokens_by_person')} columns=${people} rows=${value.people} id=${(/** @type {any} */ row) => row.user_id} />`}`;
}
