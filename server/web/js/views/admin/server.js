/** How the server is: its figures, its search index, and what its workers gave up on. */
import { api } from '../../page_api.js';
import { fullText, shortText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { consumers, indexText, isRebuilding, number, vectorsText } from '../../server_figures.js';
import { info } from '../../store.js';
import { Action } from '../form.js';
import { html, useEffect, useState } from '../html.js';
import { PagesEnd, useLoaded, usePages, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { ServerAssistant } from './assistant.js';

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
  const busy = rebuilding || Boolean(index?.vectors?.building);
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) void stats.reload(); }, busy ? BUSY_MS : QUIET_MS);
    return () => clearInterval(timer);
  }, [busy]);
  useEffect(() => {
    if (before === null) return undefined;
    if (!rebuilding) {
      setBefore(null);
      notify(t('the_new_index_answers_now'));
      return undefined;
    }
    const timer = setTimeout(() => setBefore(null), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [before, rebuilding]);
  const rebuild = async () => {
    await api.reindex();
    setBefore(index?.origin ?? 0);
  };
  return html`<${SettingsPage} title=${t('server')} wide lead=${t('what_this_server_does_as_of')}>${!stats.value ? html`<${Waiting} ...${stats} />` : html`
    <${Figures} stats=${stats.value} />
    <${Index} index=${index} rebuilding=${rebuilding} rebuild=${rebuild} />
    <${ServerAssistant} />
    <${Consumers} stats=${stats.value} />`}
    <${DeadLetters} />
  </${SettingsPage}>`;
}

/** @param {{stats:any}} props */
function Figures({ stats }) {
  const figures = [[t('accounts'), number(stats.user_count), t('bots_too')], [t('connections_2'), number(stats.socket_count), t('open_now')], [t('events'), number(stats.head), t('in_the_log')],
    [t('database'), stats.engine === 'postgres' ? 'PostgreSQL' : 'SQLite', info.value?.mode ?? ''], [t('version'), info.value?.version ?? '', t('of_confab')]];
  return html`<dl class="figures">${figures.map(([name, value, help]) => html`<div key=${name}><dt>${name}</dt><dd>${value}<small>${help}</small></dd></div>`)}</dl>`;
}

/** @param {{index:import('../../server_figures.js').IndexState, rebuilding:boolean, rebuild:()=>Promise<void>}} props */
function Index({ index, rebuilding, rebuild }) {
  const { kind, word, text } = indexText(index);
  const { building, vectors } = index;
  const waits = rebuilding && !building;
  return html`<${Block} title=${t('search_index')} state=${html`<span class=${`pill ${waits ? 'warn' : kind}`} role="status">${waits ? t('asked_for') : word}</span>`}>
    <p class="lead">${text}</p>
    ${building && html`<progress aria-label=${t('messages_read')} max=${Math.max(1, building.total)} value=${building.done}></progress>`}
    ${vectors && html`<p class="lead">${vectorsText(vectors)}</p>`}
    ${vectors?.building && html`<progress aria-label=${t('messages_read')} max=${Math.max(1, vectors.building.total)} value=${vectors.building.done}></progress>`}
    ${!rebuilding && !index.error && html`<p class="btns"><${Action} run=${rebuild}>${t('build_the_index_anew')}</${Action}></p>`}
  </${Block}>`;
}

/** @param {{stats:any}} props */
function Consumers({ stats }) {
  const columns = [
    { name: t('reader'), class: 'wrap-any', cell: (/** @type {any} */ row) => html`<code>${row.name}</code>` },
    { name: t('has_read_to'), class: 'tnum', cell: (/** @type {any} */ row) => number(row.pos) },
    { name: t('behind'), class: 'tnum', cell: (/** @type {any} */ row) => (row.behind ? number(row.behind) : html`<span class="dim">${t('nothing')}</span>`) },
  ];
  const rows = consumers(stats.cursors ?? {}, stats.head);
  if (!rows.length) return null;
  return html`<${Block} title=${t('readers_of_the_log')} lead=${t('plugins_and_other_workers_follow_the')}><${Table} label=${t('readers_of_the_log')} columns=${columns} rows=${rows} id=${(/** @type {any} */ row) => row.name} /></${Block}>`;
}

function DeadLetters() {
  const list = usePages((cursor) => api.deadLetters({ cursor, limit: PAGE }), '');
  const retry = async (/** @type {any} */ letter) => {
    await api.retryDeadLetter(letter.id);
    await list.reload();
    notify(t('it_is_tried_again_if_it'));
  };
  const columns = [
    { name: t('event'), class: 'nowrap', cell: (/** @type {any} */ row) => html`<b>${row.kind}</b><small class="tnum">${t('at', { count: number(row.pos) })}</small>` },
    { name: t('failed'), cell: (/** @type {any} */ row) => html`<code>${row.consumer}</code><small><time datetime=${row.created_at} title=${fullText(row.created_at)}>${shortText(row.created_at)}</time>, ${t('after_attempts', { count: row.attempts })}</small>` },
    { name: t('why'), class: 'wrap-any', cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.error)}</bdi>` },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<${Action} class="btn small" label=${t('try_at_again', { kind: row.kind, pos: row.pos })} run=${() => retry(row)}>${t('try_again')}</${Action}>` },
  ];
  return html`<${Block} title=${t('dead_letters')} lead=${t('events_that_a_reader_failed_at')}>
    <${Table} label=${t('dead_letters')} columns=${columns} rows=${list.items} />
    <${PagesEnd} list=${list} none=${t('there_is_none')} />
  </${Block}>`;
}
