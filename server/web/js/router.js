/** Addresses to views. Links inside the application are followed without loading the page again. */
import { signal } from '../vendor/signals-core.js';

/** What can be searched beside messages. */
const SEARCHED = ['files', 'channels', 'people'];

/**
 * @typedef {{name:'home'|'setup'|'register'|'login'|'forgot'|'reset'|'search'|'threads'|'saved'|'later'|'join'|'channel'|'preferences'|'admin'|'missing', channelId:string, seq:number,
 *   query:string, kind:string, section:string, error:string, fragment:string}} Route
 *   seq: the message to jump to, 0 for none; kind: what is searched, '' for messages; section: of the preferences or the administration, '' for the first; error: what a sign-in came back with
 */

/** @param {URL|Location} address @returns {Route} */
export function parseRoute(address) {
  const parameters = new URLSearchParams(address.search);
  const route = { channelId: '', seq: 0, query: '', kind: '', section: '', error: '', fragment: fragmentOf(address.hash) };
  const path = address.pathname.replace(/\/+$/, '') || '/';
  const channel = /^\/channels\/([^/]+)$/.exec(path);
  if (channel) {
    const seq = Number(parameters.get('seq') ?? parameters.get('message'));
    return { ...route, name: 'channel', channelId: decode(channel[1]), seq: Number.isSafeInteger(seq) && seq > 0 ? seq : 0 };
  }
  if (path === '/search') return { ...route, name: 'search', query: parameters.get('q') ?? '', kind: SEARCHED.find((kind) => kind === parameters.get('in')) ?? '' };
  if (path === '/login') return { ...route, name: 'login', error: parameters.get('error') ?? '' };
  const settings = /^\/(preferences|admin)(?:\/([a-z]+))?$/.exec(path);
  if (settings) return { ...route, name: settings[1] === 'admin' ? 'admin' : 'preferences', section: settings[2] ?? '' };
  const pages = /** @type {Record<string, Route['name']>} */ ({ '/': 'home', '/setup': 'setup', '/register': 'register', '/forgot': 'forgot', '/reset': 'reset',
    '/threads': 'threads', '/saved': 'saved', '/later': 'later', '/join': 'join' });
  return { ...route, name: pages[path] ?? 'missing' };
}

/** @param {string} hash */
function fragmentOf(hash) {
  return decode(hash.slice(1));
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const route = signal(/** @type {Route} */ ({ name: 'home', channelId: '', seq: 0, query: '', kind: '', section: '', error: '', fragment: '' }));
/** Grows with every navigation, so that following the same permalink twice jumps twice. */
export const visits = signal(0);

/** @param {string} path @param {{replace?:boolean}} [options] */
export function navigate(path, { replace = false } = {}) {
  if (replace) history.replaceState(null, '', path);
  else if (path !== location.pathname + location.search) history.pushState(null, '', path);
  follow();
}

function follow() {
  route.value = parseRoute(location);
  visits.value += 1;
}

/** Starts to follow links and the history. */
export function startRouter() {
  follow();
  addEventListener('popstate', follow);
  addEventListener('hashchange', follow);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = /** @type {Element} */ (event.target).closest?.('a[href]');
    if (!(link instanceof HTMLAnchorElement) || link.target || link.origin !== location.origin || !isPage(link.pathname)) return;
    event.preventDefault();
    navigate(link.pathname + link.search + link.hash);
  });
}

/** True for addresses this application shows itself. @param {string} path */
export function isPage(path) {
  return /^\/(?:$|(?:setup|register|login|forgot|reset|search|threads|saved|later|join)$|channels\/|(?:preferences|admin)(?:\/|$))/.test(path);
}

/** @param {string} channelId @param {number} [seq] */
export function channelPath(channelId, seq) {
  return `/channels/${encodeURIComponent(channelId)}${seq ? `?seq=${seq}` : ''}`;
}

/** @param {string} query @param {string} [kind] one of those searched beside messages */
export function searchPath(query, kind = '') {
  const parameters = new URLSearchParams({ ...(query ? { q: query } : {}), ...(SEARCHED.includes(kind) ? { in: kind } : {}) });
  return parameters.size ? `/search?${parameters}` : '/search';
}

/** @param {string} [section] */
export function preferencesPath(section) {
  return section ? `/preferences/${section}` : '/preferences';
}

/** @param {string} [section] */
export function adminPath(section) {
  return section ? `/admin/${section}` : '/admin';
}

/** Drafts, scheduled messages, reminders. */
export function laterPath() {
  return '/later';
}
