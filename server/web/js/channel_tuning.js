/** How I keep a channel: starred, muted, how loud. */
import { chat } from './chat_api.js';
import { tuned } from './events.js';
import { notify } from './notices.js';
import { channels } from './store.js';
import { t } from './words.js';

/** @typedef {import('./store.js').Channel} Channel */

/** @type {[string, string][]} */
export const LEVELS = [['default', t('as_in_my_preferences')], ['all', t('every_message')], ['mentions', t('mentions_and_words_i_watch')], ['nothing', t('nothing')]];

/** Shown at once; taken back if the server refuses. @param {Channel} channel @param {{starred?:boolean, muted?:boolean, notification_level?:string}} change */
export async function tune(channel, change) {
  const before = Object.fromEntries(Object.keys(change).map((name) => [name, /** @type {any} */ (channel)[name]]));
  tuned({ channel_id: channel.id, ...change });
  try {
    const { starred, muted, notification_level: level } = await chat.setChannelPreferences(channel.id, change);
    if (channels.value.has(channel.id)) tuned({ channel_id: channel.id, starred, muted, notification_level: level });
  } catch (error) {
    tuned({ channel_id: channel.id, ...before });
    notify(/** @type {Error} */ (error).message, { bad: true });
  }
}
