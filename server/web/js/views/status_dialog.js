import { dialog } from '../layout.js';
import { notify } from '../notices.js';
import { Dialog } from './dialog.js';
import { html } from './html.js';
import { StatusForm } from './preferences/status.js';

export function StatusDialog() {
  return html`<${Dialog} title="Your status"><div class="dialog-b"><${StatusForm} autofocus done=${() => { dialog.value = ''; notify('Your status is set.'); }} /></div></${Dialog}>`;
}
