import { agoText } from '../clock.js';
import { showThread } from '../layout.js';
import { threads, users } from '../store.js';
import { t } from '../words.js';
import { Avatar } from './avatar.js';
import { html } from './html.js';
import { Icon } from './icon.js';

const MAX_FACES = 3;

/** Below the root of a thread: who answered, how often, when last. @param {{message:import('../timeline.js').Message}} props */
export function ThreadSummary({ message }) {
  const people = (message.participants ?? []).map((id) => users.value.get(id)).filter(Boolean);
  const unread = threads.value.get(message.id)?.unread_count ?? 0;
  return html`<button type="button" class=${unread ? 'thread is-unread' : 'thread'} onClick=${() => showThread(message)}>
    ${people.length ? html`<span class="stack">${people.slice(0, MAX_FACES).map((user) => html`<${Avatar} key=${user?.id} user=${user} size="xs" />`)}</span>` : html`<${Icon} name="thread" small />`}
    <b>${t('replies_count', { count: message.reply_count ?? 0 })}</b>
    ${unread > 0 && html`<span class="pill info">${t('new_2x', { unread })}</span>`}
    <span class="l">${message.last_reply_at ? t('last_reply', { when: agoText(message.last_reply_at) }) : t('open_thread')}</span></button>`;
}
