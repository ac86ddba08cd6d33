/** What a search found, page by page, and how much of each kind there is. */
import { api } from '../page_api.js';
import { changes } from '../changes.js';
import { splitQuery } from '../search_query.js';
import { me, meet } from '../store.js';
import { useEffect, useRef, useState } from './html.js';

/** @typedef {import('./search.js').What} What */
/** @typedef {{written:string, near:string[]}} NameRead A name that nobody has, and the nearest */
/** @typedef {{items:any[], cursor:string|null, partial:boolean, without:string[], names:NameRead[], total:number|null, state:'idle'|'busy'|'done', error:string, more:()=>void}} ResultList */

/** Of channels and people no more are counted; there may be more of them. */
const COUNTED = 100;
/** Each count costs a search: the other kinds are counted once nobody types on. */
const PAUSE_MS = 800;
/** Questions whose counts are kept; the oldest give way. */
const KEPT = 20;

/** @typedef {Partial<Record<What, {count:number, more:boolean}>>} Counts */

/** asked: the kinds that are not asked for again. @type {Map<string, {of:Counts, asked:Set<What>}>} */
const countedOf = new Map();

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

/** How many there are of each kind, as far as that is known; of the kind on screen its own list says it. @param {string} query @param {What} what @param {ResultList} results @returns {Counts} */
export function useCounts(query, what, results) {
  const [, setTurn] = useState(0);
  const question = JSON.stringify([me.value?.id, changes.sight.value, query]);
  useEffect(() => {
    if (!splitQuery(query).words) return undefined;
    const timer = setTimeout(() => countOthers(question, query, what, () => setTurn((turn) => turn + 1)), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [question, what]);
  const own = query && results.state === 'done' && !results.error ? { count: results.total ?? results.items.length, more: results.total === null } : undefined;
  useEffect(() => { if (own) counted(question).of[what] = own; }, [question, what, own?.count, own?.more]);
  return query ? { ...countedOf.get(question)?.of, ...(own ? { [what]: own } : {}) } : {};
}

/** What was counted for a question, once. @param {string} question */
function counted(question) {
  const found = countedOf.get(question) ?? { of: {}, asked: new Set() };
  countedOf.delete(question);
  countedOf.set(question, found);
  for (const old of countedOf.keys()) {
    if (countedOf.size <= KEPT) break;
    countedOf.delete(old);
  }
  return found;
}

/** @param {string} question @param {string} query @param {What} what the kind on screen @param {()=>void} tell */
function countOthers(question, query, what, tell) {
  const { of, asked } = counted(question);
  for (const kind of /** @type {What[]} */ (Object.keys(ASK))) {
    if (kind === what || of[kind] || asked.has(kind)) continue;
    asked.add(kind);
    const limit = kind === 'messages' || kind === 'files' ? 1 : COUNTED;
    // What a kind has no filter for it cannot be asked, and where too much was asked no number stands.
    ASK[kind](query, null, { limit }).then((answer) => {
      of[kind] = { count: answer.total ?? answer.items.length, more: answer.total === undefined && Boolean(answer.next_cursor) };
      tell();
    }, () => {});
  }
}
