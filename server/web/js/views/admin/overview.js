/** How the workspace is at this moment, and how it was in the last minutes. */
import { signal } from '../../../vendor/signals-core.js';
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { openDialog } from '../../layout.js';
import { t } from '../../page_words.js';
import { may } from '../../permissions.js';
import { plugins } from '../../plugin_api.js';
import { adminPath } from '../../router.js';
import { EVERY_MS, MOST, perMinute, withSample } from '../../samples.js';
import { indexText, number } from '../../server_figures.js';
import { info, me, presences } from '../../store.js';
import { html, useEffect } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Plot } from '../plot.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';

/** Kept while the page is open, whichever section is looked at. */
const samples = signal(/** @type {import('../../samples.js').Sample[]} */ ([]));

export function Overview() {
  const stats = useLoaded(() => api.stats().then((/** @type {any} */ answer) => { samples.value = withSample(samples.value, answer); return answer; }));
  const letters = useLoaded(() => api.deadLetters({ limit: 100 }));
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) void stats.reload(); }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const failed = letters.value?.items.length ?? 0;
  const index = stats.value?.index ?? {};
  const state = indexText(index);
  const well = stats.value && !failed && state.kind === 'ok';
  return html`<${SettingsPage} title=${t('overview')} wide state=${stats.value && html`<span class=${`pill ${well ? 'ok' : 'warn'}`} role="status">${well ? t('all_checks_pass') : t('look_below')}</span>`}
      actions=${may(me.value, 'users.invite') && html`<button type="button" class="btn primary" onClick=${() => openDialog('invite')}>${t('invite_people')}</button>`}>
    ${!stats.value ? html`<${Waiting} ...${stats} />` : html`<${Kpis} stats=${stats.value} />
      <${Plots} />
      <${Block} title=${t('checks')}><ul class="checklist">
        <${Line} good=${state.kind === 'ok'} name=${t('search_index')} text=${state.text} />
        <${Line} good=${!failed} name=${t('dead_letters')} text=${failed ? t(letters.value?.next_cursor ? 'given_up_or_more' : 'given_up', { count: failed }) : t('nothing_was_given_up_on')} />
        <${Line} good name=${t('database')} text=${[stats.value.engine === 'postgres' ? 'PostgreSQL' : 'SQLite', info.value?.mode, `Confab ${info.value?.version ?? ''}`].filter(Boolean).join(', ')} />
      </ul><p class="btns"><a class="btn" href=${adminPath('server')}>${t('the_server_in_detail')}</a></p></${Block}>
      ${may(me.value, 'plugins.manage') && html`<${PluginList} />`}`}
  </${SettingsPage}>`;
}

/** The plugins that run or want something; the others stand on their own page. */
function PluginList() {
  const list = useLoaded(() => plugins.all());
  const shown = (list.value?.items ?? []).filter((/** @type {any} */ plugin) => plugin.enabled || plugin.waiting || plugin.disabled_reason);
  if (!shown.length) return '';
  const columns = [
    { name: t('plugin'), cell: (/** @type {any} */ plugin) => html`<b><bdi>${cleanName(plugin.name)}</bdi></b> <span class="dim">${plugin.version}</span>${plugin.description && html`<small><bdi>${cleanName(plugin.description)}</bdi></small>`}` },
    { name: t('permissions'), cell: (/** @type {any} */ plugin) => plugin.grants.join(', ') || html`<span class="dim">${t('none')}</span>` },
    { name: t('state'), cell: (/** @type {any} */ plugin) => html`<span class=${`pill ${plugin.waiting || !plugin.enabled ? 'warn' : 'ok'}`}>${plugin.waiting ? t('update') : plugin.enabled ? t('runs') : t('off')}</span>` },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ plugin) => html`<a class="btn small" href=${adminPath('plugins')} aria-label=${`${t('open')}: ${cleanName(plugin.name)}`}>${t('open')}</a>` },
  ];
  return html`<${Block} title=${t('plugins')}><${Table} label=${t('plugins')} columns=${columns} rows=${shown} /></${Block}>`;
}

/** @param {{stats:any}} props */
function Kpis({ stats }) {
  const online = [...presences.value.values()].filter((status) => status !== 'offline').length;
  const rates = perMinute(samples.value);
  const lag = stats.index?.lag ?? 0;
  const tiles = [
    [t('connected_now'), number(stats.socket_count), t('people_online', { count: online })],
    [t('accounts'), number(stats.user_count), t('bots_too')],
    [t('events_per_minute_2'), rates.length ? number(Math.round(rates[rates.length - 1])) : '…', t('in_all', { count: stats.head })],
    [t('index_lag'), lag ? number(lag) : t('none'), t('documents', { count: stats.index?.documents ?? 0 })],
  ];
  return html`<dl class="kpis">${tiles.map(([name, value, note]) => html`<div key=${name}><dt>${name}</dt><dd><b>${value}</b><small>${note}</small></dd></div>`)}</dl>`;
}

function Plots() {
  const rates = perMinute(samples.value);
  const sockets = samples.value.map((sample) => sample.sockets);
  const minutes = Math.max(1, Math.round(((samples.value.at(-1)?.at ?? 0) - (samples.value[0]?.at ?? 0)) / 60_000));
  const since = t('last_minutes', { count: minutes });
  return html`<${Plot} title=${t('events_per_minute', { since })} note=${t('peak', { count: Math.round(Math.max(0, ...rates)) })} values=${rates} most=${Math.min(MOST, Math.max(24, rates.length))} />
    <${Plot} title=${t('connections', { since })} note=${t('now_count', { count: sockets.at(-1) ?? 0 })} values=${sockets} most=${Math.min(MOST, Math.max(24, sockets.length))} />`;
}

/** @param {{good:boolean, name:string, text:string}} props */
function Line({ good, name, text }) {
  return html`<li><span class=${`pill ${good ? 'ok' : 'warn'}`}>${good ? t('well') : t('look')}</span><b>${name}</b><span>${text}</span></li>`;
}
