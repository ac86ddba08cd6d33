/** What people say of themselves beside their name, and until when it holds. */
import { t } from './words.js';


/** @typedef {'half_hour'|'hour'|'today'|'week'|'never'} Duration */
/** @typedef {{user_id:string, status:string, text?:string|null, expires_at?:string|null}} Status */

/** Longest text the server takes. */
export const STATUS_TEXT_CHARACTERS = 100;

/** @type {[Duration, string][]} */
export const DURATIONS = [['half_hour', t('n_30_minutes')], ['hour', t('n_1_hour')], ['today', t('today_heading')], ['week', t('this_week')], ['never', t('dont_clear')]];

/** @type {[string, string][]} */
export const PRESENCES = [['online', t('online_2')], ['away', t('away_2')], ['busy', t('busy_2')], ['offline', t('appear_offline')]];

/**
 * When a status set now ends, in the reader's own zone: days end at midnight, weeks with Sunday.
 * @param {Duration} duration @param {Date} [now]
 * @returns {string|null} RFC 3339; null when it stays
 */
export function statusExpiry(duration, now = new Date()) {
  if (duration === 'half_hour') return new Date(now.getTime() + 30 * 60_000).toISOString();
  if (duration === 'hour') return new Date(now.getTime() + 60 * 60_000).toISOString();
  // Counted in days of the calendar, not in hours: a day on which the clocks change has 23 or 25 of them.
  if (duration === 'today') return midnight(now, 1).toISOString();
  if (duration === 'week') return midnight(now, 8 - (now.getDay() || 7)).toISOString();
  return null;
}

/** @param {Date} now @param {number} daysAhead */
function midnight(now, daysAhead) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + daysAhead);
}

/**
 * The status as it is now: a text whose time is over is none.
 * @param {Status|null} status @param {Date} [now] @returns {Status|null}
 */
export function currentStatus(status, now = new Date()) {
  if (!status?.expires_at || new Date(status.expires_at) > now) return status;
  return { ...status, text: null, expires_at: null };
}
