/** Reactions under a message, and the small picker that adds one. */
import { signal } from '../../vendor/signals-core.js';
import { reactionImagePath } from '../api.js';
import { chat } from '../chat_api.js';
import { emojiOf, emojiName } from '../emoji.js';
import { react } from '../events.js';
import { openDialog } from '../layout.js';
import { personName } from '../names.js';
import { notify } from '../notices.js';
import { customReactions, me, users } from '../store.js';
import { listText, t } from '../words.js';
import { html } from './html.js';
import { Icon } from './icon.js';

/** @typedef {import('../timeline.js').Message} Message */

/** Names in the words about a reaction; the list of all is a dialog. */
const MAX_NAMES = 10;

/** The open picker: where it stands and what a choice does. */
export const picker = signal(/** @type {{opener:Element, choose:(code:string)=>void, channelId:string}|null} */ (null));

/** @param {Element} opener @param {(code:string)=>void} choose @param {string} [channelId] of the message that is reacted to; without one a text is written, and own ones stand as `:code:` */
export function openPicker(opener, choose, channelId = '') {
  picker.value = { opener, choose, channelId };
}

/** @param {Message} message @param {Element} opener */
export function pickReaction(message, opener) {
  openPicker(opener, (code) => toggleReaction(message, code), message.channel_id);
}

/** Shown at once; taken back if the server refuses. @param {Message} message @param {string} code */
export async function toggleReaction(message, code) {
  const userId = me.value.id;
  const present = !message.reactions?.find((reaction) => reaction.code === code)?.user_ids.includes(userId);
  const change = { message_id: message.id, channel_id: message.channel_id, user_id: userId, code };
  react(change, present);
  try {
    await (present ? chat.react(message.id, code) : chat.unreact(message.id, code));
  } catch (error) {
    react(change, !present);
    notify(/** @type {Error} */ (error).message, { bad: true });
  }
}

/** Who put a reaction there, in words. @param {import('../timeline.js').Reaction} reaction */
function namesOf(reaction) {
  const named = reaction.user_ids.slice(0, MAX_NAMES).map((id) => (id === me.value?.id ? t('you') : users.value.has(id) ? personName(users.value.get(id)) : '')).filter(Boolean);
  const more = reaction.count - named.length;
  if (more <= 0) return listText(named);
  return named.length ? t('names_and_more', { names: named.join(', '), count: more }) : t('people_count', { count: more });
}

/** @param {{message:Message, canWrite:boolean}} props */
export function Reactions({ message, canWrite }) {
  if (!message.reactions?.length) return null;
  return html`<div class="reacts">
    ${message.reactions.map((reaction) => {
      const mine = reaction.user_ids.includes(me.value?.id);
      const names = namesOf(reaction);
      return html`<button key=${reaction.code} class="react" aria-pressed=${mine} disabled=${!canWrite} title=${`${nameOf(reaction.code)}: ${names}`}
        aria-label=${`${nameOf(reaction.code)}, ${reaction.count}: ${names}`} onClick=${() => toggleReaction(message, reaction.code)}><span class="e"><${Face} code=${reaction.code} /></span>${reaction.count}</button>`;
    })}
    ${canWrite && html`<button class="react" aria-label=${t('add_reaction')} onClick=${(/** @type {any} */ event) => pickReaction(message, event.currentTarget)}><${Icon} name="react" small /></button>`}
    <button type="button" class="react who" aria-label=${t('who_reacted')} title=${t('who_reacted')} onClick=${() => openDialog('reactors', message)}><${Icon} name="users" small /></button>
  </div>`;
}

/** @param {string} code */
function customOf(code) {
  return customReactions.value.find((reaction) => reaction.code === code);
}

/** What a reaction is called. @param {string} code */
export function nameOf(code) {
  return customOf(code)?.name || emojiName(code);
}

/** What is drawn for a reaction: a picture of this workspace or of a plugin, or a character, which stands in for a picture too. @param {{code:string}} props */
export function Face({ code }) {
  const custom = customOf(code);
  const image = reactionImagePath(custom?.image_url);
  if (image) return html`<img class="emoji" src=${image} alt=${custom.symbol ?? `:${code}:`} width="20" height="20" loading="lazy" />`;
  return custom?.symbol ?? custom?.emoji ?? emojiOf(code);
}
