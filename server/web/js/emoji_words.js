/** Emoji by the words that people type for them. */
import { allEmoji } from './emoji.js';

/** @typedef {{code:string, insert:string, name:string, custom:boolean}} Suggestion */

/**
 * What ":word" may mean: codes that begin with the word first, then those whose name holds it, or whose further words do.
 * @param {string} word @param {{code:string, name?:string}[]} custom those of the workspace @param {number} most
 * @returns {Suggestion[]}
 */
export function emojiFor(word, custom, most) {
  const wanted = word.toLowerCase();
  const all = [
    ...custom.map(({ code, name }) => ({ code, insert: `:${code}:`, name: name || code, words: '', custom: true })),
    ...allEmoji().map(([face, name, code, words = '']) => ({ code, insert: face, name, words, custom: false })),
  ];
  const begins = all.filter(({ code }) => code.toLowerCase().startsWith(wanted));
  const holds = all.filter(({ code, name, words }) => !code.toLowerCase().startsWith(wanted) && (name.toLowerCase().includes(wanted) || words.includes(wanted)));
  return [...begins, ...holds].slice(0, most).map(({ words: _words, ...suggestion }) => suggestion);
}
