/** A field for somebody's name, with the names of the directory offered while one types. */
import { ApiError } from '../../api.js';
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { t } from '../../page_words.js';
import { Field } from '../field.js';
import { html, useEffect, useState } from '../html.js';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @param {{id:string, label:string, value:string, onInput:(value:string)=>void, error?:string}} props */
export function NameField({ id, label, value, onInput, error }) {
  const [people, setPeople] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    const text = plainName(value);
    if (!text || ID.test(text)) return undefined;
    let stale = false;
    const timer = setTimeout(() => api.users(text).then((list) => { if (!stale) setPeople(list.items); }, () => {}), 200);
    return () => { stale = true; clearTimeout(timer); };
  }, [value]);
  return html`<${Field} id=${id} label=${label} value=${value} onInput=${onInput} error=${error} list=${`${id}-names`} autocomplete="off" autocapitalize="none" spellcheck="false" placeholder=${t('username_or_id')} />
    <datalist id=${`${id}-names`}>${people.map((user) => html`<option key=${user.id} value=${user.username}>${cleanName(user.full_name ?? '')}</option>`)}</datalist>`;
}

/** @param {string} text */
function plainName(text) {
  return text.trim().replace(/^@/, '');
}

/**
 * The id of whom a field names.
 * @param {string} text a username, or an id of anything @param {string} field where to say that there is nobody @param {boolean} [anything] ids need not be of a person, nor look like one
 */
export async function userIdOf(text, field, anything = false) {
  const name = plainName(text);
  if (ID.test(name)) return name;
  const { items } = await api.users(name);
  const found = items.find((/** @type {any} */ user) => user.username.toLowerCase() === name.toLowerCase());
  if (found) return found.id;
  if (anything) return name;
  throw new ApiError(0, t('nobody_has_this_name'), { fields: { [field]: t('nobody_has_this_name') } });
}
