/** The right pane with what waits for my attention. */
import { readNotifications } from '../attention.js';
import { changes } from '../changes.js';
import { chat } from '../chat_api.js';
import { whenText } from '../clock.js';
import { clean, cleanName, plainWords } from '../format.js';
import { countText, meansMe, mergedNotifications, reasonText } from '../inbox.js';
import { closePanel, isNarrow } from '../layout.js';
import { attempt } from '../notices.js';
import { t } from '../page_words.js';
import { channelPath, laterPath } from '../router.js';
import { channels, inbox, info, meet } from '../store.js';
import { Avatar, PersonName } from './avatar.js';
import { Action } from './form.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { PagesEnd, usePages } from './loading.js';
import { summarize } from '../message_actions.js';
import { channelLabel } from './channel_name.js';
import { Time } from './time.js';

const PAGE = 30;
const EXCERPT_CHARACTERS = 240;

/** @param {{mentions?:boolean}} props mentions: only what means me */
export function InboxPane({ mentions = false }) {
  const [unreadOnly, setUnreadOnly] = useState(false);
  const list = usePages((cursor) => load(unreadOnly, cursor), `${unreadOnly} ${changes.sight.value}`);
  const { unread: all, arrivals, waiting } = inbox.value;
  const unread = mentions ? waiting.filter(meansMe).length : all;
  const shown = mentions ? list.items.filter(meansMe) : list.items;
  const known = useRef(arrivals);
  useEffect(() => {
    if (known.current === arrivals) return;
    known.current = arrivals;
    // Only the newest page: what was scrolled to further down stays.
    load(unreadOnly, null).then((page) => list.change((items) => mergedNotifications(items, page.items)), () => {});
  }, [arrivals]);
  return html`<aside class="panel" aria-label=${mentions ? t('mentions') : t('inbox')}>
    <header class="top"><h2>${mentions ? t('mentions') : t('inbox')} <small>${unread ? t('unread_count', { count: countText(unread) }) : t('all_read')}</small></h2><span class="acts"><${IconButton} icon="x" label=${mentions ? t('close_the_mentions') : t('close_the_inbox')} onClick=${closePanel} /></span></header>
    <div class="inbox-bar"><button type="button" class="chip" aria-pressed=${unreadOnly} onClick=${() => setUnreadOnly(!unreadOnly)}>${t('unread_only')}</button>
      ${!mentions && info.value?.features?.assistant !== false && html`<button type="button" class="chip" onClick=${() => void summarize(t('sum_up_what_i_have_not_read'), {})}><${Icon} name="spark" small /> ${t('sum_up_the_unread_2')}</button>`}
      ${unread > 0 && html`<${Action} class="btn small" run=${() => readNotifications(mentions ? waiting.filter(meansMe).map(({ id }) => id) : null).then(list.reload)}>${t('mark_all_read')}</${Action}>`}</div>
    <div class="scroll flush" tabindex="0" role="region" aria-label=${t('notifications')}>
      <ol>${shown.map((item) => html`<${Notification} key=${item.id} item=${item} />`)}</ol>
      <${PagesEnd} list=${list} none=${unreadOnly ? t('nothing_is_unread') : t('nobody_has_mentioned_you_written_to')} />
      ${mentions && !shown.length && list.items.length > 0 && !list.busy && html`<p class="page-note" role="status">${list.cursor ? t('none_of_the_newest_notifications_mentions') : t('nobody_has_mentioned_you_yet')}</p>`}
    </div>
  </aside>`;
}

/** @param {boolean} unreadOnly @param {string|null} cursor */
async function load(unreadOnly, cursor) {
  const page = await chat.notifications({ unread: unreadOnly ? 'true' : '', cursor, limit: PAGE });
  meet(page.items.map((/** @type {any} */ item) => item.message?.sender));
  return page;
}

/** @param {{item:any}} props */
function Notification({ item: { id, kind, message, text, created_at: at, read_at: readAt } }) {
  const unread = !readAt && !inbox.value.read.has(id);
  const channel = message && channels.value.get(message.channel_id);
  // Between two it needs no saying where.
  const where = message && channel?.kind !== 'direct' && html` ${t('in_place', { place: html`<b><bdi>${cleanName(channelLabel({ channel }))}</bdi></b>` })}`;
  const open = () => {
    if (unread) void attempt(readNotifications([id]));
    if (isNarrow()) closePanel(); // it would cover what was opened
  };
  const isReminder = kind === 'reminder';
  return html`<li><a class=${unread ? 'notification is-unread' : 'notification'} href=${message ? channelPath(message.channel_id, message.seq) : laterPath()} onClick=${open}>
    ${isReminder ? html`<span class="av sm app" aria-hidden="true"><${Icon} name="clock" /></span>` : html`<${Avatar} user=${message?.sender} size="sm" />`}
    <span class="notification-t"><span class="why">${isReminder ? reasonText(kind) : html`<b><${PersonName} user=${message?.sender} /></b> ${reasonText(kind)}`}${where}</span>
      <span class="said" dir="auto">${text ? clean(text).slice(0, EXCERPT_CHARACTERS) : message ? excerpt(message) : ''}</span><${Time} at=${at} text=${whenText} /></span>
    ${unread && html`<span class="pip"></span><span class="sr">${t('unread')}</span>`}
  </a></li>`;
}

/** @param {import('../timeline.js').Message} message */
function excerpt(message) {
  if (message.deleted_at) return t('this_message_was_deleted');
  return plainWords(message.content).slice(0, EXCERPT_CHARACTERS) || t('a_file');
}
