/** The server's figures in words. */
import { t } from './page_words.js';
import { locale } from './words.js';

/** @typedef {{lag?:number, documents?:number, origin?:number, building?:{done:number, total:number}, vectors?:Vectors, error?:string}} IndexState */
/** @typedef {{model:string, serving:string, building?:{done:number, total:number}}} Vectors */

/** How the search index is. @param {IndexState} index @returns {{kind:'ok'|'warn'|'bad', word:string, text:string}} */
export function indexText({ lag = 0, documents = 0, building, error }) {
  if (error) return { kind: 'bad', word: t('not_reached'), text: t('no_worker_answers_so_nothing_can', { error }) };
  if (building) return { kind: 'warn', word: t('being_built'), text: t('of_messages_are_read_the_old', { count: number(building.done), count2: number(building.total) }) };
  if (lag > 0) return { kind: 'warn', word: t('behind'), text: t('index_behind', { documents, count: lag }) };
  return { kind: 'ok', word: t('up_to_date'), text: t('index_documents', { count: documents }) };
}

/** By which model's vectors searches are answered, and how far another's are. @param {Vectors} vectors */
export function vectorsText({ model, serving, building }) {
  if (!building) return t('meaning_is_found_by', { model: serving });
  const counts = { model, count: number(building.done), count2: number(building.total) };
  return serving === model ? t('vectors_are_made', counts) : t('vectors_are_made_meanwhile', { ...counts, serving });
}

/** True until an index that was asked for answers: it is begun a moment after it was asked for. @param {number|null} originBefore null when none was asked for @param {IndexState|undefined} index */
export function isRebuilding(originBefore, index) {
  return Boolean(index?.building) || (originBefore !== null && (index?.origin ?? originBefore) <= originBefore);
}

/** Who reads the log, and how far each is. @param {Record<string, number>} cursors @param {number} head */
export function consumers(cursors, head) {
  return Object.entries(cursors).map(([name, pos]) => ({ name, pos, behind: Math.max(0, head - pos) })).sort((left, right) => left.name.localeCompare(right.name));
}

/** @param {number} count */
export function number(count) {
  return new Intl.NumberFormat(locale()).format(count);
}

/** Rates of each minute, smoothed: the mean of every `size` of them, the last ones by themselves. @param {number[]} minutes the oldest first @param {number} size */
export function byStretch(minutes, size) {
  const means = [];
  for (let end = minutes.length; end > 0; end -= size) {
    const part = minutes.slice(Math.max(0, end - size), end);
    means.unshift(part.reduce((sum, count) => sum + count, 0) / part.length);
  }
  return means;
}

/** How a count stands beside the one a week before. @param {number} count @param {number} before */
export function comparedText(count, before) {
  if (!before) return t('none_a_week_before');
  const change = new Intl.NumberFormat(locale(), { style: 'percent', signDisplay: 'exceptZero', maximumFractionDigits: 0 }).format((count - before) / before);
  return t('change_on_last_week', { change });
}

/** A short time: milliseconds, or seconds where there are many. @param {number} ms */
export function delayText(ms) {
  const [value, unit] = ms < 1_000 ? [ms, 'millisecond'] : [ms / 1_000, 'second'];
  const digits = value < 10 ? 1 : 0;
  return new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short', minimumFractionDigits: 0, maximumFractionDigits: digits }).format(value);
}
