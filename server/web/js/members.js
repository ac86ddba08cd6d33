/** Who is in the channels that are looked at, kept in step with the server. */
import { chat } from './chat_api.js';
import { channels, isConversation, meet, members, myChannels, putChannel, viewing } from './store.js';

/** Direct conversations get their names from their members; past this many, the name the server gives is enough. */
const MAX_NAMED_CONVERSATIONS = 40;

/** Fetches the list unless it is here. @param {string} channelId */
export async function loadMembers(channelId) {
  if (!members.value.has(channelId)) await fetchMembers(channelId);
}

/**
 * Who came and went may have been missed. What is on screen stays there until its new list is here; what is not is fetched
 * when it is looked at.
 */
export function reloadMembers() {
  const conversations = myChannels.value.filter(isConversation).map(({ id }) => id);
  const shown = new Set([...conversations, viewing.value.channelId]);
  members.value = new Map([...members.value].filter(([id]) => shown.has(id)));
  for (const id of new Set([...conversations.slice(0, MAX_NAMED_CONVERSATIONS), ...members.value.keys()])) void fetchMembers(id);
}

/** @param {string} channelId */
async function fetchMembers(channelId) {
  try {
    const list = await chat.members(channelId);
    meet(list.items.map((/** @type {any} */ member) => member.user));
    members.value = new Map(members.value).set(channelId, list.items);
    // Who came or went while this was asked for is in it.
    if (!list.next_cursor && channels.value.has(channelId)) putChannel({ id: channelId, member_count: list.items.length });
  } catch {
    // A channel I may read without belonging to it can keep its members to itself.
  }
}
