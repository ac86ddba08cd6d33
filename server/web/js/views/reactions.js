/** Reactions under a message, and the small picker that adds one. */
import { signal } from '../../vendor/signals-core.js';
import { api } from '../api.js';
import { EMOJI, emojiOf, emojiName } from '../emoji.js';
import { customReactions, me, react, users } from '../store.js';
import { notify, personName } from '../workspace.js';
import { html, useEffect, useLayoutEffect, useRef } from './html.js';
import { Icon } from './icon.js';

/** @typedef {import('../timeline.js').Message} Message */

/** The open picker: where it stands and what a choice does. */
const picker = signal(/** @type {{opener:Element, choose:(code:string)=>void, custom:boolean}|null} */ (null));

/** @param {Element} opener @param {(code:string)=>void} choose @param {{custom?:boolean}} [options] custom: also codes that are no characters */
export function openPicker(opener, choose, { custom = false } = {}) {
  picker.value = { opener, choose, custom };
}

/** @param {Message} message @param {Element} opener */
export function pickReaction(message, opener) {
  openPicker(opener, (code) => toggleReaction(message, code), { custom: true });
}

/** Shown at once; taken back if the server refuses. @param {Message} message @param {string} code */
export async function toggleReaction(message, code) {
  const userId = me.value.id;
  const present = !message.reactions?.find((reaction) => reaction.code === code)?.user_ids.includes(userId);
  const change = { message_id: message.id, channel_id: message.channel_id, user_id: userId, code };
  react(change, present);
  try {
    await (present ? api.react(message.id, code) : api.unreact(message.id, code));
  } catch (error) {
    react(change, !present);
    notify(/** @type {Error} */ (error).message, { bad: true });
  }
}

/** @param {{message:Message, canWrite:boolean}} props */
export function Reactions({ message, canWrite }) {
  if (!message.reactions?.length) return null;
  return html`<div class="reacts">
    ${message.reactions.map((reaction) => {
      const mine = reaction.user_ids.includes(me.value?.id);
      const names = reaction.user_ids.slice(0, 10).map((id) => personName(users.value.get(id))).join(', ');
      return html`<button key=${reaction.code} class="react" aria-pressed=${mine} disabled=${!canWrite} title=${`${emojiName(reaction.code)}: ${names}`}
        aria-label=${`${emojiName(reaction.code)}, ${reaction.count}${mine ? ', including you' : ''}`} onClick=${() => toggleReaction(message, reaction.code)}><span class="e">${faceOf(reaction.code)}</span>${reaction.count}</button>`;
    })}
    ${canWrite && html`<button class="react" aria-label="Add reaction" onClick=${(/** @type {any} */ event) => pickReaction(message, event.currentTarget)}><${Icon} name="react" small /></button>`}
  </div>`;
}

/** The character of a reaction code, custom ones included. @param {string} code */
function faceOf(code) {
  const custom = customReactions.value.find((reaction) => reaction.code === code);
  return custom?.emoji ?? emojiOf(code);
}

/** The picker, drawn once for the whole page. */
export function Picker() {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const open = picker.value;
  useLayoutEffect(() => {
    if (!open || !element.current) return;
    const anchor = open.opener.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element.current;
    element.current.style.left = `${Math.max(8, Math.min(anchor.right - width, innerWidth - width - 8))}px`;
    element.current.style.top = `${anchor.top - height - 8 > 8 ? anchor.top - height - 8 : Math.min(anchor.bottom + 8, innerHeight - height - 8)}px`;
    element.current.querySelector('button')?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (/** @type {Event} */ event) => { if (!element.current?.contains(/** @type {Node} */ (event.target))) picker.value = null; };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [open]);
  if (!open) return null;
  const close = () => {
    picker.value = null;
    /** @type {HTMLElement} */ (open.opener).focus?.();
  };
  const choose = (/** @type {string} */ code) => {
    close();
    open.choose(code);
  };
  const option = (/** @type {string} */ code, /** @type {string} */ name, /** @type {string} */ face) => html`<button key=${code} type="button" class="icon-btn q" aria-label=${name} title=${name} onClick=${() => choose(code)}>${face}</button>`;
  return html`<div class="picker" ref=${element} role="dialog" aria-label="Choose an emoji" onKeyDown=${(/** @type {KeyboardEvent} */ event) => onPickerKey(event, close)}>
    <div class="picker-g">${EMOJI.map(([face, name]) => option(face, name, face))}</div>
    ${open.custom && customReactions.value.length > 0 && html`<p class="cap">From this workspace</p>
      <div class="picker-g">${customReactions.value.map((reaction) => option(reaction.code, reaction.name ?? reaction.code, faceOf(reaction.code)))}</div>`}
  </div>`;
}

/** @param {KeyboardEvent} event @param {() => void} close */
function onPickerKey(event, close) {
  const columns = 8;
  const moves = /** @type {Record<string, number>} */ ({ ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns });
  if (event.key === 'Escape') {
    event.preventDefault();
    event.stopPropagation();
    close();
  } else if (event.key in moves) {
    event.preventDefault();
    const buttons = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('button')];
    buttons[buttons.indexOf(/** @type {any} */ (document.activeElement)) + moves[event.key]]?.focus();
  }
}
