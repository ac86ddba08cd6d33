/** Signing in by another system, and what it may answer. */
import { t } from './page_words.js';

const MESSAGES = /** @type {Record<string,string>} */ ({
  oidc_failed: t('the_other_system_did_not_sign'),
  registration_closed: t('nobody_can_make_a_new_account'),
  account_disabled: t('this_account_is_disabled_an_administrator'),
  email_not_verified: t('the_other_system_has_not_verified'),
  identity_taken: t('that_account_of_the_other_system'),
  email_taken: t('another_account_here_has_your_e'),
});

/** What a failed sign-in came back with, for people. @param {string} code of `/login?error=` */
export function signInMessage(code) {
  return code ? MESSAGES[code] ?? t('signing_in_did_not_work_try') : '';
}

/** Where to go once signed in: what was asked for, unless that was a page for people who are not. @param {import('./router.js').Route['name']} name @param {{pathname:string, search:string}} address */
export function returnPath(name, { pathname, search }) {
  return ['channel', 'search', 'preferences', 'admin'].includes(name) ? pathname + search : '/';
}
