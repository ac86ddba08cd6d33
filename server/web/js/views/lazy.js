/** Pages, panes and dialogs whose code comes when they are first opened: the first page is small for it. */
import { t } from '../words.js';
import { FormError } from './field.js';
import { html, useEffect, useState } from './html.js';

/** @type {Map<() => Promise<any>, any>} */
const loaded = new Map();

/**
 * A component that is fetched when it is first drawn.
 * @param {() => Promise<Record<string, any>>} load a call of import() @param {string} name of what the module exports
 * @param {{quiet?:boolean, class?:string}} [options] quiet: nothing is drawn meanwhile, as for a dialog; class: of the element that is drawn instead
 */
export function lazy(load, name, { quiet = false, class: extra = 'page' } = {}) {
  /** Fetches it ahead. A failure shows when it is needed. */
  const ahead = () => { load().then((module) => loaded.set(load, module[name]), () => {}); };
  function Lazy(/** @type {any} */ props) {
    const [, setTurn] = useState(0);
    const [error, setError] = useState('');
    const fetchIt = () => {
      setError('');
      load().then((module) => { loaded.set(load, module[name]); setTurn((turn) => turn + 1); }, () => setError(t('this_part_of_the_page_could')));
    };
    useEffect(() => { if (!loaded.has(load)) fetchIt(); }, []);
    const Component = loaded.get(load);
    if (Component) return html`<${Component} ...${props} />`;
    if (error) return html`<div class=${quiet ? 'notices' : extra} role="alert"><${FormError} error=${error} /><button type="button" class="btn" onClick=${fetchIt}>${t('try_again')}</button></div>`;
    return quiet ? null : html`<div class=${extra}><p class="page-note" role="status">${t('loading')}</p></div>`;
  }
  return Object.assign(Lazy, { ahead });
}
