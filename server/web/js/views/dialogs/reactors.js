/** Who reacted to a message, and with what. */
import { api } from '../../api.js';
import { dialogSubject } from '../../layout.js';
import { me, meet, timelineOf, users } from '../../store.js';
import { Avatar, PersonName } from '../avatar.js';
import { Dialog } from '../dialog.js';
import { html, useEffect } from '../html.js';
import { Face, nameOf } from '../reactions.js';

/** People asked for by id at once. */
const MAX_ASKED = 20;

export function Reactors() {
  const opened = dialogSubject.value;
  const message = timelineOf(opened.channel_id).items.find(({ id }) => id === opened.id) ?? opened;
  const reactions = message.reactions ?? [];
  const unknown = [...new Set(reactions.flatMap((/** @type {any} */ reaction) => reaction.user_ids))].filter((id) => !users.value.has(id)).slice(0, MAX_ASKED);
  useEffect(() => { for (const id of unknown) api.user(id).then((user) => meet([user]), () => {}); }, [unknown.join()]);
  return html`<${Dialog} title="Reactions" class="narrow"><div class="dialog-b">
    ${reactions.map((/** @type {import('../../timeline.js').Reaction} */ reaction) => html`<section key=${reaction.code} aria-label=${nameOf(reaction.code)}>
      <h3 class="src-h"><span class="e"><${Face} code=${reaction.code} /></span>${nameOf(reaction.code)} · ${reaction.count}</h3>
      <ul class="pick">${reaction.user_ids.map((id) => html`<li key=${id}><span class="pick-t"><${Avatar} user=${users.value.get(id) ?? { id, username: '' }} size="sm" /><b><${PersonName} user=${users.value.get(id)} />${id === me.value?.id ? ' (you)' : ''}</b></span></li>`)}</ul>
      ${reaction.count > reaction.user_ids.length && html`<p class="lead">and ${reaction.count - reaction.user_ids.length} more</p>`}</section>`)}
    ${!reactions.length && html`<p class="lead">Nobody has reacted.</p>`}
  </div></${Dialog}>`;
}
