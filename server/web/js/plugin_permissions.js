/** What a plugin may do, in a few words. */
import { t } from './page_words.js';

/** The word of each permission in manifests (plugins/host/src/permission.rs), and its key in the catalogue. @type {Record<string, string>} */
const KEYS = {
  'messages.read': 'may_read_messages', 'messages.post': 'may_post_messages', 'messages.edit-own': 'may_edit_own_messages', 'messages.direct': 'may_write_to_people',
  'reactions.use': 'may_react', 'users.read': 'may_look_up_names', storage: 'may_keep_data', 'channels.create': 'may_make_channels', 'search.use': 'may_search',
  'timers.use': 'may_use_timers', 'http.fetch': 'may_call_addresses', 'assistant.tools': 'may_offer_tools', 'assistant.summarize': 'may_have_summed_up', 'webhooks.take': 'may_take_webhooks',
};

/** Events of one subject are one thing to whoever reads the list. @param {string} permission */
function keyOf(permission) {
  const [, subject] = /^events\.(message|reaction|member|channel)-/.exec(permission) ?? [];
  return subject ? { message: 'may_hear_messages', reaction: 'may_hear_reactions', member: 'may_hear_members', channel: 'may_hear_channels' }[subject] : KEYS[permission];
}

/** Each once; what no catalogue knows stands as the manifest has it. @param {{grants:string[], origins?:string[]}} plugin */
export function permissionsText({ grants, origins = [] }) {
  const hosts = origins.map((origin) => origin.replace(/^https?:\/\//, '')).join(', ');
  const words = grants.map((grant) => {
    const key = keyOf(grant);
    return key === 'may_call_addresses' && hosts ? t('may_call_hosts', { hosts }) : key ? t(key) : grant;
  });
  return [...new Set(words)].join(', ');
}
