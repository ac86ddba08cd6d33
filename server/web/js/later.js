/** Times to come, as people choose them: in an hour, tomorrow morning. All in the reader's own zone. */
import { t } from './page_words.js';


/** Mornings begin at this hour. */
const MORNING_HOUR = 9;
/** The server refuses what is further ahead. */
export const DAYS_AHEAD = 120;

/** @typedef {{id:string, label:string, at:Date}} Choice */

/** @param {Date} [now] @returns {Choice[]} */
export function laterChoices(now = new Date()) {
  const monday = 8 - (now.getDay() || 7);
  const choices = [
    { id: 'soon', label: t('in_20_minutes'), at: new Date(now.getTime() + 20 * 60_000) },
    { id: 'hour', label: t('in_an_hour'), at: new Date(now.getTime() + 60 * 60_000) },
    { id: 'tomorrow', label: t('tomorrow_morning'), at: morning(now, 1) },
    { id: 'monday', label: t('monday_morning'), at: morning(now, monday) },
  ];
  // On a Sunday both mean the same.
  return monday === 1 ? choices.slice(0, 3) : choices;
}

/** Counted in days of the calendar, not in hours: a day on which the clocks change has 23 or 25 of them. @param {Date} now @param {number} daysAhead */
function morning(now, daysAhead) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + daysAhead, MORNING_HOUR);
}

/** For a field of type datetime-local, which knows no zone. @param {Date} date */
export function localText(date) {
  const two = (/** @type {number} */ number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * What the field holds, if it can be used.
 * @param {string} text @param {Date} [now] @returns {{at:Date|null, error:string}}
 */
export function chosenTime(text, now = new Date()) {
  const at = new Date(text);
  if (!text || Number.isNaN(at.getTime())) return { at: null, error: t('choose_a_day_and_a_time') };
  if (at <= now) return { at: null, error: t('this_time_is_over_already') };
  if (at.getTime() - now.getTime() > DAYS_AHEAD * 86_400_000) return { at: null, error: t('choose_a_time_within_days', { days_ahead: DAYS_AHEAD }) };
  return { at, error: '' };
}
