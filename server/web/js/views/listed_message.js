import { cleanName } from '../format.js';
import { t } from '../page_words.js';
import { channelPath } from '../router.js';
import { channels } from '../store.js';
import { Avatar, PersonName } from './avatar.js';
import { html, useLayoutEffect, useRef } from './html.js';
import { MessageText } from './message_text.js';
import { channelLabel } from './channel_name.js';
import { Time } from './time.js';

/** A message in a list that mixes channels, with a way to where it stands. @param {{message:import('../timeline.js').Message, children?:any, state?:any, open?:()=>void}} props state: beside the heading; open: instead of following the link */
export function ListedMessage({ message, children, state, open }) {
  const words = useRef(/** @type {HTMLElement|null} */ (null));
  // A long one ends in a shade, so that nobody takes its beginning for the whole.
  useLayoutEffect(() => { words.current?.classList.toggle('is-cut', words.current.scrollHeight > words.current.clientHeight + 1); }, [message]);
  const channel = channels.value.get(message.channel_id);
  const onClick = open && ((/** @type {Event} */ event) => { event.preventDefault(); open(); });
  return html`<li class="listed">
    <${Avatar} user=${message.sender} />
    <div class="hit-in"><div class="ctx"><b><bdi>${cleanName(channelLabel({ channel }))}</bdi></b> · <${Time} at=${message.created_at} />${state}</div>
      <div class="hd"><${PersonName} user=${message.sender} class="by" /></div>
      <div class="body listed-b" ref=${words}>${message.deleted_at ? t('this_message_was_deleted') : message.content.trim() ? html`<${MessageText} message=${message} />` : fileText(message)}</div>
      <div class="btns"><a class="btn small" href=${channelPath(message.channel_id, message.seq)} onClick=${onClick}>${t('open')}</a>${children}</div></div>
  </li>`;
}

/** @param {import('../timeline.js').Message} message */
function fileText(message) {
  return message.files?.length ? message.files.map((file) => cleanName(file.filename)).join(', ') : t('a_message_without_words');
}
