/** The small picker that adds a reaction, or a character to what is written. */
import { allEmoji, EMOJI, loadEveryEmoji } from '../emoji.js';
import { mayReact } from '../channel_roles.js';
import { openDialog } from '../layout.js';
import { channels, customReactions, me } from '../store.js';
import { t } from '../channel_words.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { Face, picker } from './reactions.js';

/** More than these would not be looked through. */
const MOST_FOUND = 96;

/** The picker, drawn once for the whole page. */
export function Picker() {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const open = picker.value;
  const [text, setText] = useState('');
  const [, setTurn] = useState(0);
  useEffect(() => void loadEveryEmoji()?.then(() => setTurn(1)), []);
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
  // The common ones to look at; of all, those that are asked for.
  const common = wanted ? allEmoji().filter(([, name, code, words]) => fits(name, code, words)).slice(0, MOST_FOUND) : EMOJI;
  const role = channels.value.get(open.channelId)?.role;
  // In a text everybody may use every one.
  const own = customReactions.value.filter((reaction) => fits(reaction.name, reaction.code) && (!open.channelId || mayReact(me.value, role, reaction.who)));
  // Enter takes what is called exactly so, or else the first: own ones have names that somebody here chose.
  const named = common.find(([, name, code]) => name === wanted || code === wanted) ?? common[0];
  const first = !wanted ? '' : own[0] ? (open.channelId ? own[0].code : `:${own[0].code}:`) : named?.[0] ?? '';
  return html`<div class="picker" ref=${element} role="dialog" aria-label=${t('choose_an_emoji')} onKeyDown=${(/** @type {KeyboardEvent} */ event) => onPickerKey(event, close)}>
    <form class="picker-f" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (first) choose(first); }}><input type="search" aria-label=${t('find_an_emoji')} placeholder=${t('find_an_emoji')} autocomplete="off" value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)} /></form>
    <div class="picker-g">${common.map(([face, name]) => option(face, name, face))}</div>
    ${own.length > 0 && html`<p class="cap">${t('from_this_workspace')}</p>
      <div class="picker-g">${own.map((reaction) => option(open.channelId ? reaction.code : `:${reaction.code}:`, reaction.name || reaction.code, html`<${Face} code=${reaction.code} />`))}</div>`}
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
