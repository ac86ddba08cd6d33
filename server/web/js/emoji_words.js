/** Emoji by the words that people type for them. */
import { EMOJI } from './emoji.js';

/** @typedef {{code:string, insert:string, name:string, custom:boolean}} Suggestion */

/**
 * What ":word" may mean: codes that begin with the word first, then those whose name holds it.
 * @param {string} word @param {{code:string, name?:string}[]} custom those of the workspace @param {number} most
 * @returns {Suggestion[]}
 */
export function emojiFor(word, custom, most) {
  const wanted = word.toLowerCase();
  const all = [
    ...custom.map(({ code, name }) => ({ code, insert: `:${code}:`, name: name || code, custom: true })),
    ...EMOJI.map(([face, name, code]) => ({ code, insert: face, name, custom: false })),
  ];
  const begins = all.filter(({ code }) => code.toLowerCase().startsWith(wanted));
  const holds = all.filter(({ code, name }) => !code.toLowerCase().startsWith(wanted) && name.toLowerCase().includes(wanted));
  return [...begins, ...holds].slice(0, most);
}
