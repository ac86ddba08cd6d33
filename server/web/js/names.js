/** What people and channels are called on the page. */
import { isConversation, me, members, users } from './store.js';
import { t } from './words.js';

/** @param {import('./store.js').Channel} channel how the sidebar and headings call it */
export function channelTitle(channel) {
  if (!isConversation(channel)) return channel.name;
  const others = othersIn(channel);
  return others.length ? others.map((user) => personName(user)).join(', ') : channel.name || t('conversation');
}

/** The other people of a conversation: its list says who they are before its members are here. @param {import('./store.js').Channel} channel @returns {import('./store.js').UserRef[]} */
export function othersIn(channel) {
  const people = members.value.get(channel.id)?.map(({ user }) => user) ?? channel.people ?? [];
  return people.map((user) => users.value.get(user.id) ?? user).filter((user) => user.id !== me.value?.id);
}

/** @param {import('./store.js').UserRef|undefined} user */
export function personName(user) {
  return user?.full_name || user?.username || t('someone');
}
