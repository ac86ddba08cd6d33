import { html } from './html.js';

/**
 * A labelled input with its help and its error.
 * @param {{id:string, label:string, value:string, onInput:(value:string)=>void, type?:string, help?:string, error?:string, [other:string]:any}} props
 */
export function Field({ id, label, value, onInput, type = 'text', help, error, ...rest }) {
  const describedBy = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input id=${id} type=${type} value=${value} onInput=${(/** @type {any} */ event) => onInput(event.target.value)} aria-describedby=${describedBy} aria-invalid=${error ? 'true' : undefined} ...${rest} />
    ${help && html`<p class="help" id=${`${id}-help`}>${help}</p>`}
    ${error && html`<p class="help bad" id=${`${id}-error`}>${error}</p>`}
  </div>`;
}

/** @param {{error:string}} props */
export function FormError({ error }) {
  return error ? html`<p class="form-error" role="alert">${error}</p>` : null;
}
