/** What this server does while one looks at it. */
import { signal } from '../../../vendor/signals-core.js';
import { t } from '../../page_words.js';
import { MOST, perMinute, withSample } from '../../samples.js';
import { html } from '../html.js';
import { Plot } from '../plot.js';

/** Kept while the page is open, whichever section is looked at. */
const samples = signal(/** @type {import('../../samples.js').Sample[]} */ ([]));

/** One more moment. @param {any} stats */
export function keepSample(stats) {
  samples.value = withSample(samples.value, stats);
}

export function LivePlots() {
  const rates = perMinute(samples.value);
  const sockets = samples.value.map((sample) => sample.sockets);
  const minutes = Math.max(1, Math.round(((samples.value.at(-1)?.at ?? 0) - (samples.value[0]?.at ?? 0)) / 60_000));
  const since = t('last_minutes', { count: minutes });
  return html`<div class="plots"><${Plot} title=${t('events_per_minute', { since })} note=${t('peak', { count: Math.round(Math.max(0, ...rates)) })} values=${rates} most=${Math.min(MOST, Math.max(24, rates.length))} />
    <${Plot} title=${t('connections', { since })} note=${t('now_count', { count: sockets.at(-1) ?? 0 })} values=${sockets} most=${Math.min(MOST, Math.max(24, sockets.length))} /></div>`;
}
