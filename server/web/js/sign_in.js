/** Signing in by another system, and what it may answer. */

const MESSAGES = /** @type {Record<string,string>} */ ({
  oidc_failed: 'The other system did not sign you in. Try again, or sign in with your password.',
  registration_closed: 'Nobody can make a new account here without an invitation. Ask an administrator for one.',
  account_disabled: 'This account is disabled. An administrator can enable it again.',
  email_not_verified: 'The other system has not verified your e-mail address. Verify it there, and try again.',
  identity_taken: 'That account of the other system signs in somebody else here. Unlink it there first, or use another.',
  email_taken: 'Another account here has your e-mail address. Sign in with its password, then link the two under Preferences, Password and security.',
});

/** What a failed sign-in came back with, for people. @param {string} code of `/login?error=` */
export function signInMessage(code) {
  return code ? MESSAGES[code] ?? 'Signing in did not work. Try again.' : '';
}

/** Where to go once signed in: what was asked for, unless that was a page for people who are not. @param {import('./router.js').Route['name']} name @param {{pathname:string, search:string}} address */
export function returnPath(name, { pathname, search }) {
  return ['channel', 'search', 'preferences', 'admin'].includes(name) ? pathname + search : '/';
}
