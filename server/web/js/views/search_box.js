/** Where a search is written: its filters stand in the box as pieces that a click takes away, the words are typed beside them. */
import { sidebarOpen } from '../layout.js';
import { t } from '../page_words.js';
import { navigate } from '../router.js';
import { filtersOf, finishedFilters, joinQuery, splitQuery, withFilters } from '../search_query.js';
import { Dialog } from './dialog.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { PeopleFinder } from './people_finder.js';

/** @typedef {import('./search.js').What} What */

/** Filters that a click adds or takes away; the first ones are in sight at once. @param {What} what @returns {[string, string][]} label and filter */
function choices(what) {
  const monthAgo = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
  const recent = /** @type {[string, string]} */ ([t('last_30_days'), `after:${monthAgo}`]);
  if (what !== 'messages') return [recent];
  return [recent, [t('has_link'), 'has:link'], [t('has_file'), 'has:file'], [t('in_threads'), 'is:thread'],
    [t('mentions_me'), 'mentions:me'], [t('saved'), 'is:bookmarked'], [t('pinned'), 'is:pinned'], [t('has_image'), 'has:image'], [t('has_reaction'), 'has:reaction']];
}
const IN_SIGHT = 4;

/**
 * @param {{query:string, what:What, placeholder:string, newest:boolean, search:(query:string, options?:{newest?:boolean})=>void}} props
 */
export function SearchBox({ query, what, placeholder, newest, search }) {
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));
  const [{ filters, text }, setWritten] = useState(() => written(query));
  const [picking, setPicking] = useState(false);
  useEffect(() => setWritten(written(query)), [query]);
  useEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(input.current.value.length, input.current.value.length);
  }, []);
  const send = (/** @type {string[]} */ kept, /** @type {string} */ words) => {
    setWritten({ filters: kept, text: words });
    search(joinQuery(kept, words));
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const { filters: more, words } = splitQuery(text);
    send(withFilters(filters, more), words);
  };
  const drop = (/** @type {string} */ filter) => {
    send(filters.filter((other) => other !== filter), text);
    input.current?.focus();
  };
  const onInput = (/** @type {any} */ event) => setWritten(finishedFilters(filters, event.target.value) ?? { filters, text: event.target.value });
  const onKeyDown = (/** @type {any} */ event) => {
    if (event.key === 'Escape') navigate('/');
    // The last filter becomes words again, to be written otherwise.
    if (event.key !== 'Backspace' || !filters.length || event.target.selectionStart || event.target.selectionEnd) return;
    event.preventDefault();
    setWritten({ filters: filters.slice(0, -1), text: `${filters.at(-1)}${text && ` ${text}`}` });
  };
  const toggle = (/** @type {string} */ filter) => send(filters.includes(filter) ? filters.filter((other) => other !== filter) : [...filters, filter], splitQuery(text).words);
  return html`<div class="search-top"><${IconButton} icon="menu" label=${t('open_channel_list')} class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} />
      <form class="searchbar" role="search" onSubmit=${submit}><${Icon} name="find" />
        <span class="ops">${filters.map((filter) => html`<button type="button" key=${filter} class="op" aria-label=${t('take_away', { shown: filter })} title=${t('take_away', { shown: filter })} onClick=${() => drop(filter)}><bdi>${shownFilter(filter)}</bdi></button>`)}
          <input ref=${input} type="search" aria-label=${t('search')} placeholder=${filters.length ? '' : placeholder} value=${text} maxlength="256" enterkeyhint="search" onInput=${onInput} onKeyDown=${onKeyDown} /></span><kbd>Esc</kbd>
      </form></div>
    ${['messages', 'files'].includes(what) && html`<${Filters} what=${what} filters=${filters} toggle=${toggle} pick=${() => setPicking(true)}
      newest=${newest} sort=${() => search(query, { newest: !newest })} />`}
    ${picking && html`<${Dialog} title=${t('from_whom')} onClose=${() => setPicking(false)}><div class="dialog-b">
      <${PeopleFinder} label=${t('find_a_person')} action=${t('choose')} choose=${(/** @type {any} */ user) => { setPicking(false); toggle(`from:${user.username}`); }} /></div></${Dialog}>`}`;
}

/** @param {{what:What, filters:string[], toggle:(filter:string)=>void, pick:()=>void, newest:boolean, sort:()=>void}} props */
function Filters({ what, filters, toggle, pick, newest, sort }) {
  const [all, setAll] = useState(false);
  const offered = choices(what);
  const shown = offered.filter(([, filter], at) => all || at < IN_SIGHT || filters.includes(filter));
  const from = filtersOf(filters, 'from');
  return html`<div class="filters" role="group" aria-label=${t('filters')}>
    <button type="button" class="chip" aria-pressed=${from.length > 0} aria-haspopup="dialog" onClick=${pick}><bdi>${from.length ? t('from_these', { names: from.map((filter) => filter.slice('from:'.length)).join(', ') }) : t('from_anyone')}</bdi></button>
    ${shown.map(([label, filter]) => html`<button type="button" key=${filter} class="chip" aria-pressed=${filters.includes(filter)} onClick=${() => toggle(filter)}>${label}</button>`)}
    ${offered.length > IN_SIGHT && html`<button type="button" class="chip" aria-expanded=${all} onClick=${() => setAll(!all)}>${all ? t('fewer_filters') : t('more_filters')}</button>`}
    <button type="button" class="chip sort" onClick=${sort}>${newest ? t('sort_newest') : t('sort_relevance')}</button>
    ${all && html`<span class="operators">${t('also')} <code>from:name</code> <code>in:channel</code> <code>during:2026-01</code> <code>${t('beginning_example')}*</code> <code>"a phrase"</code></span>`}</div>`;
}

/** A channel has its sign, as everywhere. @param {string} filter */
function shownFilter(filter) {
  return filter.replace(/^in:(?=[\p{L}\p{N}])/iu, '$&#');
}

/** @param {string} query */
function written(query) {
  const { filters, words } = splitQuery(query);
  return { filters, text: words };
}
