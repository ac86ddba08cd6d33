/** Codes of the second factor, and those that stand in for them. */
import { t } from './page_words.js';

/** The secret in groups of four, as people type it into a device that cannot see the picture. @param {string} secret */
export function groupedSecret(secret) {
  return secret.replace(/\s+/g, '').replace(/(.{4})(?=.)/g, '$1 ');
}

/** Codes are typed with the spaces and dashes of the device that shows them. @param {string} code */
export function plainCode(code) {
  const joined = code.trim().replace(/\s+/g, '');
  return /^[\d-]+$/.test(joined) ? joined.replace(/-/g, '') : joined;
}

/**
 * The text of the file that keeps the recovery codes.
 * @param {string[]} codes @param {{workspace:string, username:string, address:string, now?:Date}} about
 */
export function recoveryCodeFile(codes, { workspace, username, address, now = new Date() }) {
  return [
    t('recovery_codes_of_for', { username, workspace, address }),
    t('made_on_they_replace_all_earlier', { value: now.toISOString().slice(0, 10) }),
    '',
    ...codes,
    '',
    t('each_code_signs_you_in_once'),
    '',
  ].join('\n');
}
