/** The second factor, as far as it needs no page. */

/** @param {any} user True when this account must set a second factor up before anything else. An account without a password signs in elsewhere, where that is asked. */
export function mustSetUpTwoFactor(user) {
  return Boolean(user?.two_factor_required && !user.two_factor_enabled && user.has_password !== false);
}
