/** The threads that I follow, the one with the newest reply first. */
import { whenText } from '../clock.js';
import { follow, loadThreads } from '../following.js';
import { showThread } from '../layout.js';
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
  return html`<${Page} title="Threads" lead="Conversations under messages that you follow. Writing in one, or being mentioned in it, follows it."
      actions=${html`<button type="button" class="chip" aria-pressed=${unreadOnly} onClick=${() => setUnreadOnly(!unreadOnly)}>Unread only</button>`}>
    <ol aria-label="Threads">${shown.map((followed) => html`<${Thread} key=${followed.message.id} followed=${followed} />`)}</ol>
    ${!shown.length && html`<p class="page-note" role="status">${busy ? 'Loading…' : unreadOnly ? 'Nothing is unread.' : 'You follow no thread yet.'}</p>`}
  </${Page}>`;
}

/** @param {{followed:import('../threads.js').Followed}} props */
function Thread({ followed: { message, unread_count: unread, mention_count: mentions, last_reply_at: last } }) {
  const open = () => { navigate(channelPath(message.channel_id, message.seq)); showThread(message); };
  const replies = message.reply_count ?? 0;
  return html`<${ListedMessage} message=${message} open=${open} state=${html`${unread > 0 && html` <span class="pill info">${unread} new</span>`}${mentions > 0 && html` <span class="pill warn">mentions you</span>`}`}>
    <${Action} class="btn small" run=${() => follow(message.id, false)}>Unfollow</${Action}>
    <span class="dim">${t('replies_count', { count: replies })}${last ? `, ${t('last_when', { when: whenText(last) })}` : ''}</span></${ListedMessage}>`;
}
