/** Opens the conversation with some people: the same one whoever asks, and in whatever order they are named. */
import { chat } from './page_chat_api.js';
import { attempt } from './notices.js';
import { channelPath, navigate } from './router.js';
import { putChannel } from './store.js';

/** @param {string[]} userIds */
export async function openDirect(userIds) {
  const channel = await attempt(chat.direct(userIds));
  if (!channel) return;
  putChannel({ role: 'member', read_seq: 0, unread_count: 0, mention_count: 0, ...channel });
  navigate(channelPath(channel.id));
}
