/** What a role lets one do to a channel and its members. The server asks again at every call. */

const ORDER = ['guest', 'member', 'admin', 'owner'];

/** @param {string|null|undefined} role @param {string} least */
export function isAtLeast(role, least) {
  return ORDER.indexOf(role ?? '') >= ORDER.indexOf(least);
}

/**
 * Whether a plugin's rule lets somebody put its reaction: `who` is the least role in the channel, or `superuser`.
 * @param {{is_superuser?:boolean}|null|undefined} user @param {string|null|undefined} role @param {string|null|undefined} who
 */
export function mayReact(user, role, who) {
  return !who || Boolean(user?.is_superuser) || (ORDER.includes(who) && isAtLeast(role, who));
}

/**
 * The roles that somebody may give to a member: owners any, admins those below their own; nobody above their own.
 * @param {string|null|undefined} mine @param {string} theirs @returns {string[]} without any when the member's role is not theirs to change
 */
export function rolesToGive(mine, theirs) {
  if (mine === 'owner') return ORDER;
  if (mine === 'admin' && !isAtLeast(theirs, 'admin')) return ['guest', 'member'];
  return [];
}

/** @param {string|null|undefined} mine @param {string} theirs */
export function mayRemove(mine, theirs) {
  return isAtLeast(mine, 'admin') && (mine === 'owner' || !isAtLeast(theirs, 'admin'));
}

/** Into a public channel any member brings people, into a private one those who manage it. @param {{role?:string|null, kind:string}} channel */
export function mayAdd({ role, kind }) {
  return isAtLeast(role, kind === 'private' ? 'admin' : 'member');
}

/** Leaving would leave the channel without an owner, so somebody else must become one first. @param {string|null|undefined} mine @param {{role:string}[]} members */
export function mustHandOver(mine, members) {
  return mine === 'owner' && members.length > 1 && members.filter(({ role }) => role === 'owner').length <= 1;
}
