import { html, useRef } from './html.js';

/**
 * A few panels of which one is shown. Arrow keys move between the tabs, as the pattern has it.
 * @param {{label:string, tabs:{name:string, title:string}[], current:string, choose:(name:string)=>void, children:any, plain?:boolean}} props children: the panel; plain: on a page, not in a dialog
 */
export function Tabs({ label, tabs, current, choose, children, plain = false }) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const at = tabs.findIndex(({ name }) => name === current);
    const target = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    const next = tabs[(target + tabs.length) % tabs.length].name;
    choose(next);
    /** @type {HTMLElement|null|undefined} */ (element.current?.querySelector(`#tab-${next}`))?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${element} onKeyDown=${onKeyDown}>${tabs.map(({ name, title }) => html`<button type="button" key=${name} id=${`tab-${name}`} role="tab" class="tab"
      aria-selected=${name === current} aria-controls="tab-panel" tabindex=${name === current ? 0 : -1} onClick=${() => choose(name)}>${title}</button>`)}</div>
    <div class=${plain ? 'tab-page' : 'dialog-b'} id="tab-panel" role="tabpanel" aria-labelledby=${`tab-${current}`} tabindex="-1">${children}</div>`;
}
