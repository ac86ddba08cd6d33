/** What a search found, page by page, and how much of each kind there is. */
import { api } from '../page_api.js';
import { changes } from '../changes.js';
import { splitQuery } from '../search_query.js';
import { meet } from '../store.js';
import { useEffect, useRef, useState } from './html.js';

/** @typedef {import('./search.js').What} What */
/** @typedef {{written:string, near:string[]}} NameRead A name that nobody has, and the nearest */
/** @typedef {{items:any[], cursor:string|null, partial:boolean, without:string[], names:NameRead[], total:number|null, state:'idle'|'busy'|'done', error:string, more:()=>void}} ResultList */

/** Of channels and people no more are counted; there may be more of them. */
const COUNTED = 100;

/** How each is asked for. Channels and people have names, and no filters. @type {Record<What, (query:string, cursor:string|null, more?:{order?:string, limit?:number})=>Promise<any>>} */
const ASK = {
  messages: api.search,
  files: api.searchFiles,
  channels: (query, cursor, more) => named(query, (words) => api.searchChannels(words, cursor, more)),
  people: (query, cursor, more) => named(query, (words) => api.users(words, cursor, more)),
};

/** @param {string} query @param {(words:string)=>Promise<any>} ask */
async function named(query, ask) {
  const { words } = splitQuery(query);
  return words ? ask(words) : { items: [], next_cursor: null };
}

const EMPTY = { items: /** @type {any[]} */ ([]), cursor: /** @type {string|null} */ (null), partial: false, without: /** @type {string[]} */ ([]), names: /** @type {NameRead[]} */ ([]), total: /** @type {number|null} */ (null), state: /** @type {any} */ ('idle'), error: '' };

/** @param {string} query @param {What} what @param {boolean} newest @returns {ResultList} */
export function useResults(query, what, newest) {
  const [list, setList] = useState(EMPTY);
  const asked = useRef('');
  const question = `${what} ${newest} ${query}`;
  const load = async (/** @type {typeof EMPTY} */ from) => {
    setList({ ...from, state: 'busy', error: '' });
    try {
      const answer = await ASK[what](query, from.cursor, newest ? { order: 'newest' } : {});
      if (asked.current !== question) return; // an answer that a newer question overtook
      if (what === 'messages') meet(answer.items.map((/** @type {any} */ hit) => hit.message.sender));
      const items = [...from.items, ...answer.items];
      setList({ items, cursor: answer.next_cursor, partial: Boolean(answer.partial), without: answer.unavailable ?? [], names: answer.names ?? [], total: answer.total ?? (answer.next_cursor ? null : items.length), state: 'done', error: '' });
    } catch (error) {
      if (asked.current === question) setList({ ...from, state: 'done', error: /** @type {Error} */ (error).message });
    }
  };
  useEffect(() => {
    asked.current = question;
    if (query) void load(EMPTY);
    else setList(EMPTY);
  }, [question, changes.sight.value]);
  // Not the other tab's, for the moment until its own are asked for.
  return { ...(asked.current === question ? list : EMPTY), more: () => void load(list) };
}

/** How many there are of each kind, as far as that is known; of the kind on screen its own list says it. @param {string} query @param {What} what @param {ResultList} results @returns {Partial<Record<What, {count:number, more:boolean}>>} */
export function useCounts(query, what, results) {
  const [counts, setCounts] = useState(/** @type {{query:string, of:Partial<Record<What, {count:number, more:boolean}>>}} */ ({ query: '', of: {} }));
  useEffect(() => {
    setCounts({ query, of: {} });
    if (!query) return;
    const others = /** @type {What[]} */ (Object.keys(ASK)).filter((kind) => kind !== what);
    for (const kind of others) {
      const limit = kind === 'messages' || kind === 'files' ? 1 : COUNTED;
      // What a kind has no filter for it cannot be asked, and says nothing then.
      ASK[kind](query, null, { limit }).then((answer) => put(kind, { count: answer.total ?? answer.items.length, more: answer.total === undefined && Boolean(answer.next_cursor) }), () => {});
    }
  }, [query]);
  const put = (/** @type {What} */ kind, /** @type {{count:number, more:boolean}} */ found) => setCounts((known) => (known.query === query ? { query, of: { ...known.of, [kind]: found } } : known));
  const own = results.state === 'done' && !results.error ? { count: results.total ?? results.items.length, more: results.total === null } : undefined;
  useEffect(() => { if (query && own) put(what, own); }, [query, what, own?.count, own?.more]);
  return counts.query === query ? { ...counts.of, ...(own && query ? { [what]: own } : {}) } : {};
}
