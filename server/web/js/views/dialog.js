import { dialog } from '../layout.js';
import { t } from '../page_words.js';
import { FormError } from './field.js';
import { Action } from './form.js';
import { html, useLayoutEffect, useRef, useState } from './html.js';
import { IconButton } from './icon.js';

function closeWorkspaceDialog() {
  dialog.value = '';
}

/** After the page is drawn anew: what opened the dialog may be gone by then, such as the row of a deleted thing. @param {HTMLElement|null} opener */
function giveFocusBack(opener) {
  // What the dialog led to has taken it, such as the composer of a new channel.
  if (document.activeElement && document.activeElement !== document.body) return;
  const around = [...document.querySelectorAll('dialog[open]')].at(-1)?.querySelector('button') ?? document.getElementById('main');
  const target = opener?.isConnected && opener !== document.body ? opener : around;
  target?.focus();
  // What shows only beside the focus or the pointer, such as a message's tools, cannot take it: what it belongs to can.
  if (document.activeElement !== target) /** @type {HTMLElement|null|undefined} */ (target?.closest('[tabindex="-1"]'))?.focus();
}

/**
 * A modal dialog. The element's own modality holds the focus inside and closes on Escape.
 * @param {{title:string, children:any, bare?:boolean, class?:string, onClose?:()=>void}} props bare: no heading, the content brings its own
 */
export function Dialog({ title, children, bare = false, class: extra = '', onClose = closeWorkspaceDialog }) {
  const element = useRef(/** @type {HTMLDialogElement|null} */ (null));
  // At once, not after the next frame: who opens it by a key types on, and the words would go where the focus was.
  useLayoutEffect(() => {
    const opener = /** @type {HTMLElement|null} */ (document.activeElement);
    element.current?.showModal();
    return () => { setTimeout(() => giveFocusBack(opener)); };
  }, []);
  return html`<dialog ref=${element} class=${`dialog ${extra}`} aria-label=${title} onClose=${(/** @type {Event} */ event) => event.target === element.current && onClose()}
      onClick=${(/** @type {MouseEvent} */ event) => event.target === element.current && onClose()}>
    <div class="dialog-in">
      ${!bare && html`<header class="dialog-h"><h2>${title}</h2><${IconButton} icon="x" label=${t('close')} onClick=${onClose} /></header>`}
      ${children}
    </div>
  </dialog>`;
}

/**
 * Asks before something that cannot be taken back. Closes when the work is done; a failure is shown here.
 * @param {{title:string, children:any, action:string, run:()=>Promise<any>, close:()=>void, danger?:boolean}} props
 */
export function Confirm({ title, children, action, run, close, danger = true }) {
  const [error, setError] = useState('');
  return html`<${Dialog} title=${title} onClose=${close} class="narrow"><div class="dialog-b">
    <div class="lead">${children}</div>
    <${FormError} error=${error} />
    <div class="dialog-f"><button type="button" class="btn" autofocus onClick=${close}>${t('cancel')}</button>
      <${Action} class=${danger ? 'btn solid-danger' : 'btn primary'} run=${() => run().then(close)} failed=${(/** @type {Error} */ failure) => setError(failure.message)}>${action}</${Action}></div>
  </div></${Dialog}>`;
}
