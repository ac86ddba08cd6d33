import { notices } from '../workspace.js';
import { html } from './html.js';

/** Short messages at the edge of the window. */
export function Notices() {
  return html`<div class="notices" role="status" aria-live="polite">${notices.value.map(({ id, text, bad }) => html`<p key=${id} class=${bad ? 'notice bad' : 'notice'}>${text}</p>`)}</div>`;
}
