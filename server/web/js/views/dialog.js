import { dialog } from '../layout.js';
import { html, useEffect, useRef } from './html.js';
import { IconButton } from './icon.js';

/**
 * A modal dialog. The element's own modality holds the focus inside and closes on Escape.
 * @param {{title:string, children:any, bare?:boolean, class?:string}} props bare: no heading, the content brings its own
 */
export function Dialog({ title, children, bare = false, class: extra = '' }) {
  const element = useRef(/** @type {HTMLDialogElement|null} */ (null));
  useEffect(() => {
    const opener = /** @type {HTMLElement|null} */ (document.activeElement);
    element.current?.showModal();
    return () => opener?.focus?.();
  }, []);
  const close = () => { dialog.value = ''; };
  return html`<dialog ref=${element} class=${`dialog ${extra}`} aria-label=${title} onClose=${close}
      onClick=${(/** @type {MouseEvent} */ event) => event.target === element.current && close()}>
    <div class="dialog-in">
      ${!bare && html`<header class="dialog-h"><h2>${title}</h2><${IconButton} icon="x" label="Close" onClick=${close} /></header>`}
      ${children}
    </div>
  </dialog>`;
}
