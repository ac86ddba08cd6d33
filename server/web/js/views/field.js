import { fieldSentence } from '../refusal.js';
import { html } from './html.js';

/**
 * @typedef {{id:string, label:string, value:string, onInput:(value:string)=>void, help?:any, error?:string, [other:string]:any}} FieldProps
 */

/** A labelled input with its help and its error. @param {FieldProps & {type?:string}} props */
export function Field({ type = 'text', ...props }) {
  return html`<${Labelled} ...${props} control=${(/** @type {any} */ common, /** @type {any} */ rest) => html`<input type=${type} ...${common} ...${rest} />`} />`;
}

/** The same for text of several lines. @param {FieldProps} props */
export function TextArea(props) {
  return html`<${Labelled} ...${props} control=${(/** @type {any} */ common, /** @type {any} */ rest) => html`<textarea ...${common} ...${rest}></textarea>`} />`;
}

/** One of a few. @param {FieldProps & {options:[string, string][]}} props */
export function Choice({ options, ...props }) {
  return html`<${Labelled} ...${props} control=${(/** @type {any} */ { onInput, ...common }, /** @type {any} */ rest) => html`<select ...${common} ...${rest} onChange=${onInput}>
    ${options.map(([value, label]) => html`<option key=${value} value=${value} selected=${value === common.value}>${label}</option>`)}</select>`} />`;
}

/** @param {FieldProps & {control:(common:any, rest:any)=>any}} props */
function Labelled({ id, label, value, onInput, help, error, control, ...rest }) {
  const describedBy = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const common = { id, value, onInput: (/** @type {any} */ event) => onInput(event.target.value), 'aria-describedby': describedBy, 'aria-invalid': error ? 'true' : undefined };
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${control(common, rest)}
    ${help && html`<p class="help" id=${`${id}-help`}>${help}</p>`}
    ${error && html`<p class="help bad" id=${`${id}-error`}>${fieldSentence(label, error)}</p>`}
  </div>`;
}

/** @param {{checked:boolean, onChange:(checked:boolean)=>void, children:any, help?:any, id?:string, disabled?:boolean}} props */
export function Check({ checked, onChange, children, help, id, disabled }) {
  return html`<label class="check"><input type="checkbox" id=${id} checked=${checked} disabled=${disabled} onChange=${(/** @type {any} */ event) => onChange(event.target.checked)} />
    <span>${children}${help && html`<small>${help}</small>`}</span></label>`;
}

/** Several of a few, under one heading. @param {{legend:string, options:{value:string, label:any, help?:any, disabled?:boolean}[], chosen:string[], onChange:(chosen:string[])=>void, error?:string}} props */
export function Checks({ legend, options, chosen, onChange, error }) {
  const toggle = (/** @type {string} */ value, /** @type {boolean} */ on) => onChange(on ? [...chosen, value] : chosen.filter((known) => known !== value));
  return html`<fieldset class="checks" aria-invalid=${error ? 'true' : undefined} tabindex=${error ? '-1' : undefined}><legend>${legend}</legend>
    ${options.map(({ value, label, help, disabled }) => html`<${Check} key=${value} checked=${chosen.includes(value)} disabled=${disabled} help=${help} onChange=${(/** @type {boolean} */ on) => toggle(value, on)}>${label}</${Check}>`)}
    ${error && html`<p class="help bad" role="alert">${fieldSentence('', error)}</p>`}</fieldset>`;
}

/** @param {{error:string}} props */
export function FormError({ error }) {
  return error ? html`<p class="form-error" role="alert">${error}</p>` : null;
}
