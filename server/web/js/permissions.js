/** What the signed-in person may do, and so what they are shown. The server asks again at every call. */

/** @typedef {{is_superuser?:boolean, permissions?:string[]}|null|undefined} Account */

/** The permissions that open a section of the administration (sections.js). */
export const ADMINISTERING = ['server.watch', 'users.manage', 'bots.manage', 'roles.manage', 'users.invite', 'plugins.manage', 'audit.read'];

/** @param {Account} user @param {string} permission */
export function may(user, permission) {
  return Boolean(user?.is_superuser || user?.permissions?.includes(permission));
}

/** Whether there is anything of the administration for this account. @param {Account} user */
export function administers(user) {
  return ADMINISTERING.some((permission) => may(user, permission));
}
