/** The search index: what it holds, how far it is, and building it anew while it answers. */
import { api } from '../../page_api.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { indexText, isRebuilding, number, vectorsText } from '../../server_figures.js';
import { Action } from '../form.js';
import { html, useEffect, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Tiles } from './tiles.js';

/** Asked again this often: while an index is built, and otherwise. */
const BUSY_MS = 1_000;
const QUIET_MS = 15_000;
/** After this time without a new index, the page no longer waits for one. */
const PATIENCE_MS = 60_000;

export function SearchIndex() {
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
  if (!index) return html`<${SettingsPage} title=${t('search_index')} wide><${Waiting} ...${stats} /></${SettingsPage}>`;
  const { kind, word, text } = indexText(index);
  const waits = rebuilding && !index.building;
  return html`<${SettingsPage} title=${t('search_index')} wide lead=${text} state=${html`<span class=${`pill ${waits ? 'warn' : kind}`} role="status">${waits ? t('asked_for') : word}</span>`}
      actions=${!rebuilding && !index.error && html`<${Action} class="btn primary" run=${rebuild}>${t('build_the_index_anew')}</${Action}>`}>
    <${IndexFigures} index=${index} head=${stats.value.head} />
    ${index.building && html`<progress aria-label=${t('messages_read')} max=${Math.max(1, index.building.total)} value=${index.building.done}></progress>`}
    ${index.vectors && html`<${Block} title=${t('search_by_meaning')} lead=${vectorsText(index.vectors)}>
      ${index.vectors.building && html`<progress aria-label=${t('messages_read')} max=${Math.max(1, index.vectors.building.total)} value=${index.vectors.building.done}></progress>`}</${Block}>`}
  </${SettingsPage}>`;
}

/** @param {{index:any, head:number}} props */
function IndexFigures({ index, head }) {
  const tiles = [
    [t('documents_in_it'), number(index.documents ?? 0), t('messages_and_files')],
    [t('events_read'), number(index.applied ?? 0), t('of_in_the_log', { all: number(head) })],
    [t('behind'), index.lag ? number(index.lag) : t('nothing'), t('events')],
    ...(index.vectors ? [[t('vectors_behind'), index.vectors_lag ? number(index.vectors_lag) : t('nothing'), t('events')]] : []),
  ];
  return html`<${Tiles} tiles=${tiles} />`;
}
