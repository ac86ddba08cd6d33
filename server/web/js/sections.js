/** The sections of the preferences and of the administration. */
import { t } from './page_words.js';
import { may } from './permissions.js';

/** @typedef {{name:string, title:string, icon:string}} Section */

/** @type {Section[]} */
export const PREFERENCES = [
  { name: 'profile', title: t('profile'), icon: 'smile' },
  { name: 'appearance', title: t('appearance'), icon: 'sun' },
  { name: 'notifications', title: t('notifications'), icon: 'bell' },
  { name: 'security', title: t('password_and_security'), icon: 'lock' },
  { name: 'sessions', title: t('devices'), icon: 'screen' },
  { name: 'tokens', title: t('access_tokens'), icon: 'codei' },
];

/** asks: one of these permissions; none: superusers only. @type {(Section & {asks:string[]})[]} */
export const ADMINISTRATION = [
  { name: 'overview', title: t('overview'), icon: 'chart', asks: ['server.watch'] },
  { name: 'people', title: t('people'), icon: 'users', asks: ['users.manage', 'bots.manage'] },
  { name: 'roles', title: t('roles_and_permissions'), icon: 'check', asks: ['roles.manage'] },
  { name: 'channels', title: t('channels'), icon: 'hash', asks: ['server.watch'] },
  { name: 'plugins', title: t('plugins'), icon: 'slash', asks: ['plugins.manage'] },
  { name: 'webhooks', title: t('webhooks_and_bots'), icon: 'codei', asks: ['bots.manage'] },
  { name: 'assistant', title: t('assistant_and_models'), icon: 'spark', asks: ['server.watch'] },
  { name: 'index', title: t('search_index'), icon: 'find', asks: ['server.watch'] },
  { name: 'transfers', title: t('import_and_export'), icon: 'share', asks: [] },
  { name: 'audit', title: t('audit_log'), icon: 'list', asks: ['audit.read'] },
  { name: 'invitations', title: t('invitations'), icon: 'userplus', asks: ['users.invite'] },
  { name: 'policy', title: t('policy'), icon: 'lock', asks: [] },
  { name: 'server', title: t('server'), icon: 'screen', asks: ['server.watch'] },
];

/** The sections of the administration that this account can use. @param {import('./permissions.js').Account} user @returns {Section[]} */
export function adminSections(user) {
  return ADMINISTRATION.filter(({ asks }) => user?.is_superuser || asks.some((permission) => may(user, permission)));
}
