/** How the server is: its figures, its search index, and what its workers gave up on. */
import { api } from '../../api.js';
import { fullText, shortText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { consumers, indexText, isRebuilding, number } from '../../server_figures.js';
import { info } from '../../store.js';
import { Action } from '../form.js';
import { html, useEffect, useState } from '../html.js';
import { PagesEnd, useLoaded, usePages, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';

/** Asked again this often: while an index is built, and otherwise. */
const BUSY_MS = 1_000;
const QUIET_MS = 15_000;
/** After this time without a new index, the page no longer waits for one. */
const PATIENCE_MS = 60_000;
const PAGE = 50;

export function Server() {
  const stats = useLoaded(() => api.stats());
  const [before, setBefore] = useState(/** @type {number|null} */ (null));
  const index = stats.value?.index;
  const rebuilding = isRebuilding(before, index);
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) void stats.reload(); }, rebuilding ? BUSY_MS : QUIET_MS);
    return () => clearInterval(timer);
  }, [rebuilding]);
  useEffect(() => {
    if (before === null) return undefined;
    if (!rebuilding) {
      setBefore(null);
      notify('The new index answers now.');
      return undefined;
    }
    const timer = setTimeout(() => setBefore(null), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [before, rebuilding]);
  const rebuild = async () => {
    await api.reindex();
    setBefore(index?.origin ?? 0);
  };
  return html`<${SettingsPage} title="Server" wide lead="What this server does, as of now.">${!stats.value ? html`<${Waiting} ...${stats} />` : html`
    <${Figures} stats=${stats.value} />
    <${Index} index=${index} rebuilding=${rebuilding} rebuild=${rebuild} />
    <${Consumers} stats=${stats.value} />`}
    <${DeadLetters} />
  </${SettingsPage}>`;
}

/** @param {{stats:any}} props */
function Figures({ stats }) {
  const figures = [['Accounts', number(stats.user_count), 'bots too'], ['Connections', number(stats.socket_count), 'open now'], ['Events', number(stats.head), 'in the log'],
    ['Database', stats.engine === 'postgres' ? 'PostgreSQL' : 'SQLite', info.value?.mode ?? ''], ['Version', info.value?.version ?? '', 'of Confab']];
  return html`<dl class="figures">${figures.map(([name, value, help]) => html`<div key=${name}><dt>${name}</dt><dd>${value}<small>${help}</small></dd></div>`)}</dl>`;
}

/** @param {{index:import('../../server_figures.js').IndexState, rebuilding:boolean, rebuild:()=>Promise<void>}} props */
function Index({ index, rebuilding, rebuild }) {
  const { kind, word, text } = indexText(index);
  const { building } = index;
  const waits = rebuilding && !building;
  return html`<${Block} title="Search index" state=${html`<span class=${`pill ${waits ? 'warn' : kind}`} role="status">${waits ? 'Asked for' : word}</span>`}>
    <p class="lead">${text}</p>
    ${building && html`<progress aria-label="Messages read" max=${Math.max(1, building.total)} value=${building.done}></progress>`}
    ${!rebuilding && !index.error && html`<p class="btns"><${Action} run=${rebuild}>Build the index anew</${Action}></p>`}
  </${Block}>`;
}

/** @param {{stats:any}} props */
function Consumers({ stats }) {
  const columns = [
    { name: 'Reader', class: 'wrap-any', cell: (/** @type {any} */ row) => html`<code>${row.name}</code>` },
    { name: 'Has read to', class: 'tnum', cell: (/** @type {any} */ row) => number(row.pos) },
    { name: 'Behind', class: 'tnum', cell: (/** @type {any} */ row) => (row.behind ? number(row.behind) : html`<span class="dim">Nothing</span>`) },
  ];
  const rows = consumers(stats.cursors ?? {}, stats.head);
  if (!rows.length) return null;
  return html`<${Block} title="Readers of the log" lead="Plugins and other workers follow the log, each at its own pace."><${Table} label="Readers of the log" columns=${columns} rows=${rows} id=${(/** @type {any} */ row) => row.name} /></${Block}>`;
}

function DeadLetters() {
  const list = usePages((cursor) => api.deadLetters({ cursor, limit: PAGE }), '');
  const retry = async (/** @type {any} */ letter) => {
    await api.retryDeadLetter(letter.id);
    await list.reload();
    notify('It is tried again. If it fails once more, it comes back here.');
  };
  const columns = [
    { name: 'Event', class: 'nowrap', cell: (/** @type {any} */ row) => html`<b>${row.kind}</b><small class="tnum">at ${number(row.pos)}</small>` },
    { name: 'Failed', cell: (/** @type {any} */ row) => html`<code>${row.consumer}</code><small><time datetime=${row.created_at} title=${fullText(row.created_at)}>${shortText(row.created_at)}</time>, ${t('after_attempts', { count: row.attempts })}</small>` },
    { name: 'Why', class: 'wrap-any', cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.error)}</bdi>` },
    { name: 'Actions', silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<${Action} class="btn small" label=${`Try ${row.kind} at ${row.pos} again`} run=${() => retry(row)}>Try again</${Action}>` },
  ];
  return html`<${Block} title="Dead letters" lead="Events that a reader failed at too often and went past.">
    <${Table} label="Dead letters" columns=${columns} rows=${list.items} />
    <${PagesEnd} list=${list} none="There is none." />
  </${Block}>`;
}
