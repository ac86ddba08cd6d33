import { t } from '../page_words.js';
import { html, useEffect, useState } from './html.js';
import { Icon } from './icon.js';
import { copyText } from './text.js';

/** Says on itself that it copied: a note elsewhere is hidden by a dialog. @param {{text:string, children?:any, class?:string, autofocus?:boolean}} props */
export function CopyButton({ text, children = t('copy'), class: extra = 'btn', autofocus }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2_500);
    return () => clearTimeout(timer);
  }, [copied]);
  return html`<button type="button" class=${extra} autofocus=${autofocus} onClick=${() => void copyText(text, { quiet: true }).then(() => setCopied(true))}>
    <${Icon} name=${copied ? 'check' : 'copy'} small />${copied ? t('copied') : children}<span class="sr" role="status">${copied ? t('copied') : ''}</span></button>`;
}

/** Something to be handed on, selected by a click. @param {{id:string, label:string, value:string, help?:any, autofocus?:boolean}} props */
export function Secret({ id, label, value, help, autofocus }) {
  return html`<div class="field secret"><label for=${id}>${label}</label>
    <div class="copyline"><input id=${id} readonly value=${value} aria-describedby=${help ? `${id}-help` : undefined} onFocus=${(/** @type {any} */ event) => event.target.select()} /><${CopyButton} text=${value} class="btn primary" autofocus=${autofocus} /></div>
    ${help && html`<p class="help" id=${`${id}-help`}>${help}</p>`}</div>`;
}
