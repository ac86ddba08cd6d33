/** What a plugin may do, in a few words and in a sentence each, and how far it reads. */
import { t } from './page_words.js';

/** The word of each permission in manifests (plugins/host/src/permission.rs), and its key in the catalogue. @type {Record<string, string>} */
const KEYS = {
  'messages.read': 'may_read_messages', 'messages.post': 'may_post_messages', 'messages.edit-own': 'may_edit_own_messages', 'messages.direct': 'may_write_to_people',
  'reactions.use': 'may_react', 'users.read': 'may_look_up_names', storage: 'may_keep_data', 'channels.create': 'may_make_channels', 'search.use': 'may_search',
  'timers.use': 'may_use_timers', 'http.fetch': 'may_call_addresses', 'assistant.tools': 'may_offer_tools', 'assistant.summarize': 'may_have_summed_up', 'webhooks.take': 'may_take_webhooks',
  'channels.public': 'may_read_public_channels', 'channels.all': 'may_read_all_channels',
};

/** Events of one subject are one thing to whoever reads the list. @param {string} permission */
function keyOf(permission) {
  const [, subject] = /^events\.(message|reaction|member|channel)-/.exec(permission) ?? [];
  return subject ? { message: 'may_hear_messages', reaction: 'may_hear_reactions', member: 'may_hear_members', channel: 'may_hear_channels' }[subject] : KEYS[permission];
}

/** Each once; what no catalogue knows stands as the manifest has it. @param {{grants:string[], origins?:string[]}} plugin */
export function permissionsText({ grants, origins = [] }) {
  const hosts = origins.map((origin) => origin.replace(/^https?:\/\//, '')).join(', ');
  // Who reads every channel reads the public ones too.
  const told = grants.includes('channels.all') ? grants.filter((grant) => grant !== 'channels.public') : grants;
  const words = told.map((grant) => {
    const key = keyOf(grant);
    return key === 'may_call_addresses' && hosts ? t('may_call_hosts', { hosts }) : key ? t(key) : grant;
  });
  return [...new Set(words)].join(', ');
}

/** The sentence of each permission, by the name that the server gives it. */
export const SENTENCES = new Map([
  ['messages.read', 'fetch_messages_of_channels_that_it'], ['messages.post', 'write_messages_as_its_bot'], ['messages.edit-own', 'edit_and_delete_its_bots_own'],
  ['reactions.use', 'add_and_remove_reactions_as_its'], ['users.read', 'look_up_the_names_of_users'], ['storage', 'keep_data_of_its_own_on'],
  ['messages.direct', 'write_to_people_in_direct_conversations'], ['channels.create', 'make_channels_and_bring_people_into'], ['search.use', 'find_messages_of_channels_that_it'],
  ['timers.use', 'be_called_at_times_that_it'], ['http.fetch', 'call_the_addresses_on_the_internet'], ['assistant.tools', 'offer_tools_to_the_assistant'],
  ['assistant.summarize', 'have_the_assistant_sum_up_for'], ['webhooks.take', 'be_called_by_other_programs_that'],
  ['channels.public', 'read_every_public_channel_also_where'], ['channels.all', 'read_every_channel_private_ones_and'],
  ['events.message-posted', 'be_told_of_new_messages_with'], ['events.message-edited', 'be_told_of_edited_messages_with'], ['events.message-deleted', 'be_told_of_deleted_messages'],
  ['events.reaction-added', 'be_told_of_reactions_that_are_added'], ['events.reaction-removed', 'be_told_of_reactions_that_are_taken'],
  ['events.member-joined', 'be_told_who_joins_a_channel'], ['events.member-left', 'be_told_who_leaves_a_channel'], ['events.channel-created', 'be_told_of_new_channels'],
]);

/** @param {{name:string, description:string}} permission a newer server may have one that this page does not know */
export function permissionSentence({ name, description }) {
  const key = SENTENCES.get(name);
  return key ? t(key) : description;
}

/** What is ticked before an administrator decides: all but reading everywhere, which nobody shall grant in passing. @param {string[]} names */
export const tickedAtFirst = (names) => names.filter((name) => name !== 'channels.all');

/** What a plugin reads beyond the channels of its bot: nothing, every public channel, or every channel. @param {{asks:{name:string}[], grants:string[]}} plugin @returns {''|'public'|'all'} */
export function reachOf({ asks, grants }) {
  // An older version may have been granted what this one does not ask for.
  const has = (/** @type {string} */ name) => grants.includes(name) && asks.some((ask) => ask.name === name);
  if (has('channels.all')) return 'all';
  return has('channels.public') ? 'public' : '';
}
