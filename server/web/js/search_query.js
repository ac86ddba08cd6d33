/** A question of a search as people see it: filters, and the words beside them. Pure functions over texts. */

const PIECES = /(?:\p{L}+:)?"[^"]*"|\S+/gu;
const FILTER = /^(?:from|in|mentions|before|after|during|on|has|is):./iu;

/** @param {string} query @returns {{filters:string[], words:string}} filters as they were written */
export function splitQuery(query) {
  const pieces = query.match(PIECES) ?? [];
  return { filters: pieces.filter((piece) => FILTER.test(piece)), words: pieces.filter((piece) => !FILTER.test(piece)).join(' ') };
}

/** @param {string[]} filters @param {string} words */
export function joinQuery(filters, words) {
  return [...filters, words.trim()].filter(Boolean).join(' ');
}

/**
 * What is being typed, once a filter in it is finished: that is so with a space behind it.
 * @param {string[]} filters those before @param {string} text @returns {{filters:string[], text:string}|null} null while there is none
 */
export function finishedFilters(filters, text) {
  if (!/\s$/.test(text)) return null;
  const { filters: found, words } = splitQuery(text);
  return found.length ? { filters: withFilters(filters, found), text: words && `${words} ` } : null;
}

/** Each once. @param {string[]} filters @param {string[]} more */
export function withFilters(filters, more) {
  const added = more.filter((filter, at) => !filters.includes(filter) && more.indexOf(filter) === at);
  return [...filters, ...added];
}

/** The filters that begin so. @param {string[]} filters @param {string} name such as "from" */
export function filtersOf(filters, name) {
  return filters.filter((filter) => filter.toLowerCase().startsWith(`${name}:`));
}
