/** Pages, panes and dialogs whose code comes when they are first opened: the first page is small for it. */
import { t } from '../words.js';
import { html, useEffect, useState } from './html.js';
import { assetPath } from './icon.js';

/** @type {Map<() => Promise<any>, any>} */
const loaded = new Map();

/** The style sheets of all that is no channel, in the order in which one may differ from another. */
const SHEETS = ['panes', 'pages', 'accounts', 'lists', 'voice'];
/** @type {Promise<any>|null} */
let styling = null;

/** Resolves when they are there. */
function styled() {
  styling ??= Promise.all(SHEETS.map(sheet)).catch((error) => { styling = null; throw error; });
  return styling;
}

/** @param {string} name */
function sheet(name) {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: assetPath(`${name}.css`), onload: resolve });
    link.onerror = () => { link.remove(); reject(new Error(name)); };
    document.head.append(link);
  });
}

/**
 * A component that is fetched when it is first drawn.
 * @param {() => Promise<Record<string, any>>} load a call of import() @param {string} name of what the module exports
 * @param {{quiet?:boolean, wordless?:boolean, inChannel?:boolean, class?:string}} [options] quiet: nothing is drawn meanwhile, as for a dialog; class: of the element that is
 *   drawn instead; wordless: it keeps the place and says nothing; inChannel: it has its styles already
 */
export function lazy(load, name, { quiet = false, wordless = false, inChannel = false, class: extra = 'page' } = {}) {
  const fetched = () => Promise.all([load(), inChannel ? null : styled()]).then(([module]) => { loaded.set(load, module[name]); });
  /** Fetches it ahead. A failure shows when it is needed. */
  const ahead = () => { fetched().catch(() => {}); };
  function Lazy(/** @type {any} */ props) {
    const [, setTurn] = useState(0);
    const [error, setError] = useState('');
    const fetchIt = () => {
      setError('');
      fetched().then(() => setTurn((turn) => turn + 1), () => setError(t('this_part_of_the_page_could')));
    };
    useEffect(() => { if (!loaded.has(load)) fetchIt(); }, []);
    const Component = loaded.get(load);
    if (Component) return html`<${Component} ...${props} />`;
    if (error) return html`<div class=${quiet ? 'notices' : extra} role="alert"><p class="form-error">${error}</p><button type="button" class="btn" onClick=${fetchIt}>${t('try_again')}</button></div>`;
    if (wordless) return html`<div class=${extra}></div>`;
    return quiet ? null : html`<div class=${extra}><p class="page-note" role="status">${t('loading')}</p></div>`;
  }
  return Object.assign(Lazy, { ahead });
}
