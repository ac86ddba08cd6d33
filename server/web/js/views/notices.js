import { notices } from '../notices.js';
import { html, useLayoutEffect, useRef } from './html.js';

/** Short messages at the edge of the window, over whatever dialog is open. */
export function Notices() {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const newest = notices.value.at(-1)?.id;
  useLayoutEffect(() => {
    const box = element.current;
    if (!box?.showPopover) return; // an older browser shows them beneath
    // What was shown last stands highest: a dialog that opened since would cover the notices. It stands there empty too,
    // since what is read aloud is what changes in a region that was there before.
    if (box.matches(':popover-open')) box.hidePopover();
    box.showPopover();
  }, [newest]);
  return html`<div class="notices" role="status" aria-live="polite" popover="manual" ref=${element}>${notices.value.map(({ id, text, bad }) => html`<p key=${id} class=${bad ? 'notice bad' : 'notice'}>${text}</p>`)}</div>`;
}
