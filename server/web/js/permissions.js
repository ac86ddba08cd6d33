/** What the signed-in person may do, and so which pages they are shown. The server asks again at every call. */
import { t } from './words.js';


/** @typedef {{name:string, title:string, icon:string}} Section */
/** @typedef {{is_superuser?:boolean, permissions?:string[]}|null|undefined} Account */

/** @type {Section[]} */
export const PREFERENCES = [
  { name: 'profile', title: t('profile'), icon: 'smile' },
  { name: 'appearance', title: t('appearance'), icon: 'sun' },
  { name: 'notifications', title: t('notifications'), icon: 'bell' },
  { name: 'security', title: t('password_and_security'), icon: 'lock' },
  { name: 'sessions', title: t('devices'), icon: 'screen' },
  { name: 'tokens', title: t('access_tokens'), icon: 'codei' },
];

/** @type {(Section & {allowed:(user:Account)=>boolean})[]} */
const ADMINISTRATION = [
  { name: 'overview', title: t('overview'), icon: 'chart', allowed: (user) => may(user, 'server.watch') },
  { name: 'people', title: t('people'), icon: 'users', allowed: (user) => may(user, 'users.manage') || may(user, 'bots.manage') },
  { name: 'roles', title: t('roles_and_permissions'), icon: 'check', allowed: (user) => may(user, 'roles.manage') },
  { name: 'invitations', title: t('invitations'), icon: 'userplus', allowed: (user) => may(user, 'users.invite') },
  { name: 'plugins', title: t('plugins'), icon: 'spark', allowed: (user) => may(user, 'plugins.manage') },
  { name: 'audit', title: t('audit_log'), icon: 'list', allowed: (user) => may(user, 'audit.read') },
  { name: 'server', title: t('server'), icon: 'screen', allowed: (user) => may(user, 'server.watch') },
  { name: 'policy', title: t('policy'), icon: 'lock', allowed: (user) => Boolean(user?.is_superuser) },
];

/** @param {Account} user @param {string} permission */
export function may(user, permission) {
  return Boolean(user?.is_superuser || user?.permissions?.includes(permission));
}

/** The sections of the administration that this account can use. @param {Account} user @returns {Section[]} */
export function adminSections(user) {
  return ADMINISTRATION.filter(({ allowed }) => allowed(user));
}
