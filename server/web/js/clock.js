/** Times as people read them, in the reader's own zone and language. */
import { signal } from '../vendor/signals-core.js';
import { locale, t } from './words.js';

/** Grows with each midnight that the page lives through: what says "today" is drawn anew. */
const days = signal(0);
let today = new Date().toDateString();

/** The minute that the page lives in, since 1970: what says "2 min ago" is drawn anew with each. */
const minute = signal(0);

const MINUTE_MS = 60_000;

/** Asked often, and when a page wakes up. */
export function turnClock() {
  const now = new Date();
  minute.value = Math.floor(now.getTime() / MINUTE_MS);
  if (now.toDateString() === today) return;
  today = now.toDateString();
  days.value += 1;
}

/** Whatever reads it follows the day. */
export function dayOfPage() {
  return days.value;
}

const timeOfDay = new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const dayName = new Intl.DateTimeFormat(locale(), { weekday: 'long', day: 'numeric', month: 'long' });
const dayWithYear = new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'long', year: 'numeric' });
const dayShort = new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short' });
const dayShortWithYear = new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(locale(), { dateStyle: 'full', timeStyle: 'short' });

/** @param {string} instant RFC 3339 */
export function timeText(instant) {
  return timeOfDay.format(new Date(instant));
}

/** @param {string} instant RFC 3339 */
export function fullText(instant) {
  return full.format(new Date(instant));
}

/** A key equal for two instants of one local day. @param {string} instant RFC 3339 */
export function dayKey(instant) {
  const date = new Date(instant);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** @param {string} instant RFC 3339 @param {Date} [now] */
export function dayText(instant, now = new Date()) {
  dayOfPage();
  const date = new Date(instant);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (dayKey(instant) === dayKey(now.toISOString())) return t('today_heading');
  if (dayKey(instant) === dayKey(yesterday.toISOString())) return t('yesterday_heading');
  return date.getFullYear() === now.getFullYear() ? dayName.format(date) : dayWithYear.format(date);
}

/** Day and time in one short text, for lists that mix days. @param {string} instant RFC 3339 */
export function whenText(instant) {
  return t('day_and_time', dayAndTime(instant));
}

/** @param {string} instant @param {Date} [now] */
function dayAndTime(instant, now) {
  const day = dayText(instant, now);
  return { day: day === t('today_heading') ? t('today') : day === t('yesterday_heading') ? t('yesterday') : day, time: timeText(instant) };
}

/** How long ago it was, within an hour; else the day and the time, as they stand in a sentence. @param {string} instant RFC 3339 @param {Date} [now] */
export function agoText(instant, now = new Date()) {
  void minute.value;
  const passed = Math.floor((now.getTime() - new Date(instant).getTime()) / MINUTE_MS);
  if (passed >= 0 && passed < 60) return passed ? t('minutes_ago', { count: passed }) : t('just_now');
  return t('day_at_time', dayAndTime(instant, now));
}

/** The same where many stand below each other. @param {string} instant RFC 3339 @param {Date} [now] */
export function shortText(instant, now = new Date()) {
  dayOfPage();
  const date = new Date(instant);
  if (dayKey(instant) === dayKey(now.toISOString())) return t('day_and_time', { day: t('today'), time: timeText(instant) });
  return date.getFullYear() === now.getFullYear() ? t('day_and_time', { day: dayShort.format(date), time: timeText(instant) }) : dayShortWithYear.format(date);
}
