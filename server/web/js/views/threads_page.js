/** The threads that I follow, the one with the newest reply first. */
import { whenText } from '../clock.js';
import { follow, loadThreads } from '../following.js';
import { showThread } from '../layout.js';
import { t } from '../page_words.js';
import { channelPath, navigate } from '../router.js';
import { threads } from '../store.js';
import { orderedThreads } from '../threads.js';
import { Action } from './form.js';
import { html, useEffect, useState } from './html.js';
import { ListedMessage } from './listed_message.js';
import { Page } from './page.js';

export function ThreadsPage() {
  const [unreadOnly, setUnreadOnly] = useState(false);
  const [busy, setBusy] = useState(!threads.value.size);
  useEffect(() => void loadThreads().then(() => setBusy(false)), []);
  const shown = orderedThreads(threads.value).filter(({ unread_count: unread }) => !unreadOnly || unread > 0);
  return html`<${Page} title=${t('threads')} lead=${t('conversations_under_messages_that_you_follow')}
      actions=${html`<button type="button" class="chip" aria-pressed=${unreadOnly} onClick=${() => setUnreadOnly(!unreadOnly)}>${t('unread_only')}</button>`}>
    <ol aria-label=${t('threads')}>${shown.map((followed) => html`<${Thread} key=${followed.message.id} followed=${followed} />`)}</ol>
    ${!shown.length && html`<p class="page-note" role="status">${busy ? t('loading') : unreadOnly ? t('nothing_is_unread') : t('you_follow_no_thread_yet')}</p>`}
  </${Page}>`;
}

/** @param {{followed:import('../threads.js').Followed}} props */
function Thread({ followed: { message, unread_count: unread, mention_count: mentions, last_reply_at: last } }) {
  const open = () => { navigate(channelPath(message.channel_id, message.seq)); showThread(message); };
  const replies = message.reply_count ?? 0;
  return html`<${ListedMessage} message=${message} open=${open} state=${html`${unread > 0 && html` <span class="pill info">${t('new_2x', { unread })}</span>`}${mentions > 0 && html` <span class="pill warn">${t('mentions_you_2')}</span>`}`}>
    <${Action} class="btn small" run=${() => follow(message.id, false)}>${t('unfollow')}</${Action}>
    <span class="dim">${t('replies_count', { count: replies })}${last ? `, ${t('last_when', { when: whenText(last) })}` : ''}</span></${ListedMessage}>`;
}
