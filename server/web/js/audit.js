/** The audit log's words, and its filters as the server takes them. */
import { t } from './page_words.js';


/** What can be in the log, in the order of the filter's list. @type {[string, string][]} */
export const ACTIONS = [
  ['account.signed_in', t('signed_in')], ['account.sign_in_failed', t('sign_in_refused')], ['account.signed_out', t('signed_out')], ['account.registered', t('registered')],
  ['account.created', t('account_made')], ['account.updated', t('account_changed')], ['account.disabled', t('account_disabled')], ['account.enabled', t('account_enabled')],
  ['account.deleted', t('account_deleted')], ['account.superuser_changed', t('superuser_changed')], ['account.roles_assigned', t('roles_assigned')],
  ['password.changed', t('password_changed')], ['password.reset_linked', t('password_link_made')], ['password.reset', t('password_chosen_by_link')],
  ['session.ended', t('session_ended')], ['session.all_ended', t('all_sessions_ended')], ['refresh_token.reused', t('stolen_session_stopped')],
  ['two_factor.enabled', t('second_factor_set_up')], ['two_factor.disabled', t('second_factor_turned_off')], ['two_factor.reset', t('second_factor_removed')],
  ['two_factor.recovery_code_used', t('recovery_code_used')], ['two_factor.recovery_codes_renewed', t('recovery_codes_renewed')],
  ['token.created', t('token_made')], ['token.revoked', t('token_revoked')], ['role.created', t('role_made')], ['role.updated', t('role_changed')], ['role.deleted', t('role_deleted')],
  ['invitation.created', t('invitation_made')], ['invitation.used', t('invitation_used')], ['invitation.revoked', t('invitation_revoked')],
  ['identity.linked', t('identity_linked')], ['identity.unlinked', t('identity_unlinked')], ['policy.changed', t('policy_changed')],
  ['break_glass.opened', t('break_glass_opened')], ['break_glass.ended', t('break_glass_ended')], ['member.added', t('member_added')], ['member.removed', t('member_removed')],
  ['member.role_changed', t('members_role_changed')], ['channel.privacy_changed', t('channel_made_private_or_public')],
  ['channel_invitation.created', t('channel_invitation_made')], ['channel_invitation.used', t('channel_invitation_used')], ['channel_invitation.revoked', t('channel_invitation_revoked')],
  ['webhook.created', t('webhook_made')], ['webhook.rotated', t('webhook_got_a_new_address')], ['webhook.deleted', t('webhook_deleted')],
  ['channel.deleted', t('channel_deleted')], ['channel.retention_changed', t('channel_retention_changed')], ['channel.assistant_switched', t('assistant_switched_in_a_channel')], ['assistant.tool_confirmed', t('plugin_tool_confirmed')], ['audit.exported', t('audit_log_exported')], ['data.imported', t('data_imported')], ['data.exported', t('data_exported')], ['dead_letter.retried', t('dead_letter_retried')], ['index.rebuilt', t('index_rebuilt')],
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
