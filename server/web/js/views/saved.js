/** The messages that I saved. */
import { changes } from '../changes.js';
import { chat } from '../chat_api.js';
import { openDialog } from '../layout.js';
import { toggleBookmark } from '../message_actions.js';
import { t } from '../page_words.js';
import { bookmarks, meet } from '../store.js';
import { html, useEffect, useRef } from './html.js';
import { KeptTabs } from './kept_tabs.js';
import { ListedMessage } from './listed_message.js';
import { PagesEnd, usePages } from './loading.js';
import { Page } from './page.js';

export function SavedPage() {
  const list = usePages(load, `saved ${changes.sight.value}`);
  const seen = useRef(changes.bookmarks.value);
  const { value: turn } = changes.bookmarks;
  useEffect(() => {
    if (turn === seen.current) return;
    seen.current = turn;
    // What was taken away here is gone at once; what another device saved is asked for.
    if ([...bookmarks.value].some((id) => !list.items.some((entry) => entry.id === id))) void list.reload();
    else list.change((items) => items.filter((entry) => bookmarks.value.has(entry.id)));
  }, [turn]);
  return html`<${Page} title=${t('saved')} lead=${t('messages_that_you_want_to_find')} nav=${html`<${KeptTabs} />`}>
    <ol aria-label=${t('saved_messages')}>${list.items.map((message) => html`<${ListedMessage} key=${message.id} message=${message}>
      <button type="button" class="btn small" onClick=${() => openDialog('remind', { message, channel_id: message.channel_id })}>${t('remind_me')}</button>
      <button type="button" class="btn small" onClick=${() => void toggleBookmark(message)}>${t('no_longer_save')}</button></${ListedMessage}>`)}</ol>
    <${PagesEnd} list=${list} none=${t('you_have_saved_nothing_yet_save')} />
  </${Page}>`;
}

/** @param {string|null} cursor */
async function load(cursor) {
  const page = await chat.bookmarks({ cursor, limit: 50 });
  const items = page.items.map((/** @type {any} */ entry) => entry.message);
  meet(items.map((/** @type {any} */ message) => message.sender));
  bookmarks.value = new Set([...bookmarks.value, ...items.map((/** @type {any} */ message) => message.id)]);
  return { ...page, items };
}
