/** What I want to be told, as the server keeps it and as the form shows it. */
import { t } from './page_words.js';


/** @typedef {{from:string, to:string, time_zone:string, days?:string[]|null, until?:string|null}} Quiet */

/** Most words that the server watches for one person. */
export const MAX_KEYWORDS = 50;
/** @type {[string, string][]} */
export const DAYS = [['mon', t('monday')], ['tue', t('tuesday')], ['wed', t('wednesday')], ['thu', t('thursday')], ['fri', t('friday')], ['sat', t('saturday')], ['sun', t('sunday')]];

/** Words as people list them: by commas or lines, each once. @param {string} text @returns {string[]} */
export function keywordsIn(text) {
  const seen = new Map();
  for (const word of text.split(/[,\n]/).map((part) => part.trim()).filter(Boolean)) if (!seen.has(word.toLowerCase())) seen.set(word.toLowerCase(), word);
  return [...seen.values()];
}

/** @param {any} preferences @returns {Record<string, any>} the form's values */
export function formValues(preferences) {
  const quiet = preferences?.do_not_disturb ?? null;
  return {
    notification_level: preferences?.notification_level ?? 'mentions',
    keywords: (preferences?.keywords ?? []).join(', '),
    quiet: Boolean(quiet?.from && quiet?.to),
    from: quiet?.from ?? '22:00',
    to: quiet?.to ?? '08:00',
    days: quiet?.days ?? DAYS.map(([day]) => day),
    email_digest: preferences?.email_digest ?? 'off',
    web_push: Boolean(preferences?.web_push),
  };
}

/** @param {Record<string, any>} values @param {string} timeZone @returns {object} what the server takes */
export function preferencesBody(values, timeZone) {
  const { keywords, quiet, from, to, days, ...plain } = values;
  const every = days.length === 0 || days.length === DAYS.length;
  return { ...plain, keywords: keywordsIn(keywords), do_not_disturb: quiet ? { from, to, time_zone: timeZone, ...(every ? {} : { days }) } : null };
}
