import { dialog } from '../layout.js';
import { notify } from '../notices.js';
import { t } from '../page_words.js';
import { Dialog } from './dialog.js';
import { html } from './html.js';
import { StatusForm } from './preferences/status.js';

export function StatusDialog() {
  return html`<${Dialog} title=${t('your_status')}><div class="dialog-b"><${StatusForm} autofocus done=${() => { dialog.value = ''; notify(t('your_status_is_set')); }} /></div></${Dialog}>`;
}
