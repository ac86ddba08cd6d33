/** What people and channels are called on the page. */
import { isConversation, me, members, users } from './store.js';
import { t } from './words.js';

/** @param {import('./store.js').Channel} channel how the sidebar and headings call it */
export function channelTitle(channel) {
  if (!isConversation(channel)) return channel.name;
  const others = (members.value.get(channel.id) ?? []).map((member) => users.value.get(member.user.id) ?? member.user).filter((user) => user.id !== me.value?.id);
  return others.length ? others.map((user) => personName(user)).join(', ') : channel.name || t('conversation');
}

/** @param {import('./store.js').UserRef|undefined} user */
export function personName(user) {
  return user?.full_name || user?.username || t('someone');
}
