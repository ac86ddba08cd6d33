/** The audit log's words, and its filters as the server takes them. */

/** What can be in the log, in the order of the filter's list. @type {[string, string][]} */
export const ACTIONS = [
  ['account.signed_in', 'Signed in'], ['account.sign_in_failed', 'Sign-in refused'], ['account.signed_out', 'Signed out'], ['account.registered', 'Registered'],
  ['account.created', 'Account made'], ['account.updated', 'Account changed'], ['account.disabled', 'Account disabled'], ['account.enabled', 'Account enabled'],
  ['account.deleted', 'Account deleted'], ['account.superuser_changed', 'Superuser changed'], ['account.roles_assigned', 'Roles assigned'],
  ['password.changed', 'Password changed'], ['password.reset_linked', 'Password link made'], ['password.reset', 'Password chosen by link'],
  ['session.ended', 'Session ended'], ['session.all_ended', 'All sessions ended'], ['refresh_token.reused', 'Stolen session stopped'],
  ['two_factor.enabled', 'Second factor set up'], ['two_factor.disabled', 'Second factor turned off'], ['two_factor.reset', 'Second factor removed'],
  ['two_factor.recovery_code_used', 'Recovery code used'], ['two_factor.recovery_codes_renewed', 'Recovery codes renewed'],
  ['token.created', 'Token made'], ['token.revoked', 'Token revoked'], ['role.created', 'Role made'], ['role.updated', 'Role changed'], ['role.deleted', 'Role deleted'],
  ['invitation.created', 'Invitation made'], ['invitation.used', 'Invitation used'], ['invitation.revoked', 'Invitation revoked'],
  ['identity.linked', 'Identity linked'], ['identity.unlinked', 'Identity unlinked'], ['policy.changed', 'Policy changed'],
  ['break_glass.opened', 'Break-glass opened'], ['break_glass.ended', 'Break-glass ended'], ['member.added', 'Member added'], ['member.removed', 'Member removed'],
  ['member.role_changed', 'Member’s role changed'], ['channel.privacy_changed', 'Channel made private or public'],
  ['channel_invitation.created', 'Channel invitation made'], ['channel_invitation.used', 'Channel invitation used'], ['channel_invitation.revoked', 'Channel invitation revoked'],
  ['channel.deleted', 'Channel deleted'], ['channel.retention_changed', 'Channel retention changed'], ['channel.assistant_switched', 'Assistant switched in a channel'], ['audit.exported', 'Audit log exported'], ['data.imported', 'Data imported'], ['dead_letter.retried', 'Dead letter retried'], ['index.rebuilt', 'Index rebuilt'],
];

const NAMES = new Map(ACTIONS);

/** @param {string} action a newer server may have words this page does not know */
export function actionText(action) {
  return NAMES.get(action) ?? action;
}

/**
 * Whole days of the reader's calendar as instants: from the first one's start to the last one's end.
 * @param {string} from a date such as 2026-03-29, or '' @param {string} to the last day meant, or ''
 * @returns {{from?:string, to?:string}}
 */
export function dayRange(from, to) {
  return { ...(from ? { from: midnightOf(from, 0) } : {}), ...(to ? { to: midnightOf(to, 1) } : {}) };
}

/** @param {string} day @param {number} daysAhead */
function midnightOf(day, daysAhead) {
  const [year, month, date] = day.split('-').map(Number);
  return new Date(year, month - 1, date + daysAhead).toISOString();
}

/** An entry's further facts, one short line each. @param {any} detail @returns {[string, string][]} */
export function detailLines(detail) {
  if (!detail || typeof detail !== 'object') return [];
  return Object.entries(detail).map(([name, value]) => [name.replace(/_/g, ' '), typeof value === 'string' ? value : JSON.stringify(value)]);
}
