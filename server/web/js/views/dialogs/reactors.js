/** Who reacted to a message, and with what. */
import { chat } from '../../page_chat_api.js';
import { dialogSubject } from '../../layout.js';
import { t } from '../../page_words.js';
import { me, meet, timelineOf } from '../../store.js';
import { Avatar, PersonName } from '../avatar.js';
import { Dialog } from '../dialog.js';
import { html } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { Face, nameOf } from '../reactions.js';

/** @typedef {import('../../timeline.js').Reaction} Reaction */

export function Reactors() {
  const opened = dialogSubject.value;
  const message = timelineOf(opened.channel_id).items.find(({ id }) => id === opened.id) ?? opened;
  const reactions = /** @type {Reaction[]} */ (message.reactions ?? []);
  return html`<${Dialog} title=${t('reactions')} class="narrow"><div class="dialog-b">
    ${reactions.map((reaction) => html`<${People} key=${reaction.code} messageId=${message.id} reaction=${reaction} />`)}
    ${!reactions.length && html`<p class="lead">${t('nobody_has_reacted')}</p>`}
  </div></${Dialog}>`;
}

/** @param {{messageId:string, reaction:Reaction}} props */
function People({ messageId, reaction: { code, count } }) {
  const list = usePages((cursor) => load(messageId, code, cursor), `${code} ${count}`);
  return html`<section aria-label=${nameOf(code)}><h3 class="src-h"><span class="e"><${Face} code=${code} /></span>${nameOf(code)} · ${count}</h3>
    <ul class="pick">${list.items.map(({ user }) => html`<li key=${user.id}><span class="pick-t"><${Avatar} user=${user} size="sm" /><b><${PersonName} user=${user} />${user.id === me.value?.id ? ' (you)' : ''}</b></span></li>`)}</ul>
    <${PagesEnd} list=${list} none=${t('nobody_any_more')} /></section>`;
}

/** @param {string} messageId @param {string} code @param {string|null} cursor */
async function load(messageId, code, cursor) {
  const page = await chat.reactors(messageId, code, cursor);
  meet(page.items.map((/** @type {any} */ { user }) => user));
  return page;
}
