/** Finding messages, files, channels and people. */
import { chat } from '../chat_api.js';
import { whenText } from '../clock.js';
import { kindText, sizeText } from '../files.js';
import { cleanName } from '../format.js';
import { attempt } from '../notices.js';
import { t } from '../page_words.js';
import { channelPath, navigate, route, searchPath } from '../router.js';
import { number } from '../server_figures.js';
import { info, users } from '../store.js';
import { Avatar, PersonName } from './avatar.js';
import { html } from './html.js';
import { channelLabel } from './channel_name.js';
import { AnswerStrip } from './search_answer.js';
import { ChannelHit, PersonHit } from './search_around.js';
import { SearchBox } from './search_box.js';
import { useCounts, useResults } from './search_results.js';
import { Tabs } from './tabs.js';
import { Snippet } from './text.js';

/** @typedef {'messages'|'files'|'channels'|'people'} What What is looked for */
/** @typedef {import('./search_results.js').ResultList} ResultList */
/** @typedef {import('./search_results.js').NameRead} NameRead */

const TABS = /** @type {[What, string][]} */ ([['messages', t('messages')], ['files', t('files')], ['channels', t('channels')], ['people', t('people')]]);
/** Files of a hit that are named. */
const FILES_SHOWN = 3;

/** What is said in the place of each. @type {Record<What, {placeholder:string, hint:string}>} */
const KINDS = {
  messages: { placeholder: t('search_messages'), hint: t('type_what_you_remember_words_a') },
  files: { placeholder: t('search_files'), hint: t('type_a_part_of_a_name') },
  channels: { placeholder: t('search_channels'), hint: t('type_a_part_of_a_name') },
  people: { placeholder: t('search_people'), hint: t('type_how_a_name_begins') },
};

/** @param {string} query @param {What} what @param {boolean} newest */
function addressOf(query, what, newest) {
  const path = searchPath(query, what);
  return newest ? `${path}${path.includes('?') ? '&' : '?'}sort=newest` : path;
}

export function SearchPage() {
  const { query, kind } = route.value;
  const what = /** @type {What} */ (kind || 'messages');
  const newest = new URLSearchParams(location.search).get('sort') === 'newest';
  const results = useResults(query.trim(), what, newest);
  const counts = useCounts(query.trim(), what, results);
  const search = (/** @type {string} */ text, { newest: first = newest } = {}) => navigate(addressOf(text, what, first));
  const tabs = TABS.map(([name, title]) => ({ name, title: counts[name] ? html`${title} <span class="tnum">${number(counts[name].count)}${counts[name].more ? '+' : ''}</span>` : title }));
  return html`<main class="page" id="main"><div class="wrap">
    <h1 class="sr">${t('search')}</h1>
    <${SearchBox} query=${query} what=${what} placeholder=${KINDS[what].placeholder} newest=${newest} search=${search} />
    <${Tabs} label=${t('what_is_searched')} tabs=${tabs} current=${what} plain choose=${(/** @type {What} */ name) => navigate(addressOf(query, name, newest))}>
      ${what === 'messages' && query.trim() && info.value?.features?.assistant !== false && html`<${AnswerStrip} query=${query.trim()} />`}
      <${Results} what=${what} query=${query.trim()} results=${results} /></${Tabs}>
  </div></main>`;
}

/** @param {{what:What, query:string, results:ResultList}} props */
function Results({ what, query, results: { items, cursor, partial, without, names, total, state, error, more } }) {
  if (!query) return html`<p class="page-note">${KINDS[what].hint}</p>`;
  return html`<p class="sr" role="status">${state === 'done' ? t('results_count', { count: total ?? items.length }) : ''}</p>
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
      <div class="body"><p dir="auto"><${Snippet} snippet=${snippet ?? ''} /></p></div>
      ${(message.files ?? []).slice(0, FILES_SHOWN).map((/** @type {any} */ file) => html`<div key=${file.id} class="file small"><span class="ic" aria-hidden="true">${kindText(file)}</span><span class="file-t"><bdi class="nm">${cleanName(file.filename)}</bdi><span class="mt">${sizeText(file.file_size)}</span></span></div>`)}</div>
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
