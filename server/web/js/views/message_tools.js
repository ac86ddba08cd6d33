/** What one can do to a message: a few things at once, the rest in a menu. */
import { markUnread } from '../marks.js';
import { chat } from '../page_chat_api.js';
import { follow } from '../following.js';
import { editing, openDialog, showThread } from '../layout.js';
import { quote, summarize, toggleBookmark, togglePin } from '../message_actions.js';
import { attempt, notify } from '../notices.js';
import { channelPath } from '../router.js';
import { bookmarks, changeEverywhere, channels, info, me, threads } from '../store.js';
import { withoutMessage } from '../timeline.js';
import { t } from '../channel_words.js';
import { html } from './html.js';
import { Icon, IconButton } from './icon.js';
import { Menu } from './menu.js';
import { pickReaction, toggleReaction } from './reactions.js';
import { copyText } from './text.js';

/** @typedef {import('../timeline.js').Message} Message */

/** @param {{message:Message, canWrite:boolean, inThread:boolean}} props */
export function MessageTools({ message, canWrite, inThread }) {
  const saved = bookmarks.value.has(message.id);
  const quick = (/** @type {string} */ code, /** @type {string} */ name) => html`<button type="button" class="icon-btn q" aria-label=${t('react_with', { name })} title=${name} onClick=${() => toggleReaction(message, code)}>${code}</button>`;
  return html`<div class="tools" role="toolbar" aria-label=${t('message_actions')}>
    ${canWrite && html`${quick('👍', t('thumbs_up'))}${quick('👀', 'eyes')}<${IconButton} icon="react" label=${t('add_reaction')} onClick=${(/** @type {any} */ event) => pickReaction(message, event.currentTarget)} />`}
    ${!inThread && html`<${IconButton} icon="thread" label=${t('reply_in_thread')} onClick=${() => showThread(message)} />`}
    <${IconButton} icon="mark" label=${saved ? t('saved_no_longer_save') : t('save')} pressed=${saved} onClick=${() => void toggleBookmark(message)} />
    <${Menu} label=${t('more_actions')} floating items=${menuItems(message, canWrite)}><span class="icon-btn"><${Icon} name="more" /></span></${Menu}>
  </div>`;
}

/** @param {Message} message @param {boolean} canWrite @returns {(import('./menu.js').MenuItem|false)[]} */
function menuItems(message, canWrite) {
  const mine = message.sender_id === me.value?.id;
  const rootId = message.parent_id ?? message.id;
  const isFollowed = threads.value.has(rootId);
  const hasThread = Boolean(message.parent_id || message.reply_count || isFollowed);
  return [
    canWrite && { label: t('quote'), icon: 'quote', act: () => quote(message) },
    { label: t('forward_2'), icon: 'forward', act: () => openDialog('forward', message) },
    canWrite && { label: message.pinned_at ? t('take_the_pin_away') : t('pin_to_the_channel'), icon: 'pin', act: () => void togglePin(message) },
    { label: t('remind_me_2'), icon: 'clock', act: () => openDialog('remind', { message, channel_id: message.channel_id }) },
    canWrite && { label: t('mark_unread_from_here'), icon: 'eye', act: () => void markUnread(message) },
    hasThread && { label: isFollowed ? t('unfollow_the_thread') : t('follow_the_thread'), icon: 'bell', act: () => void attempt(follow(rootId, !isFollowed)) },
    hasThread && info.value?.features?.assistant !== false && { label: t('sum_up_the_thread'), icon: 'spark', act: () => void summarize(t('sum_up_this_thread'), { message_id: rootId }) },
    { label: t('copy_link'), icon: 'link', act: () => void copyText(location.origin + channelPath(message.channel_id, message.seq)) },
    Boolean(message.edited_at) && { label: t('edit_history'), icon: 'list', act: () => openDialog('history', message) },
    mine && canWrite && { label: t('edit_2'), icon: 'edit', act: () => { editing.value = message.id; } },
    // In an archived channel too: what is one's own can always be taken back.
    mine && Boolean(channels.value.get(message.channel_id)?.role) && { label: t('delete'), icon: 'bin', act: () => void remove(message) },
  ];
}

/** @param {Message} message */
async function remove(message) {
  if (!confirm(t('delete_this_message_this_cannot_be'))) return;
  const done = await attempt(chat.remove(message.id).then(() => true));
  if (!done) return;
  changeEverywhere(message.channel_id, (timeline) => withoutMessage(timeline, message.id));
  notify(t('the_message_is_deleted'));
}
