import { personName } from '../names.js';
import { typing } from '../store.js';
import { api } from '../api.js';
import { cleanName } from '../format.js';
import { meet, users } from '../store.js';
import { typingPlace } from '../typing.js';
import { html, useEffect } from './html.js';

/** Who is typing, below the composer. @param {{channelId:string, parentId?:string}} props parentId: in this thread */
export function TypingLine({ channelId, parentId }) {
  const ids = [...(typing.value.get(typingPlace(channelId, parentId))?.keys() ?? [])];
  const unknown = ids.find((id) => !users.value.has(id));
  useEffect(() => { if (unknown) api.user(unknown).then((user) => meet([user]), () => {}); }, [unknown]);
  const names = ids.map((id) => users.value.get(id)).filter(Boolean).map((user) => cleanName(personName(user)));
  return html`<div class="typing">
    ${names.length > 0 && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`}
    <span aria-live="polite">${line(names)}</span>
    <span class="hint"><b>Enter</b> to send · <b>Shift Enter</b> for a new line</span>
  </div>`;
}

/** @param {string[]} names */
function line(names) {
  if (names.length === 0) return '';
  if (names.length > 3) return 'Several people are typing';
  const people = names.map((name, index) => html`${index > 0 ? (index === names.length - 1 ? ' and ' : ', ') : ''}<b><bdi>${name}</bdi></b>`);
  return html`${people} ${names.length === 1 ? 'is' : 'are'} typing`;
}
