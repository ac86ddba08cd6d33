/** What a plugin said to me alone, among the messages. */
import { timeText } from '../clock.js';
import { cleanName } from '../format.js';
import { personName } from '../names.js';
import { attempt } from '../notices.js';
import { plugins } from '../plugin_api.js';
import { t } from '../channel_words.js';
import { Avatar, PersonName } from './avatar.js';
import { Buttons } from './buttons.js';
import { html } from './html.js';
import { Icon } from './icon.js';
import { MessageText } from './message_text.js';
import { Time } from './time.js';

/** @param {{whisper:import('../whispers.js').Whisper}} props */
export function Whisper({ whisper }) {
  return html`<article class="msg is-note" aria-label=${t('name_only_to_you', { name: cleanName(personName(whisper.sender)) })}>
    <${Avatar} user=${whisper.sender} />
    <div class="msg-in"><div class="hd"><${PersonName} user=${whisper.sender} class="by" /><span class="tag"><${Icon} name="eye" small /> ${t('only_you')}</span><${Time} at=${whisper.created_at} text=${timeText} /></div>
      <div class="body"><${MessageText} message=${whisper} /></div>
      <${Buttons} ownerId=${whisper.id} blocks=${whisper.blocks} />
      <button class="dismiss" onClick=${() => void attempt(plugins.dismiss(whisper.id))}>${t('dismiss')}</button></div>
  </article>`;
}
