import { notify } from '../notices.js';
import { html, useState } from './html.js';

/**
 * A button whose work takes a moment.
 * @param {{run:()=>Promise<any>, failed?:(error:Error)=>void, children:any, class?:string, label?:string, autofocus?:boolean}} props failed: shows the failure; a note at the edge of the window otherwise
 */
export function Action({ run, failed, children, class: extra = 'btn', label, autofocus }) {
  const [busy, setBusy] = useState(false);
  const onClick = async () => {
    if (busy) return;
    setBusy(true);
    try {
      await run();
    } catch (error) {
      if (failed) failed(/** @type {Error} */ (error));
      else notify(/** @type {Error} */ (error).message, { bad: true });
    }
    setBusy(false);
  };
  return html`<button type="button" class=${extra} aria-label=${label} aria-disabled=${busy ? 'true' : undefined} autofocus=${autofocus} onClick=${onClick}>${busy && html`<span class="spin" aria-hidden="true"></span>`}${children}</button>`;
}
