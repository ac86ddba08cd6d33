import { t } from '../page_words.js';
import { html, useEffect, useRef, useState } from './html.js';
import { FormError } from './field.js';

/**
 * What one call answers, kept while the page is open.
 * @param {() => Promise<any>} load @param {unknown[]} [inputs] asked again when one of them changes
 */
export function useLoaded(load, inputs = []) {
  const [state, setState] = useState(/** @type {{value:any, error:string}} */ ({ value: null, error: '' }));
  const turn = useRef(0);
  const reload = async () => {
    const mine = ++turn.current;
    try {
      const value = await load();
      if (mine === turn.current) setState({ value, error: '' }); // an answer that a newer question overtook is dropped
    } catch (error) {
      if (mine === turn.current) setState({ value: null, error: /** @type {Error} */ (error).message });
    }
  };
  useEffect(() => void reload(), inputs);
  return { ...state, reload, set: (/** @type {any} */ value) => setState({ value, error: '' }) };
}

/**
 * A list that the server gives in pages.
 * @param {(cursor:string|null)=>Promise<{items:any[], next_cursor?:string|null}>} load @param {string} about what the list is of: another one starts anew
 */
export function usePages(load, about) {
  const empty = { items: /** @type {any[]} */ ([]), cursor: /** @type {string|null} */ (null), busy: true, error: '' };
  const [list, setList] = useState(empty);
  const turn = useRef(0);
  const next = async (/** @type {typeof empty} */ from) => {
    const mine = ++turn.current;
    setList({ ...from, busy: true, error: '' });
    try {
      const page = await load(from.cursor);
      if (mine === turn.current) setList({ items: [...from.items, ...page.items], cursor: page.next_cursor ?? null, busy: false, error: '' });
    } catch (error) {
      if (mine === turn.current) setList({ ...from, busy: false, error: /** @type {Error} */ (error).message });
    }
  };
  useEffect(() => void next(empty), [about]);
  return {
    ...list,
    more: () => next(list),
    reload: () => next(empty),
    change: (/** @type {(items:any[])=>any[]} */ work) => setList((known) => ({ ...known, items: work(known.items) })),
  };
}

/** What stands where a list or a page is not yet. @param {{error:string, reload:()=>Promise<void>}} props */
export function Waiting({ error, reload }) {
  if (!error) return html`<p class="page-note" role="status">${t('loading')}</p>`;
  return html`<div class="failed"><${FormError} error=${error} /><button type="button" class="btn" onClick=${() => void reload()}>${t('try_again')}</button></div>`;
}

/** The end of a list in pages. @param {{list:ReturnType<typeof usePages>, none:string}} props */
export function PagesEnd({ list, none }) {
  if (list.error) return html`<${Waiting} error=${list.error} reload=${list.items.length ? list.more : list.reload} />`;
  if (list.busy) return html`<p class="page-note" role="status">${t('loading')}</p>`;
  if (list.cursor) return html`<p class="page-note"><button type="button" class="btn" onClick=${() => void list.more()}>${t('show_more')}</button></p>`;
  return list.items.length ? null : html`<p class="page-note" role="status">${none}</p>`;
}
