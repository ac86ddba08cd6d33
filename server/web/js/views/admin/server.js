/** How the server is: its figures, what it is called, and what its workers gave up on. */
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { EVERY_MS } from '../../samples.js';
import { consumers, number } from '../../server_figures.js';
import { info, me } from '../../store.js';
import { Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useEffect } from '../html.js';
import { PagesEnd, useLoaded, usePages, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';
import { keepSample, LivePlots } from './live_plots.js';

const PAGE = 50;

export function Server() {
  const stats = useLoaded(() => api.stats().then((/** @type {any} */ answer) => { keepSample(answer); return answer; }));
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) void stats.reload(); }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<${SettingsPage} title=${t('server')} wide lead=${t('what_this_server_does_as_of')}>${!stats.value ? html`<${Waiting} ...${stats} />` : html`
    <${Figures} stats=${stats.value} />
    <${LivePlots} />
    ${me.value?.is_superuser && html`<${WorkspaceName} />`}
    <${Consumers} stats=${stats.value} />`}
    <${DeadLetters} />
  </${SettingsPage}>`;
}

/** What everybody calls this place. */
function WorkspaceName() {
  const rename = (/** @type {any} */ { name }) => api.renameWorkspace(name.trim());
  const { values, field, busy, message, onSubmit } = useForm({ name: info.value?.name ?? '' }, rename, {
    done: () => {
      info.value = { ...info.value, name: values.name.trim() };
      notify(t('the_workspace_is_called_so'));
    },
  });
  return html`<${Block} title=${t('workspace_name')} lead=${t('everybody_sees_it')}><form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} /><${Field} ...${field('name', 'workspace-')} label=${t('name')} maxlength="60" required />
    <div class="btns"><${Submit} busy=${busy} class="btn">${t('save')}</${Submit}></div></form></${Block}>`;
}

/** @param {{stats:any}} props */
function Figures({ stats }) {
  const figures = [[t('accounts'), number(stats.user_count), t('bots_too')], [t('connections_2'), number(stats.socket_count), t('open_now')], [t('events'), number(stats.head), t('in_the_log')],
    [t('database'), stats.engine === 'postgres' ? 'PostgreSQL' : 'SQLite', info.value?.mode ?? ''], [t('version'), info.value?.version ?? '', t('of_confab')]];
  return html`<dl class="figures">${figures.map(([name, value, help]) => html`<div key=${name}><dt>${name}</dt><dd>${value}<small>${help}</small></dd></div>`)}</dl>`;
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
    { name: t('failed'), cell: (/** @type {any} */ row) => html`<code>${row.consumer}</code><small><${Time} at=${row.created_at} />, ${t('after_attempts', { count: row.attempts })}</small>` },
    { name: t('why'), class: 'wrap-any', cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.error)}</bdi>` },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<${Action} class="btn small" label=${t('try_at_again', { kind: row.kind, pos: row.pos })} run=${() => retry(row)}>${t('try_again')}</${Action}>` },
  ];
  return html`<${Block} title=${t('dead_letters')} lead=${t('events_that_a_reader_failed_at')}>
    <${Table} label=${t('dead_letters')} columns=${columns} rows=${list.items} />
    <${PagesEnd} list=${list} none=${t('there_is_none')} />
  </${Block}>`;
}
