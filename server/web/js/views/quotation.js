/** What a message brings with it from another one, and what was done to it: quoted, forwarded, pinned. */
import { chat } from '../chat_api.js';
import { whenText } from '../clock.js';
import { cleanName } from '../clean.js';
import { attempt } from '../notices.js';
import { channelPath, navigate } from '../router.js';
import { bookmarks, channels, timelineOf } from '../store.js';
import { t } from '../words.js';
import { PersonName } from './avatar.js';
import { html } from './html.js';
import { Icon } from './icon.js';
import { channelLabel } from './channel_name.js';
import { PlainWords } from './plain_words.js';
import { Time } from './time.js';

const EXCERPT_CHARACTERS = 280;

/** @typedef {import('../timeline.js').Message} Message */

/** What the message answers, above its words. @param {{message:Pick<Message,'channel_id'|'quoted'|'deleted_at'>}} props */
export function Quoted({ message }) {
  return message.quoted && !message.deleted_at ? html`<${Card} what=${t('quoted')} channelId=${message.channel_id} card=${message.quoted} />` : null;
}

/** What the message gives on, below its words. @param {{message:Message}} props */
export function Forwarded({ message }) {
  return message.forwarded && !message.deleted_at ? html`<${Card} what=${t('forwarded')} channelId=${message.forwarded.channel_id} card=${message.forwarded} named />` : null;
}

/** @param {{what:string, channelId:string, card:any, named?:boolean}} props */
function Card({ what, channelId, card, named = false }) {
  const channel = channelId ? channels.value.get(channelId) : undefined;
  const open = async () => {
    const seq = timelineOf(channelId).items.find(({ id }) => id === card.message_id)?.seq ?? (await attempt(chat.message(card.message_id)))?.seq;
    if (seq) navigate(channelPath(channelId, seq));
  };
  const text = card.is_deleted ? t('this_message_was_deleted') : html`<${PlainWords} text=${card.excerpt ?? card.content} most=${EXCERPT_CHARACTERS} none=${t('a_file')} />`;
  const words = html`<span class="quoted-h"><${Icon} name=${named ? 'forward' : 'quote'} small /><span class="sr">${what}: </span>${card.sender && html`<b><${PersonName} user=${card.sender} /></b>`}
      ${named && channel && html`<span>${t('in')} <bdi>${cleanName(channelLabel({ channel }))}</bdi></span>`}${card.created_at && html`<${Time} at=${card.created_at} text=${whenText} />`}</span>
    <span class="quoted-t" dir="auto">${text}</span>`;
  // A place that I cannot open is no link: the words were given on, the channel was not.
  return channel && card.message_id && !card.is_deleted ? html`<button type="button" class="quoted" onClick=${() => void open()}>${words}</button>` : html`<div class="quoted">${words}</div>`;
}

/** @param {{message:Message}} props */
export function Marks({ message }) {
  const saved = bookmarks.value.has(message.id);
  if (message.deleted_at || (!message.pinned_at && !saved)) return null;
  return html`<div class="marks">${message.pinned_at && html`<span><${Icon} name="pin" small />${t('pinned')}</span>`}${saved && html`<span><${Icon} name="mark" small />${t('saved')}</span>`}</div>`;
}
