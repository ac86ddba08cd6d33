/** A refusal of the server, divided into what stands at a field and what stands above the form. */
import { fieldSentence } from './refusal.js';

/** Refusals that name no field, and the fields they are about: the first that a form has is marked. @type {Record<string,string[]>} */
const FIELDS_OF_CODE = {
  wrong_code: ['code'], wrong_password: ['current_password', 'password'], wrong_credentials: ['current_password', 'password'], name_taken: ['name'],
};

/**
 * @param {{message:string, code?:string, fields?:Record<string,string>}|null} error
 * @param {string[]} names the fields that the form has
 * @param {Record<string,string[]>} [fieldsOfCode]
 * @returns {{fields:Record<string,string>, message:string}} message: '' when everything stands at a field
 */
export function placedRefusal(error, names, fieldsOfCode = FIELDS_OF_CODE) {
  if (!error) return { fields: {}, message: '' };
  const entries = Object.entries(error.fields ?? {});
  const fields = Object.fromEntries(entries.filter(([name]) => names.includes(name)));
  if (Object.keys(fields).length) {
    // What is wrong with something that this form does not show must still be said somewhere.
    return { fields, message: entries.filter(([name]) => !(name in fields)).map(([name, text]) => fieldSentence(name, text)).join(' ') };
  }
  if (entries.length) return { fields: {}, message: entries.map(([name, text]) => fieldSentence(name, text)).join(' ') };
  const meant = (fieldsOfCode[error.code ?? ''] ?? []).find((name) => names.includes(name));
  const message = fieldSentence('', error.message);
  return meant ? { fields: { [meant]: message }, message: '' } : { fields: {}, message };
}
