import { api } from '../api.js';
import { whenText } from '../clock.js';
import { cleanName } from '../format.js';
import { sidebarOpen } from '../layout.js';
import { channelPath, navigate, route, searchPath } from '../router.js';
import { info, meet } from '../store.js';
import { AnswerStrip } from './assistant.js';
import { Avatar, PersonName } from './avatar.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { channelLabel } from './shell.js';
import { Snippet } from './text.js';

/** Operators that a click adds or takes away. @returns {[string, string][]} label and operator */
function filters() {
  const monthAgo = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
  return [['Last 30 days', `after:${monthAgo}`], ['Has link', 'has:link'], ['Has file', 'has:file']];
}

export function SearchPage() {
  const { query } = route.value;
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));
  const [text, setText] = useState(query);
  const results = useResults(query.trim());
  useEffect(() => setText(query), [query]);
  useEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(input.current.value.length, input.current.value.length);
  }, []);
  const search = (/** @type {string} */ words) => navigate(searchPath(words.trim()));
  return html`<main class="page" id="main"><div class="wrap">
    <h1 class="sr">Search</h1>
    <div class="search-top"><${IconButton} icon="menu" label="Open channel list" class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} />
      <form class="searchbar" role="search" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); search(text); }}>
        <${Icon} name="find" /><input ref=${input} type="search" aria-label="Search messages" placeholder="Search messages" value=${text} maxlength="256" enterkeyhint="search"
          onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') navigate('/'); }} /><kbd>Esc</kbd>
      </form></div>
    <div class="filters" role="group" aria-label="Filters">${filters().map(([label, operator]) => {
      const on = text.includes(operator);
      return html`<button key=${operator} class="chip" aria-pressed=${on} onClick=${() => search(on ? text.replace(operator, '').replace(/\s+/g, ' ') : `${text.trim()} ${operator}`)}>${label}</button>`;
    })}<span class="operators">also <code>from:name</code> <code>in:channel</code> <code>before:date</code> <code>"a phrase"</code></span></div>
    ${query.trim() && info.value?.features?.assistant !== false && html`<${AnswerStrip} query=${query.trim()} />`}
    <${Results} query=${query.trim()} results=${results} />
  </div></main>`;
}

/** @typedef {{items:any[], cursor:string|null, partial:boolean, state:'idle'|'busy'|'done', error:string, more:()=>void}} ResultList */

/** @param {string} query @returns {ResultList} */
function useResults(query) {
  const empty = { items: /** @type {any[]} */ ([]), cursor: /** @type {string|null} */ (null), partial: false, state: /** @type {any} */ ('idle'), error: '' };
  const [list, setList] = useState(empty);
  const asked = useRef('');
  const load = async (/** @type {typeof empty} */ from) => {
    setList({ ...from, state: 'busy', error: '' });
    try {
      const answer = await api.search(query, from.cursor);
      if (asked.current !== query) return; // an answer that a newer question overtook
      meet(answer.items.map((/** @type {any} */ hit) => hit.message.sender));
      setList({ items: [...from.items, ...answer.items], cursor: answer.next_cursor, partial: Boolean(answer.partial), state: 'done', error: '' });
    } catch (error) {
      if (asked.current === query) setList({ ...from, state: 'done', error: /** @type {Error} */ (error).message });
    }
  };
  useEffect(() => {
    asked.current = query;
    if (query) void load(empty);
    else setList(empty);
  }, [query]);
  return { ...list, more: () => void load(list) };
}

/** @param {{query:string, results:ResultList}} props */
function Results({ query, results: { items, cursor, partial, state, error, more } }) {
  if (!query) return html`<p class="page-note">Type what you remember: words, a name, a meaning. Press Enter.</p>`;
  return html`<p class="sr" role="status">${state === 'done' ? `${items.length} results` : ''}</p>
    ${error && html`<p class="form-error" role="alert">${error}</p>`}
    ${partial && html`<p class="page-note">Some of the index is still being built; there may be more.</p>`}
    ${state === 'done' && !error && !items.length && html`<p class="page-note">Nothing you can read matches “${query}”.</p>`}
    <ol aria-label="Results">${items.map((hit) => html`<${Hit} key=${hit.message.id} hit=${hit} />`)}</ol>
    ${state === 'busy' && html`<p class="page-note" role="status">Searching…</p>`}
    ${cursor && state === 'done' && html`<p class="page-note"><button class="btn" onClick=${more}>More results</button></p>`}`;
}

/** @param {{hit:any}} props */
function Hit({ hit: { message, channel, snippet } }) {
  return html`<li class="hit">
    <${Avatar} user=${message.sender} />
    <div class="hit-in"><div class="ctx"><b>${message.parent_id ? 'Thread in ' : ''}<bdi>${cleanName(channelLabel({ channel }))}</bdi></b> · ${whenText(message.created_at)}${message.reply_count ? ` · ${message.reply_count} ${message.reply_count === 1 ? 'reply' : 'replies'}` : ''}</div>
      <div class="hd"><${PersonName} user=${message.sender} class="by" /></div>
      <div class="body"><p dir="auto"><${Snippet} snippet=${snippet ?? ''} /></p></div></div>
    <a class="btn go" href=${channelPath(message.channel_id, message.seq)} aria-label=${`Jump to the message of ${cleanName(message.sender?.username)}`}>Jump</a>
  </li>`;
}
