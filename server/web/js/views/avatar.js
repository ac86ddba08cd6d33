import { picturePath } from '../api.js';
import { cleanName } from '../clean.js';
import { personName } from '../names.js';
import { presences, statuses, users } from '../store.js';
import { currentStatus } from '../status.js';
import { t } from '../words.js';
import { html } from './html.js';
import { Icon } from './icon.js';

/** @typedef {import('../timeline.js').UserRef} UserRef */

const PRESENCE_CLASS = /** @type {Record<string,string>} */ ({ online: 'on', away: 'away', idle: 'away', busy: 'busy', dnd: 'busy' });

/** A hue that stays with the person. @param {string} id */
function hueOf(id) {
  let sum = 7;
  for (const character of id) sum = (sum * 31 + character.charCodeAt(0)) % 3600;
  return (sum * 7) % 360;
}

/** @param {string} name */
function initials(name) {
  const words = cleanName(name).split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]].map((word) => [...word][0]) : [...(words[0] ?? '?')].slice(0, 2);
  return letters.join('').toUpperCase();
}

/** A message knows its sender as they were; the directory knows them as they are. @param {UserRef|undefined} user */
function asNow(user) {
  return users.value.get(user?.id ?? '') ?? user;
}

/** @param {{user?:UserRef, size?:''|'sm'|'xs'|'lg', presence?:boolean}} props */
export function Avatar({ user, size = '', presence = false }) {
  const kind = user?.is_bot ? 'app' : '';
  const now = asNow(user);
  const picture = picturePath(now?.picture_url);
  return html`<span class=${`av ${size} ${kind}`} style=${{ '--h': hueOf(user?.id ?? '') }} aria-hidden="true">
    ${picture ? html`<img src=${picture} alt="" width="256" height="256" />` : user?.is_bot ? html`<${Icon} name="slash" />` : initials(personName(now))}
    ${presence && user && html`<${PresenceDot} userId=${user.id} />`}
  </span>`;
}

/** @param {{userId:string}} props */
function PresenceDot({ userId }) {
  const status = presences.value.get(userId) ?? 'offline';
  return html`<span class=${`pres ${PRESENCE_CLASS[status] ?? ''}`}></span>`;
}

/** @param {string|undefined} status */
export function presenceWord(status) {
  return ({ online: t('online'), away: t('away'), idle: t('away'), busy: t('busy'), dnd: t('busy') })[status ?? ''] ?? t('offline');
}

/** The presence in words, for those who do not see the dot. @param {{userId:string}} props */
export function PresenceWord({ userId }) {
  return html`<span class="sr">, ${presenceWord(presences.value.get(userId))}</span>`;
}

/** What somebody says of themselves at the moment. @param {{userId:string}} props */
export function StatusText({ userId }) {
  const text = cleanName(currentStatus(statuses.value.get(userId) ?? null)?.text ?? '');
  return text ? html`<small class="says" title=${text}><bdi>${text}</bdi></small>` : null;
}

export function AssistantMark() {
  return html`<span class="av sm bot" aria-hidden="true"><${Icon} name="spark" /></span>`;
}

/** @param {{user?:UserRef, class?:string}} props */
export function PersonName({ user, class: extra = '' }) {
  return html`<bdi class=${extra}>${cleanName(personName(asNow(user)))}</bdi>`;
}
