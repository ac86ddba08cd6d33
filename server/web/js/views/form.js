import { placedRefusal } from '../placed_refusal.js';
import { html, useEffect, useRef, useState } from './html.js';

export { Action } from './action.js';

/**
 * A form's values, its sending, and what the server said of it. After a refusal the first field at fault has the focus.
 * @param {Record<string, any>} initial
 * @param {(values:any)=>Promise<any>} submit
 * @param {{done?:(result:any)=>void, fieldsOfCode?:Record<string,string[]>}} [options]
 */
export function useForm(initial, submit, { done = () => {}, fieldsOfCode } = {}) {
  const [values, setValues] = useState(initial);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const placed = placedRefusal(error, Object.keys(initial), fieldsOfCode);
  useEffect(() => {
    if (error) /** @type {HTMLElement|null|undefined} */ (element.current?.querySelector('[aria-invalid="true"]'))?.focus();
  }, [error]);
  const onSubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    element.current = /** @type {HTMLElement} */ (event.currentTarget);
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const result = await submit(values);
      setBusy(false);
      done(result);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const set = (/** @type {string} */ name, /** @type {any} */ value) => setValues((/** @type {any} */ known) => ({ ...known, [name]: value }));
  const field = (/** @type {string} */ name, prefix = '') => ({
    id: `${prefix}${name}`, value: values[name], error: placed.fields[name], onInput: (/** @type {string} */ value) => set(name, value),
  });
  return { values, set, reset: () => { setValues(initial); setError(null); }, field, busy, error, fields: placed.fields, message: placed.message, onSubmit };
}

/** The button that sends a form. It keeps the focus while it works, which a disabled one would lose. @param {{busy:boolean, children:any, class?:string}} props */
export function Submit({ busy, children, class: extra = 'btn primary' }) {
  return html`<button class=${extra} aria-disabled=${busy ? 'true' : undefined}>${busy && html`<span class="spin" aria-hidden="true"></span>`}${children}</button>`;
}

/** Optional fields that were left empty are not sent. Passwords keep their spaces. @param {Record<string,any>} values */
export function present(values) {
  const entries = Object.entries(values).map(([name, value]) => [name, typeof value !== 'string' || name.includes('password') ? value : value.trim()]);
  return Object.fromEntries(entries.filter(([, value]) => value !== '' && value !== undefined && value !== null));
}
