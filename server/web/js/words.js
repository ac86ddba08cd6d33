/**
 * The words of the page, in the reader's language. English is whole and stands in for what another language lacks; what only pages beside the
 * channels say comes with the first of them (page_words.js).
 */
import english from './words/en.js';

/** @typedef {string|Record<string,string>} Words one text, or one for each plural form of `count` */

/** The languages there are, in their own names. @type {[string, string][]} */
export const LANGUAGES = [['en', 'English'], ['de', 'Deutsch']];

const LANGUAGE_KEY = 'confab-language';
const OTHERS = /** @type {Record<string, () => Promise<{default:Record<string,Words>}>>} */ ({ de: () => import('./words/de.js') });

/** What was chosen on this device; '' is as the browser has it. */
export function chosenLanguage() {
  const stored = globalThis.localStorage?.getItem(LANGUAGE_KEY) ?? '';
  return LANGUAGES.some(([code]) => code === stored) ? stored : '';
}

/** From the next load of the page on. @param {string} code or '' */
export function chooseLanguage(code) {
  if (code) localStorage.setItem(LANGUAGE_KEY, code);
  else localStorage.removeItem(LANGUAGE_KEY);
}

/** The first of the reader's languages that the page speaks. @param {readonly string[]} wanted as browsers list them @returns {string} */
export function languageFor(wanted) {
  const codes = wanted.map((tag) => tag.toLowerCase().split('-')[0]);
  return codes.find((code) => LANGUAGES.some(([known]) => known === code)) ?? 'en';
}

// Without a page, as in tests of what stands behind the views, it is English.
const browsers = globalThis.document ? globalThis.navigator?.languages ?? [] : [];
export const language = chosenLanguage() || languageFor(browsers);

/** For Intl: the reader's own variant of the language, where there is one. */
export function locale() {
  return browsers.find((tag) => tag.toLowerCase().split('-')[0] === language) ?? language;
}

/** @type {Record<string, Words>} */
const words = { ...english };
// A language that could not be fetched leaves the page in English, which is better than none.
if (OTHERS[language]) Object.assign(words, (await OTHERS[language]().catch(() => ({ default: {} }))).default);
if (globalThis.document) document.documentElement.lang = language;

const plurals = new Intl.PluralRules(locale());
const numbers = new Intl.NumberFormat(locale());
const lists = new Intl.ListFormat(locale(), { type: 'conjunction' });

/** More words, of a part of the page that has just come. @param {Record<string, Words>} more */
export function addWords(more) {
  Object.assign(words, more);
}

/**
 * The words for a key. `{name}` in them is taken from the values; `count` also chooses the plural form, and numbers are written as the reader writes them.
 * @param {string} key @param {Record<string, any>} [values] elements too: then what comes is a list of pieces, which a view draws
 * @returns {any} a text, but for elements
 */
export function t(key, values) {
  const found = words[key] ?? key;
  const text = typeof found === 'string' ? found : found[plurals.select(Number(values?.count))] ?? found.other;
  if (!values) return text;
  const pieces = text.split(/\{(\w+)\}/).map((piece, at) => (at % 2 ? shown(values[piece]) : piece));
  return pieces.some((piece) => typeof piece === 'object') ? pieces : pieces.join('');
}

/** @param {any} value */
function shown(value) {
  return typeof value === 'number' ? numbers.format(value) : value ?? '';
}

/** "Ada, Ben and Cleo". @param {string[]} names */
export function listText(names) {
  return lists.format(names);
}

/** The same in pieces, of which some are the names. @param {string[]} names */
export function listParts(names) {
  return lists.formatToParts(names).map(({ value }) => value);
}
