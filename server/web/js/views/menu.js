import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { Icon } from './icon.js';

/** @typedef {{label:string, icon:string, href?:string, act?:()=>void}} MenuItem */

/**
 * A button that opens a short list of things to do. Arrow keys move, Escape gives the focus back.
 * @param {{label:string, children:any, items:(MenuItem|false|undefined)[], class?:string, floating?:boolean}} props children: what the button shows;
 *   floating: over whatever scrolls around it, where there is room
 */
export function Menu({ label, children, items, class: extra = '', floating = false }) {
  const [open, setOpen] = useState(false);
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const button = useRef(/** @type {HTMLButtonElement|null} */ (null));
  const entries = () => /** @type {HTMLElement[]} */ ([...(element.current?.querySelectorAll('[role="menuitem"]') ?? [])]);
  useLayoutEffect(() => {
    const list = /** @type {HTMLElement|null|undefined} */ (element.current?.querySelector('.menu'));
    if (open && floating && list && button.current) place(list, button.current.getBoundingClientRect());
    // Before the next key: who types fast is not to lose one.
    if (open) entries()[0]?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const outside = (/** @type {Event} */ event) => { if (!element.current?.contains(/** @type {Node} */ (event.target))) setOpen(false); };
    const away = () => setOpen(false);
    document.addEventListener('pointerdown', outside);
    if (floating) document.addEventListener('scroll', away, { capture: true });
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('scroll', away, { capture: true });
    };
  }, [open]);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const list = entries();
    const at = list.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const target = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[event.key];
    if (!open) return;
    if (event.key === 'Escape') {
      button.current?.focus();
      setOpen(false);
    } else if (event.key === 'Tab') return setOpen(false);
    else if (target !== undefined) list[(target + list.length) % list.length]?.focus();
    else return undefined;
    event.preventDefault();
    return undefined;
  };
  const choose = (/** @type {MenuItem} */ item) => {
    // First the focus, then the work: a dialog gives it back to where it was.
    button.current?.focus();
    setOpen(false);
    item.act?.();
  };
  return html`<div class=${`menu-at ${floating ? 'floats' : ''} ${extra}`} ref=${element} onKeyDown=${onKeyDown}>
    <button type="button" ref=${button} class="menu-btn" aria-haspopup="menu" aria-expanded=${open} title=${floating ? label : undefined} onClick=${() => setOpen(!open)}>${children}<span class="sr">${label}</span></button>
    ${open && html`<div class="menu" role="menu" aria-label=${label}>${items.map((item) => item && (item.href
      ? html`<a key=${item.label} class="menu-i" role="menuitem" tabindex="-1" href=${item.href} onClick=${() => choose(item)}><${Icon} name=${item.icon} />${item.label}</a>`
      : html`<button key=${item.label} type="button" class="menu-i" role="menuitem" tabindex="-1" onClick=${() => choose(item)}><${Icon} name=${item.icon} />${item.label}</button>`))}</div>`}
  </div>`;
}

const EDGE_PX = 8;

/** Above or below its button, wherever it fits; never beyond the window. @param {HTMLElement} list @param {DOMRect} button */
function place(list, button) {
  const { offsetWidth: width, offsetHeight: height } = list;
  const below = button.bottom + 4;
  const top = below + height < innerHeight - EDGE_PX ? below : Math.max(EDGE_PX, button.top - height - 4);
  list.style.top = `${top}px`;
  list.style.left = `${Math.max(EDGE_PX, Math.min(button.right - width, innerWidth - width - EDGE_PX))}px`;
}
