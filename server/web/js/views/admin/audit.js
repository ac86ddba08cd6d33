/** The audit log: read, narrowed, checked, taken away as a file. */
import { api } from '../../page_api.js';
import { ACTIONS, actionText, dayRange, detailLines } from '../../audit.js';
import { cleanName } from '../../format.js';
import { saveFile } from '../../download.js';
import { t } from '../../page_words.js';
import { Choice, Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';
import { NameField, userIdOf } from './name_field.js';

const PAGE = 50;
/** @typedef {{action?:string, actor_id?:string, target_id?:string, from?:string, to?:string}} Filter */

export function Audit() {
  const [filter, setFilter] = useState(/** @type {Filter} */ ({}));
  const list = usePages((cursor) => api.audit({ ...filter, cursor, limit: PAGE }), JSON.stringify(filter));
  return html`<${SettingsPage} title=${t('audit_log')} wide lead=${t('what_was_done_that_concerns_security')}>
    <${Filters} chosen=${setFilter} />
    <${Tools} filter=${filter} />
    <${Table} label=${t('audit_log')} columns=${COLUMNS} rows=${list.items} id=${(/** @type {any} */ row) => row.number} />
    <${PagesEnd} list=${list} none=${t('nothing_in_the_log_matches')} />
  </${SettingsPage}>`;
}

/** @param {{chosen:(filter:Filter)=>void}} props */
function Filters({ chosen }) {
  const look = async (/** @type {any} */ { action, actor_id: actor, target_id: target, from, to }) => ({
    ...(action ? { action } : {}), ...(actor ? { actor_id: await userIdOf(actor, 'actor_id') } : {}),
    ...(target ? { target_id: await userIdOf(target, 'target_id', true) } : {}), ...dayRange(from, to),
  });
  const { values, field, busy, message, onSubmit, reset } = useForm({ action: '', actor_id: '', target_id: '', from: '', to: '' }, look, { done: chosen });
  return html`<form class="filterbar many" role="search" onSubmit=${onSubmit} aria-label=${t('narrow_the_log')}>
    <${FormError} error=${message} />
    <${Choice} ...${field('action', 'audit-')} label=${t('what')} options=${[['', t('anything')], ...ACTIONS]} />
    <${NameField} ...${field('actor_id', 'audit-')} label=${t('by_whom')} />
    <${NameField} ...${field('target_id', 'audit-')} label=${t('to_whom_or_what')} />
    <${Field} ...${field('from', 'audit-')} label=${t('from')} type="date" max=${values.to || undefined} />
    <${Field} ...${field('to', 'audit-')} label=${t('until')} type="date" min=${values.from || undefined} />
    <div class="btns"><${Submit} busy=${busy}>${t('show')}</${Submit}><button type="button" class="btn" onClick=${() => { reset(); chosen({}); }}>${t('show_everything')}</button></div>
  </form>`;
}

/** @param {{filter:Filter}} props */
function Tools({ filter }) {
  const [check, setCheck] = useState(/** @type {any} */ (null));
  const [error, setError] = useState('');
  const failed = (/** @type {Error} */ failure) => setError(failure.message);
  const take = async (/** @type {'csv'|'ndjson'} */ format) => {
    setError('');
    saveFile(`audit-${new Date().toISOString().slice(0, 10)}.${format}`, await api.exportAudit({ ...filter, format }));
  };
  const verify = async () => {
    setError('');
    setCheck(null);
    setCheck(await api.verifyAudit());
  };
  return html`<div class="btns tools-row"><${Action} class="btn small" run=${verify} failed=${failed}>${t('check_the_chain')}</${Action}>
      <${Action} class="btn small" run=${() => take('csv')} failed=${failed}>${t('download_csv')}</${Action}>
      <${Action} class="btn small" run=${() => take('ndjson')} failed=${failed}>${t('download_ndjson')}</${Action}></div>
    <${FormError} error=${error} />
    <div role="status">${check && (check.ok
      ? html`<p class="done">${t('chain_whole', { count: check.count })} <code>${String(check.head ?? '').slice(0, 16)}</code>.</p>`
      : html`<p class="form-error">${t('the_chain_is_broken')}${check.broken_at ? t('at_entry', { broken_at: check.broken_at }) : ''}. ${cleanName(check.reason ?? '')} ${t('keep_a_copy_of_the_database')}</p>`)}</div>`;
}

const COLUMNS = [
  { name: t('when'), cell: (/** @type {any} */ row) => html`<${Time} at=${row.at} />` },
  { name: t('what'), cell: (/** @type {any} */ row) => html`<b>${actionText(row.action)}</b><${Detail} row=${row} />` },
  { name: t('by'), cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.actor_name ?? '') || (row.actor_id ? row.actor_id : t('the_server'))}</bdi>${row.ip_address && html`<small class="tnum">${row.ip_address}</small>`}` },
  { name: t('to'), class: 'wrap-any', cell: (/** @type {any} */ row) => (row.target_id ? html`${row.target_kind ?? ''}<small class="id" title=${row.target_id}>${row.target_id}</small>` : html`<span class="dim">${t('nothing_else')}</span>`) },
  { name: 'No.', class: 'tnum dim', cell: (/** @type {any} */ row) => row.number },
];

/** @param {{row:any}} props */
function Detail({ row }) {
  const lines = detailLines(row.detail);
  return html`<details class="more"><summary>${t('details')}</summary><dl class="facts">${lines.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}
    <div><dt>${t('word')}</dt><dd><code>${row.action}</code></dd></div>${row.session_id && html`<div><dt>${t('session')}</dt><dd><code>${row.session_id}</code></dd></div>`}<div><dt>${t('seal')}</dt><dd><code>${row.hash}</code></dd></div></dl></details>`;
}
