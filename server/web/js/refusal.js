/** A refusal of the server in the reader's language. */
import { language } from './words.js';

/** What the server says in English, in others by its `code`. They come with the first refusal. */
const PROBLEMS = /** @type {Record<string, () => Promise<{default:Record<string,string>}>>} */ ({ de: () => import('./words/de_problems.js') });

/** @param {string|undefined} code @param {string} detail what the server says @param {string} [inLanguage] */
export async function refusalText(code, detail, inLanguage = language) {
  const told = code && PROBLEMS[inLanguage] ? await PROBLEMS[inLanguage]().catch(() => null) : null;
  return told?.default[code ?? ''] ?? detail;
}

/** The server ends sentences that the field's name begins: "must have at least 8 characters"; some are whole without it. @param {string} label @param {string} text */
export function fieldSentence(label, text) {
  const name = label.replace(/\s*\([^)]*\)/g, '').replace(/_/g, ' ').trim();
  const begun = /^(?!(?:the|this|another) )\p{Ll}/u.test(text) && name ? `${name[0].toUpperCase()}${name.slice(1)} ${text}` : `${(text[0] ?? '').toUpperCase()}${text.slice(1)}`;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
