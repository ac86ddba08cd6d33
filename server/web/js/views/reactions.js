/** Reactions under a message, and the small picker that adds one. */
import { signal } from '../../vendor/signals-core.js';
import { reactionImagePath } from '../api.js';
import { chat } from '../chat_api.js';
import { EMOJI, emojiOf, emojiName } from '../emoji.js';
import { react } from '../events.js';
import { openDialog } from '../layout.js';
import { personName } from '../names.js';
import { notify } from '../notices.js';
import { customReactions, me, users } from '../store.js';
import { listText, t } from '../words.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { Icon } from './icon.js';

/** @typedef {import('../timeline.js').Message} Message */

/** Names in the words about a reaction; the list of all is a dialog. */
const MAX_NAMES = 10;

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

/** What is drawn for a reaction: a picture of this workspace, or a character. @param {{code:string}} props */
export function Face({ code }) {
  const custom = customOf(code);
  const image = reactionImagePath(custom?.image_url);
  if (image) return html`<img class="emoji" src=${image} alt="" width="20" height="20" loading="lazy" />`;
  return custom?.symbol ?? custom?.emoji ?? emojiOf(code);
}

/** The picker, drawn once for the whole page. */
export function Picker() {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const open = picker.value;
  const [text, setText] = useState('');
  useLayoutEffect(() => setText(''), [open]);
  useLayoutEffect(() => {
    if (!open || !element.current) return;
    const anchor = open.opener.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element.current;
    element.current.style.left = `${Math.max(8, Math.min(anchor.right - width, innerWidth - width - 8))}px`;
    element.current.style.top = `${anchor.top - height - 8 > 8 ? anchor.top - height - 8 : Math.min(anchor.bottom + 8, innerHeight - height - 8)}px`;
    /** @type {HTMLElement|null} */ (element.current.querySelector('input'))?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (/** @type {Event} */ event) => { if (!element.current?.contains(/** @type {Node} */ (event.target))) picker.value = null; };
    const moved = () => { picker.value = null; };
    document.addEventListener('pointerdown', outside);
    addEventListener('resize', moved); // what it stood beside is elsewhere
    return () => {
      document.removeEventListener('pointerdown', outside);
      removeEventListener('resize', moved);
    };
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
  const option = (/** @type {string} */ code, /** @type {string} */ name, /** @type {any} */ face) => html`<button key=${code} type="button" class="icon-btn q" aria-label=${name} title=${name} onClick=${() => choose(code)}>${face}</button>`;
  const wanted = text.trim().toLowerCase();
  const fits = (/** @type {(string|undefined)[]} */ ...words) => words.some((word) => word?.toLowerCase().includes(wanted));
  const common = EMOJI.filter(([, name, code]) => fits(name, code));
  const own = customReactions.value.filter((reaction) => fits(reaction.name, reaction.code));
  const only = own.length === 1 && !common.length ? own[0].code : common.length === 1 && !own.length ? common[0][0] : '';
  return html`<div class="picker" ref=${element} role="dialog" aria-label=${t('choose_an_emoji')} onKeyDown=${(/** @type {KeyboardEvent} */ event) => onPickerKey(event, close)}>
    <form class="picker-f" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (only) choose(only); }}><input type="search" aria-label=${t('find_an_emoji')} placeholder=${t('find_an_emoji')} autocomplete="off" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></form>
    <div class="picker-g">${common.map(([face, name]) => option(face, name, face))}</div>
    ${own.length > 0 && html`<p class="cap">${t('from_this_workspace')}</p>
      <div class="picker-g">${own.map((reaction) => option(open.custom ? reaction.code : `:${reaction.code}:`, reaction.name || reaction.code, html`<${Face} code=${reaction.code} />`))}</div>`}
    ${!common.length && !own.length && html`<p class="cap">${t('none_is_called_so')}</p>`}
    <p class="picker-e"><button type="button" class="inline-link" onClick=${() => { close(); openDialog('reactions'); }}>${t('add_or_take_away_images')}</button></p>
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
    const buttons = /** @type {HTMLElement[]} */ ([.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll('.picker-g button')]);
    const at = buttons.indexOf(/** @type {any} */ (document.activeElement));
    // In the field, left and right move between letters.
    if (at < 0 && event.key !== 'ArrowDown') return;
    event.preventDefault();
    const next = at < 0 ? buttons[0] : buttons[at + moves[event.key]];
    if (next) next.focus();
    else if (event.key === 'ArrowUp') /** @type {HTMLElement} */ (event.currentTarget).querySelector('input')?.focus();
  }
}
