/** A browser's own description of itself in words that people use. */
import { t } from './page_words.js';


/** Looked for in this order: most browsers also name the ones they want to be taken for. @type {[RegExp, string][]} */
const BROWSERS = [[/Edg(?:e|A|iOS)?\//, 'Edge'], [/OPR\/|Opera/, 'Opera'], [/SamsungBrowser\//, 'Samsung Internet'], [/Firefox\/|FxiOS\//, 'Firefox'],
  [/CriOS\/|Chrom(?:e|ium)\//, 'Chrome'], [/Safari\//, 'Safari'], [/^curl\//, 'curl']];
/** @type {[RegExp, string][]} */
const SYSTEMS = [[/Android/, 'Android'], [/iPhone/, 'iPhone'], [/iPad/, 'iPad'], [/Windows/, 'Windows'], [/Mac OS X|Macintosh/, 'macOS'], [/CrOS/, 'ChromeOS'], [/Linux|X11/, 'Linux']];

/** @param {string|null|undefined} description */
export function deviceText(description) {
  if (!description) return t('unknown_device');
  const browser = BROWSERS.find(([pattern]) => pattern.test(description))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(description))?.[1];
  if (browser && system) return t('on', { browser, system });
  return browser ?? system ?? description.slice(0, 60);
}

/** How a session began. @param {string} method */
export function methodText(method) {
  return /** @type {Record<string,string>} */ ({ password: t('by_password'), oidc: t('by_another_system'), registration: t('by_registering'), setup: t('at_set_up'), reset: t('by_a_link') })[method] ?? '';
}
