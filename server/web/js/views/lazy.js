/** Pages, panes and dialogs whose code comes when they are first opened: the first page is small for it. */
import { connection } from '../store.js';
import { t } from '../words.js';
import { html, useEffect, useRef, useState } from './html.js';
import { assetPath } from './icon.js';

/** @type {Map<() => Promise<any>, any>} */
const loaded = new Map();

/** The style sheets behind the first, in the order in which one may differ from another; that of the channels alone, and those of pages beside them. */
const CHANNEL = ['writing'];
const SHEETS = [...CHANNEL, 'panes', 'pages', 'accounts', 'lists', 'voice'];
/** @type {Map<string, Promise<any>>} */
const styling = new Map();

/** Resolves when they are there. @param {string[]} names */
function styled(names) {
  return Promise.all(names.map((name) => {
    const known = styling.get(name) ?? sheet(name).catch((error) => { styling.delete(name); throw error; });
    styling.set(name, known);
    return known;
  }));
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
 *   drawn instead; wordless: it keeps the place and says nothing; inChannel: it needs the styles of the channels alone
 */
export function lazy(load, name, { quiet = false, wordless = false, inChannel = false, class: extra = 'page' } = {}) {
  /** Why the module did not come. Only a page loaded anew is sure to help: some browsers keep what failed, and an older page has not all that today's modules need. */
  let failed = '';
  const part = () => {
    failed = '';
    return load().catch((error) => {
      failed = t(error instanceof SyntaxError ? 'this_page_is_older_than_the' : 'this_part_of_the_page_could');
      throw error;
    });
  };
  const fetched = () => Promise.all([part(), styled(inChannel ? CHANNEL : SHEETS)]).then(([module]) => { loaded.set(load, module[name]); });
  /** Fetches it ahead. A failure shows when it is needed. */
  const ahead = () => { fetched().catch(() => {}); };
  function Lazy(/** @type {any} */ props) {
    const [, setTurn] = useState(0);
    const [error, setError] = useState('');
    /** The connection in which it was asked for last. */
    const askedIn = useRef(connection.peek());
    const fetchIt = () => {
      askedIn.current = connection.peek();
      setError('');
      fetched().then(() => setTurn((turn) => turn + 1), () => setError(failed || t('this_part_of_the_page_could')));
    };
    useEffect(() => { if (!loaded.has(load)) fetchIt(); }, []);
    // A server that went away while the page began leaves nobody without a composer: what did not come is asked for once with every connection.
    const isBack = Boolean(error) && connection.value !== askedIn.current && connection.value.status === 'online';
    useEffect(() => { if (isBack) fetchIt(); }, [isBack]);
    const Component = loaded.get(load);
    if (Component) return html`<${Component} ...${props} />`;
    if (error) return html`<div class=${quiet ? 'notices' : extra} role="alert"><p class="form-error">${error}</p><button type="button" class="btn" onClick=${failed ? () => location.reload() : fetchIt}>${t(failed ? 'reload' : 'try_again')}</button></div>`;
    if (wordless) return html`<div class=${extra}></div>`;
    return quiet ? null : html`<div class=${extra}><p class="page-note" role="status">${t('loading')}</p></div>`;
  }
  return Object.assign(Lazy, { ahead });
}
