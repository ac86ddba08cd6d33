/** How the workspace is at this moment, and how much was written in the last hours. */
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { openDialog } from '../../layout.js';
import { t } from '../../page_words.js';
import { may } from '../../permissions.js';
import { plugins, wantsAttention } from '../../plugin_api.js';
import { permissionsText } from '../../plugin_permissions.js';
import { adminPath } from '../../router.js';
import { byStretch, comparedText, delayText, indexText, number } from '../../server_figures.js';
import { info, me, presences } from '../../store.js';
import { html, useEffect, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Plot } from '../plot.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { PluginLog } from './plugin_log.js';
import { Tiles } from './tiles.js';

/** Asked again this often; the record is counted no oftener. */
const EVERY_MS = 15_000;
/** Minutes that one point of the line stands for. */
const STRETCH = 5;

/** The beginning of the day, where one is. */
function midnight() {
  return new Date(new Date().setHours(0, 0, 0, 0)).toISOString();
}

export function Overview() {
  const stats = useLoaded(() => api.stats());
  const activity = useLoaded(() => api.activity(midnight()));
  const letters = useLoaded(() => api.deadLetters({ limit: 100 }));
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden) return;
      void stats.reload();
      void activity.reload();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const failed = letters.value?.items.length ?? 0;
  const state = indexText(stats.value?.index ?? {});
  const well = stats.value && !failed && state.kind === 'ok';
  const actions = html`${me.value?.is_superuser && html`<a class="btn" href=${adminPath('transfers')}>${t('export_data')}</a>`}
    ${may(me.value, 'users.invite') && html`<button type="button" class="btn primary" onClick=${() => openDialog('invite')}>${t('invite_people')}</button>`}`;
  return html`<${SettingsPage} title=${t('overview')} wide state=${stats.value && html`<span class=${`pill ${well ? 'ok' : 'warn'}`} role="status">${well ? t('all_checks_pass') : t('look_below')}</span>`} actions=${actions}>
    ${!stats.value ? html`<${Waiting} ...${stats} />` : html`<${Kpis} stats=${stats.value} activity=${activity.value} />
      ${activity.value && html`<${Written} minutes=${activity.value.messages_by_minute} />`}
      ${!well && html`<${Block} title=${t('checks')}><ul class="checklist">
        <${Line} good=${state.kind === 'ok'} name=${t('search_index')} text=${state.text} />
        <${Line} good=${!failed} name=${t('dead_letters')} text=${failed ? t(letters.value?.next_cursor ? 'given_up_or_more' : 'given_up', { count: failed }) : t('nothing_was_given_up_on')} />
        <${Line} good name=${t('database')} text=${[stats.value.engine === 'postgres' ? 'PostgreSQL' : 'SQLite', info.value?.mode, `Confab ${info.value?.version ?? ''}`].filter(Boolean).join(', ')} />
      </ul><p class="btns"><a class="btn" href=${adminPath('server')}>${t('the_server_in_detail')}</a></p></${Block}>`}
      ${may(me.value, 'plugins.manage') && html`<${PluginList} />`}`}
  </${SettingsPage}>`;
}

/** @param {{minutes:number[]}} props */
function Written({ minutes }) {
  const values = byStretch(minutes, STRETCH);
  return html`<${Plot} title=${t('messages_per_minute', { hours: Math.round(minutes.length / 60) })} note=${t('peak', { count: Math.max(0, ...minutes) })} values=${values} most=${values.length} />`;
}

/** The plugins that run or want something; the others stand on their own page. */
function PluginList() {
  const list = useLoaded(() => plugins.all());
  const [read, setRead] = useState(/** @type {any} */ (null));
  const shown = (list.value?.items ?? []).filter((/** @type {any} */ plugin) => plugin.enabled || wantsAttention(plugin));
  if (!shown.length) return '';
  /** @type {import('../table.js').Column[]} */
  const columns = [
    { name: t('plugin'), cell: (plugin) => html`<b><bdi>${cleanName(plugin.name)}</bdi></b> ${plugin.version}${plugin.description && html`<small><bdi>${cleanName(plugin.description)}</bdi></small>`}` },
    { name: t('permissions'), cell: (plugin) => permissionsText(plugin) || html`<span class="dim">${t('none')}</span>` },
    { name: t('last_day'), class: 'nowrap', cell: (plugin) => lastDay(plugin.last_day) },
    { name: t('state'), cell: (plugin) => html`<span class=${`pill ${plugin.waiting || !plugin.enabled ? 'warn' : 'ok'}`}>${plugin.waiting ? t('update') : plugin.enabled ? t('runs') : t('paused')}</span>` },
    { name: t('actions'), silent: true, class: 'end', cell: (plugin) => (wantsAttention(plugin)
      ? html`<a class="btn small" href=${adminPath('plugins')} aria-label=${`${t('review')}: ${cleanName(plugin.name)}`}>${t('review')}</a>`
      : html`<button type="button" class="btn small" aria-label=${`${t('logs')}: ${cleanName(plugin.name)}`} onClick=${() => setRead(plugin)}>${t('logs')}</button>`) },
  ];
  return html`<section class="block" aria-label=${t('plugins')}><div class="block-h"><h2>${t('plugins')}</h2></div><${Table} label=${t('plugins')} columns=${columns} rows=${shown} />
    ${read && html`<${PluginLog} plugin=${read} close=${() => setRead(null)} />`}</section>`;
}

/** @param {{calls:number, faults:number, p99_ms?:number}|undefined} told */
function lastDay(told) {
  if (!told?.calls) return html`<span class="dim">${t('no_call')}</span>`;
  return [t('calls_count', { count: told.calls }), told.p99_ms === undefined ? '' : `p99 ${delayText(told.p99_ms)}`, told.faults ? t('faults_count', { count: told.faults }) : ''].filter(Boolean).join(', ');
}

/** @param {{stats:any, activity:any}} props */
function Kpis({ stats, activity }) {
  const online = [...presences.value.values()].filter((status) => status !== 'offline').length;
  const tiles = [
    [t('connected_now'), number(stats.socket_count), t('people_online', { count: online })],
    [t('messages_today'), activity ? number(activity.message_count) : '…', activity ? comparedText(activity.message_count, activity.message_count_week_before) : ''],
    [t('delivery_p99'), activity?.delivery_p99_ms === undefined ? '–' : delayText(activity.delivery_p99_ms), activity?.delivery_count ? t('messages_of_the_last_hour', { count: activity.delivery_count }) : t('none_in_the_last_hour')],
    [t('index_lag'), stats.index?.lag_ms === undefined ? '–' : delayText(stats.index.lag_ms), t('documents', { count: stats.index?.documents ?? 0 })],
  ];
  return html`<${Tiles} tiles=${tiles} />`;
}

/** @param {{good:boolean, name:string, text:string}} props */
function Line({ good, name, text }) {
  return html`<li><span class=${`pill ${good ? 'ok' : 'warn'}`}>${good ? t('well') : t('look')}</span><b>${name}</b><span>${text}</span></li>`;
}
