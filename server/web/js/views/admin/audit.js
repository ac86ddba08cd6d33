/** The audit log: read, narrowed, checked, taken away as a file. */
import { api } from '../../api.js';
import { ACTIONS, actionText, dayRange, detailLines } from '../../audit.js';
import { fullText, shortText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { saveFile } from '../../download.js';
import { Choice, Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { NameField, userIdOf } from './name_field.js';

const PAGE = 50;
/** @typedef {{action?:string, actor_id?:string, target_id?:string, from?:string, to?:string}} Filter */

export function Audit() {
  const [filter, setFilter] = useState(/** @type {Filter} */ ({}));
  const list = usePages((cursor) => api.audit({ ...filter, cursor, limit: PAGE }), JSON.stringify(filter));
  return html`<${SettingsPage} title="Audit log" wide lead="What was done that concerns security, newest first. Each entry seals the one before it, so that a change to an old one shows.">
    <${Filters} chosen=${setFilter} />
    <${Tools} filter=${filter} />
    <${Table} label="Audit log" columns=${COLUMNS} rows=${list.items} id=${(/** @type {any} */ row) => row.number} />
    <${PagesEnd} list=${list} none="Nothing in the log matches." />
  </${SettingsPage}>`;
}

/** @param {{chosen:(filter:Filter)=>void}} props */
function Filters({ chosen }) {
  const look = async (/** @type {any} */ { action, actor_id: actor, target_id: target, from, to }) => ({
    ...(action ? { action } : {}), ...(actor ? { actor_id: await userIdOf(actor, 'actor_id') } : {}),
    ...(target ? { target_id: await userIdOf(target, 'target_id', true) } : {}), ...dayRange(from, to),
  });
  const { values, field, busy, message, onSubmit, reset } = useForm({ action: '', actor_id: '', target_id: '', from: '', to: '' }, look, { done: chosen });
  return html`<form class="filterbar many" role="search" onSubmit=${onSubmit} aria-label="Narrow the log">
    <${FormError} error=${message} />
    <${Choice} ...${field('action', 'audit-')} label="What" options=${[['', 'Anything'], ...ACTIONS]} />
    <${NameField} ...${field('actor_id', 'audit-')} label="By whom" />
    <${NameField} ...${field('target_id', 'audit-')} label="To whom or what" />
    <${Field} ...${field('from', 'audit-')} label="From" type="date" max=${values.to || undefined} />
    <${Field} ...${field('to', 'audit-')} label="Until" type="date" min=${values.from || undefined} />
    <div class="btns"><${Submit} busy=${busy}>Show</${Submit}><button type="button" class="btn" onClick=${() => { reset(); chosen({}); }}>Show everything</button></div>
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
  return html`<div class="btns tools-row"><${Action} class="btn small" run=${verify} failed=${failed}>Check the chain</${Action}>
      <${Action} class="btn small" run=${() => take('csv')} failed=${failed}>Download CSV</${Action}>
      <${Action} class="btn small" run=${() => take('ndjson')} failed=${failed}>Download NDJSON</${Action}></div>
    <${FormError} error=${error} />
    <div role="status">${check && (check.ok
      ? html`<p class="done">${t('chain_whole', { count: check.count })} <code>${String(check.head ?? '').slice(0, 16)}</code>.</p>`
      : html`<p class="form-error">The chain is broken${check.broken_at ? ` at entry ${check.broken_at}` : ''}. ${cleanName(check.reason ?? '')} Keep a copy of the database before anything else is done.</p>`)}</div>`;
}

const COLUMNS = [
  { name: 'When', cell: (/** @type {any} */ row) => html`<time datetime=${row.at} title=${fullText(row.at)}>${shortText(row.at)}</time>` },
  { name: 'What', cell: (/** @type {any} */ row) => html`<b>${actionText(row.action)}</b><${Detail} row=${row} />` },
  { name: 'By', cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.actor_name ?? '') || (row.actor_id ? row.actor_id : 'The server')}</bdi>${row.ip_address && html`<small class="tnum">${row.ip_address}</small>`}` },
  { name: 'To', class: 'wrap-any', cell: (/** @type {any} */ row) => (row.target_id ? html`${row.target_kind ?? ''}<small class="id" title=${row.target_id}>${row.target_id}</small>` : html`<span class="dim">Nothing else</span>`) },
  { name: 'No.', class: 'tnum dim', cell: (/** @type {any} */ row) => row.number },
];

/** @param {{row:any}} props */
function Detail({ row }) {
  const lines = detailLines(row.detail);
  return html`<details class="more"><summary>Details</summary><dl class="facts">${lines.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)}
    <div><dt>word</dt><dd><code>${row.action}</code></dd></div>${row.session_id && html`<div><dt>session</dt><dd><code>${row.session_id}</code></dd></div>`}<div><dt>seal</dt><dd><code>${row.hash}</code></dd></div></dl></details>`;
}
