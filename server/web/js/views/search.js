import { api } from '../page_api.js';
import { changes } from '../changes.js';
import { chat } from '../chat_api.js';
import { whenText } from '../clock.js';
import { kindText, sizeText } from '../files.js';
import { cleanName } from '../format.js';
import { sidebarOpen } from '../layout.js';
import { attempt } from '../notices.js';
import { t } from '../page_words.js';
import { channelPath, navigate, route, searchPath } from '../router.js';
import { info, meet, users } from '../store.js';
import { AnswerStrip } from './assistant.js';
import { Avatar, PersonName } from './avatar.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { channelLabel } from './channel_name.js';
import { ChannelHit, PersonHit } from './search_around.js';
import { Tabs } from './tabs.js';
import { Snippet } from './text.js';

/** @typedef {'messages'|'files'|'channels'|'people'} What is looked for */

/** Operators that a click adds or takes away. @param {What} what @returns {[string, string][]} label and operator */
function filters(what) {
  const monthAgo = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
  const recent = /** @type {[string, string]} */ ([t('last_30_days'), `after:${monthAgo}`]);
  // Every file is one, and of channels and people only the names are looked at.
  if (what !== 'messages') return what === 'files' ? [recent] : [];
  return [recent, [t('mentions_me'), 'mentions:me'], [t('saved'), 'is:bookmarked'], [t('pinned'), 'is:pinned'], [t('in_threads'), 'is:thread'],
    [t('has_link'), 'has:link'], [t('has_file'), 'has:file'], [t('has_image'), 'has:image'], [t('has_reaction'), 'has:reaction']];
}

const TABS = [{ name: 'messages', title: t('messages') }, { name: 'files', title: t('files') }, { name: 'channels', title: t('channels') }, { name: 'people', title: t('people') }];

/** How each is asked for, and what is said in its place. @type {Record<What, {ask:(query:string, cursor:string|null)=>Promise<any>, placeholder:string, hint:string}>} */
const KINDS = {
  messages: { ask: api.search, placeholder: t('search_messages'), hint: t('type_what_you_remember_words_a') },
  files: { ask: api.searchFiles, placeholder: t('search_files'), hint: t('type_a_part_of_a_name') },
  channels: { ask: api.searchChannels, placeholder: t('search_channels'), hint: t('type_a_part_of_a_name') },
  people: { ask: api.users, placeholder: t('search_people'), hint: t('type_how_a_name_begins') },
};

export function SearchPage() {
  const { query, kind } = route.value;
  const what = /** @type {What} */ (kind || 'messages');
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));
  const [text, setText] = useState(query);
  const results = useResults(query.trim(), what);
  useEffect(() => setText(query), [query]);
  useEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(input.current.value.length, input.current.value.length);
  }, []);
  const search = (/** @type {string} */ words, /** @type {What} */ of = what) => navigate(searchPath(words.trim(), of));
  return html`<main class="page" id="main"><div class="wrap">
    <h1 class="sr">${t('search')}</h1>
    <div class="search-top"><${IconButton} icon="menu" label=${t('open_channel_list')} class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} />
      <form class="searchbar" role="search" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); search(text); }}>
        <${Icon} name="find" /><input ref=${input} type="search" aria-label=${t('search')} placeholder=${KINDS[what].placeholder} value=${text} maxlength="256" enterkeyhint="search"
          onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === 'Escape') navigate('/'); }} /><kbd>Esc</kbd>
      </form></div>
    ${filters(what).length > 0 && html`<div class="filters" role="group" aria-label=${t('filters')}>${filters(what).map(([label, operator]) => {
      const on = text.includes(operator);
      return html`<button key=${operator} class="chip" aria-pressed=${on} onClick=${() => search(on ? text.replace(operator, '').replace(/\s+/g, ' ') : `${text.trim()} ${operator}`)}>${label}</button>`;
    })}<span class="operators">${t('also')} <code>from:name</code> <code>in:channel</code> <code>during:2026-01</code> <code>${t('beginning_example')}*</code> <code>"a phrase"</code></span></div>`}
    <${Tabs} label=${t('what_is_searched')} tabs=${TABS} current=${what} plain choose=${(/** @type {What} */ name) => search(text, name)}>
      ${what === 'messages' && query.trim() && info.value?.features?.assistant !== false && html`<${AnswerStrip} query=${query.trim()} />`}
      <${Results} what=${what} query=${query.trim()} results=${results} /></${Tabs}>
  </div></main>`;
}

/** @typedef {{written:string, near:string[]}} NameRead A name that nobody has, and the nearest */
/** @typedef {{items:any[], cursor:string|null, partial:boolean, without:string[], names:NameRead[], state:'idle'|'busy'|'done', error:string, more:()=>void}} ResultList */

/** @param {string} query @param {What} what @returns {ResultList} */
function useResults(query, what) {
  const empty = { items: /** @type {any[]} */ ([]), cursor: /** @type {string|null} */ (null), partial: false, without: /** @type {string[]} */ ([]), names: /** @type {NameRead[]} */ ([]), state: /** @type {any} */ ('idle'), error: '' };
  const [list, setList] = useState(empty);
  const asked = useRef('');
  const question = `${what} ${query}`;
  const load = async (/** @type {typeof empty} */ from) => {
    setList({ ...from, state: 'busy', error: '' });
    try {
      const answer = await KINDS[what].ask(query, from.cursor);
      if (asked.current !== question) return; // an answer that a newer question overtook
      if (what === 'messages') meet(answer.items.map((/** @type {any} */ hit) => hit.message.sender));
      setList({ items: [...from.items, ...answer.items], cursor: answer.next_cursor, partial: Boolean(answer.partial), without: answer.unavailable ?? [], names: answer.names ?? [], state: 'done', error: '' });
    } catch (error) {
      if (asked.current === question) setList({ ...from, state: 'done', error: /** @type {Error} */ (error).message });
    }
  };
  useEffect(() => {
    asked.current = question;
    if (query) void load(empty);
    else setList(empty);
  }, [question, changes.sight.value]);
  // Not the other tab's, for the moment until its own are asked for.
  return { ...(asked.current === question ? list : empty), more: () => void load(list) };
}

/** @param {{what:What, query:string, results:ResultList}} props */
function Results({ what, query, results: { items, cursor, partial, without, names, state, error, more } }) {
  if (!query) return html`<p class="page-note">${KINDS[what].hint}</p>`;
  return html`<p class="sr" role="status">${state === 'done' ? t('results_count', { count: items.length }) : ''}</p>
    ${error && html`<p class="form-error" role="alert">${error}</p>`}
    ${without.includes('meaning') && html`<p class="page-note">${t('only_the_words_were_looked_for')}</p>`}
    ${names.map((name) => html`<${NameNote} key=${name.written} name=${name} what=${what} query=${query} />`)}
    ${partial && html`<p class="page-note">${t('some_of_the_index_is_still')}</p>`}
    ${state === 'done' && !error && !items.length && html`<p class="page-note">${t('nothing_you_can_read_matches', { query })}</p>`}
    <ol aria-label=${t('results')}>${items.map((hit) => HITS[what](hit))}</ol>
    ${state === 'busy' && html`<p class="page-note" role="status">${t('searching')}</p>`}
    ${cursor && state === 'done' && html`<p class="page-note"><button class="btn" onClick=${more}>${t('more_results')}</button></p>`}`;
}

/** @type {Record<What, (hit:any)=>any>} */
const HITS = {
  messages: (hit) => html`<${Hit} key=${hit.message.id} hit=${hit} />`,
  files: (hit) => html`<${FileHit} key=${hit.file.id} hit=${hit} />`,
  channels: (hit) => html`<${ChannelHit} key=${hit.channel.id} hit=${hit} />`,
  people: (person) => html`<${PersonHit} key=${person.id} person=${person} />`,
};

/** A name that nobody has: by which it was searched instead, or by which it could be. @param {{name:NameRead, what:What, query:string}} props */
function NameNote({ name: { written, near }, what, query }) {
  if (near.length === 1) return html`<p class="page-note">${t('nothing_is_called_so_but', { written, near: near[0] })}</p>`;
  return html`<p class="page-note">${t('did_you_mean', { written })} ${near.map((name) => html`<a key=${name} class="chip" href=${searchPath(renamed(query, written, name), what)}><bdi>${name}</bdi></a> `)}</p>`;
}

/** A question with another name in it. @param {string} query @param {string} written as the server says it @param {string} name */
function renamed(query, written, name) {
  const [, filter, bare] = /** @type {RegExpMatchArray} */ (written.match(/^(?:(from|in|mentions):)?"?(.*?)"?$/s));
  const forms = filter ? ['', '@', '#', '"'].map((mark) => `${filter}:${mark}${bare}${mark === '"' ? mark : ''}`) : [bare];
  const form = forms.find((form) => query.toLowerCase().includes(form.toLowerCase()));
  if (!form) return `${query} ${name}`;
  const at = query.toLowerCase().indexOf(form.toLowerCase());
  return `${query.slice(0, at)}${name}${query.slice(at + form.length)}`;
}

/** What a hit stands for besides itself. @param {{more_in_thread?:number, copies?:number}} hit */
function besides({ more_in_thread: more = 0, copies = 0 }) {
  return `${more ? ` · ${t('more_in_thread', { count: more })}` : ''}${copies ? ` · ${t('said_more', { count: copies })}` : ''}`;
}

/** @param {{hit:any}} props */
function Hit({ hit }) {
  const { message, channel, snippet } = hit;
  return html`<li class="hit">
    <${Avatar} user=${message.sender} />
    <div class="hit-in"><div class="ctx"><b>${message.parent_id ? t('thread_in') : ''}<bdi>${cleanName(channelLabel({ channel }))}</bdi></b> · ${whenText(message.created_at)}${message.reply_count ? ` · ${t('replies_count', { count: message.reply_count })}` : ''}${besides(hit)}${snippet && !snippet.includes('<mark>') ? ` · ${t('similar_meaning')}` : ''}</div>
      <div class="hd"><${PersonName} user=${message.sender} class="by" /></div>
      <div class="body"><p dir="auto"><${Snippet} snippet=${snippet ?? ''} /></p></div></div>
    <a class="btn go" href=${channelPath(message.channel_id, message.seq)} aria-label=${t('jump_to_the_message_of', { name: cleanName(message.sender?.username) })}>${t('jump')}</a>
  </li>`;
}

/** A file, which is opened where it was sent. @param {{hit:any}} props */
function FileHit({ hit: { file, channel, snippet } }) {
  const name = cleanName(file.filename);
  const uploader = users.value.get(file.uploaded_by_id);
  const jump = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const message = await attempt(chat.message(file.message_id));
    if (message) navigate(channelPath(message.channel_id, message.seq));
  };
  return html`<li class="hit file-hit">
    <span class="ic" aria-hidden="true">${kindText(file)}</span>
    <div class="hit-in"><div class="ctx"><b><bdi>${cleanName(channelLabel({ channel }))}</bdi></b> · ${whenText(file.created_at)}${uploader && html` · <${PersonName} user=${uploader} />`} · ${sizeText(file.file_size)}</div>
      <div class="hd"><bdi class="by" title=${name}>${name}</bdi></div>
      ${snippet && html`<div class="body"><p dir="auto"><${Snippet} snippet=${snippet} /></p></div>`}</div>
    <a class="btn go" href=${channelPath(channel.id)} aria-label=${t('jump_to_the_message_with', { name })} onClick=${jump}>${t('jump')}</a>
  </li>`;
}
