/** The right pane with what was pinned in the channel on screen. */
import { changes } from '../changes.js';
import { chat } from '../page_chat_api.js';
import { closePanel, isNarrow } from '../layout.js';
import { togglePin } from '../message_actions.js';
import { t } from '../page_words.js';
import { channelPath, navigate, route } from '../router.js';
import { channels, meet } from '../store.js';
import { html } from './html.js';
import { IconButton } from './icon.js';
import { ListedMessage } from './listed_message.js';
import { useLoaded, Waiting } from './loading.js';
import { channelLabel } from './channel_name.js';

export function PinsPane() {
  const channel = channels.value.get(route.value.channelId);
  const { value, error, reload } = useLoaded(() => load(channel?.id ?? ''), [channel?.id, changes.pins.value, changes.sight.value]);
  if (!channel) return null;
  const items = value?.items ?? [];
  const open = (/** @type {any} */ message) => () => {
    if (isNarrow()) closePanel(); // it would cover what was opened
    navigate(channelPath(message.channel_id, message.seq));
  };
  return html`<aside class="panel" aria-label=${t('pinned_messages')}>
    <header class="top"><h2>${t('pinned')} <small>${channelLabel({ channel })}</small></h2><span class="acts"><${IconButton} icon="x" label=${t('close_the_pinned_messages')} onClick=${closePanel} /></span></header>
    <div class="scroll flush" tabindex="0" role="region" aria-label=${t('pinned_messages')}>
      ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<ol>${items.map((/** @type {any} */ message) => html`<${ListedMessage} key=${message.id} message=${message} open=${open(message)}>
        ${channel.role && html`<button type="button" class="btn small" onClick=${() => void togglePin(message)}>${t('take_the_pin_away')}</button>`}</${ListedMessage}>`)}</ol>
        ${!items.length && html`<p class="page-note">${t('nothing_is_pinned_here_pin_to')}</p>`}`}
    </div>
  </aside>`;
}

/** @param {string} channelId */
async function load(channelId) {
  const page = await chat.pins(channelId);
  const items = page.items.map((/** @type {any} */ entry) => entry.message ?? entry);
  meet(items.map((/** @type {any} */ message) => message.sender));
  return { items: items.map((/** @type {any} */ message) => ({ pinned_at: message.created_at, ...message })) };
}
