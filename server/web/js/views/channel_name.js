/** What a channel is called, and its sign. */
import { channelTitle } from '../names.js';
import { isConversation } from '../store.js';
import { t } from '../words.js';
import { html } from './html.js';
import { Icon } from './icon.js';

/** @param {{channel:import('../store.js').Channel}} props */
export function ChannelIcon({ channel }) {
  if (isConversation(channel)) return html`<${Icon} name=${channel.kind === 'group' ? 'users' : 'at'} />`;
  return html`<${Icon} name=${channel.kind === 'private' ? 'lock' : channel.kind === 'voice' ? 'wave' : 'hash'} />`;
}

/** "#general", or the names of a conversation. @param {{channel:import('../store.js').Channel|undefined, name?:string}} props */
export function channelLabel({ channel, name = '' }) {
  if (!channel) return name ? `#${name}` : t('a_channel');
  return isConversation(channel) ? channelTitle(channel) : `#${channel.name}`;
}
