import { personName } from '../names.js';
import { typing } from '../store.js';
import { api } from '../api.js';
import { cleanName } from '../clean.js';
import { meet, users } from '../store.js';
import { typingPlace } from '../typing.js';
import { listParts, t } from '../words.js';
import { html, useEffect } from './html.js';

/** Who is typing, below the composer. @param {{channelId:string, parentId?:string}} props parentId: in this thread */
export function TypingLine({ channelId, parentId }) {
  const ids = [...(typing.value.get(typingPlace(channelId, parentId))?.keys() ?? [])];
  const unknown = ids.find((id) => !users.value.has(id));
  useEffect(() => { if (unknown) api.user(unknown).then((user) => meet([user]), () => {}); }, [unknown]);
  const names = ids.map((id) => users.value.get(id)).filter(Boolean).map((user) => cleanName(personName(user)).split(' ')[0]);
  return html`<div class="typing">
    ${names.length > 0 && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`}
    <span aria-live="polite">${line(names)}</span>
    <span class="hint"><b>Enter</b> ${t('to_send')} · <b>Shift Enter</b> ${t('for_a_new_line')}</span>
  </div>`;
}

/** @param {string[]} names */
function line(names) {
  if (names.length === 0) return '';
  if (names.length > 3) return t('several_typing');
  const people = listParts(names).map((part) => (names.includes(part) ? html`<b><bdi>${part}</bdi></b>` : part));
  return t('typing', { names: people, count: names.length });
}
