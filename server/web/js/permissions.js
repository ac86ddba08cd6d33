/** What the signed-in person may do, and so which pages they are shown. The server asks again at every call. */

/** @typedef {{name:string, title:string, icon:string}} Section */
/** @typedef {{is_superuser?:boolean, permissions?:string[]}|null|undefined} Account */

/** @type {Section[]} */
export const PREFERENCES = [
  { name: 'profile', title: 'Profile', icon: 'smile' },
  { name: 'notifications', title: 'Notifications', icon: 'bell' },
  { name: 'security', title: 'Password and security', icon: 'lock' },
  { name: 'sessions', title: 'Devices', icon: 'screen' },
  { name: 'tokens', title: 'Access tokens', icon: 'codei' },
];

/** @type {(Section & {allowed:(user:Account)=>boolean})[]} */
const ADMINISTRATION = [
  { name: 'overview', title: 'Overview', icon: 'chart', allowed: (user) => may(user, 'server.watch') },
  { name: 'people', title: 'People', icon: 'users', allowed: (user) => may(user, 'users.manage') || may(user, 'bots.manage') },
  { name: 'roles', title: 'Roles and permissions', icon: 'check', allowed: (user) => may(user, 'roles.manage') },
  { name: 'invitations', title: 'Invitations', icon: 'userplus', allowed: (user) => may(user, 'users.invite') },
  { name: 'audit', title: 'Audit log', icon: 'list', allowed: (user) => may(user, 'audit.read') },
  { name: 'server', title: 'Server', icon: 'screen', allowed: (user) => may(user, 'server.watch') },
  { name: 'policy', title: 'Policy', icon: 'lock', allowed: (user) => Boolean(user?.is_superuser) },
];

/** @param {Account} user @param {string} permission */
export function may(user, permission) {
  return Boolean(user?.is_superuser || user?.permissions?.includes(permission));
}

/** The sections of the administration that this account can use. @param {Account} user @returns {Section[]} */
export function adminSections(user) {
  return ADMINISTRATION.filter(({ allowed }) => allowed(user));
}
