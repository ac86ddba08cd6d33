/** Messages that are not in the channel: mine on their way, and notes that only I see. */
import { timeText } from '../clock.js';
import { discard, retry } from '../outbox.js';
import { changeTimeline, me } from '../store.js';
import { t } from '../channel_words.js';
import { Avatar, PersonName } from './avatar.js';
import { html } from './html.js';
import { Icon } from './icon.js';
import { lazy } from './lazy.js';
import { Quoted } from './quotation.js';
import { FormattedText } from './text.js';
import { Time } from './time.js';

const Whisper = lazy(() => import('./whisper.js'), 'Whisper', { quiet: true, inChannel: true });

/** @param {{pending:import('../timeline.js').Pending}} props */
export function PendingMessage({ pending }) {
  const failed = pending.state === 'failed';
  return html`<article class=${failed ? 'msg is-failed' : 'msg is-pending'} aria-label=${failed ? t('your_message_not_sent') : t('your_message_being_sent')}>
    <${Avatar} user=${me.value} />
    <div class="msg-in"><div class="hd"><${PersonName} user=${me.value} class="by" /><${Time} at=${pending.created_at} text=${timeText} /></div>
      <${Quoted} message=${pending} />
      <div class="body"><${FormattedText} text=${pending.content} />${pending.file_ids && html`<p>${t('files_count', { count: pending.file_ids.length })}</p>`}</div>
      ${failed && html`<div class="fail" role="alert">${!pending.offline ? t('not_sent', { value: pending.error ?? '' }) : pending.error ? t('not_sent_yet', { value: pending.error }) : t('not_sent_no_connection_it_goes')}
        <button onClick=${() => retry(pending)}>${t('try_again')}</button><button onClick=${() => discard(pending)}>${t('discard')}</button></div>`}
    </div>
  </article>`;
}

/** @param {{note:import('../timeline.js').Note, channelId:string}} props */
export function PrivateNote({ note, channelId }) {
  if (note.whisper) return html`<${Whisper} whisper=${note.whisper} />`;
  const hide = () => changeTimeline(channelId, (timeline) => ({ ...timeline, notes: timeline.notes.filter((known) => known.id !== note.id) }));
  return html`<article class="msg is-note" aria-label=${t('note_only_you_can_see')}>
    <span class="av app" aria-hidden="true"><${Icon} name="slash" /></span>
    <div class="msg-in"><div class="hd"><span class="by">/${note.command.replace(/^\//, '')}</span><span class="tag"><${Icon} name="eye" small /> ${t('only_you')}</span><${Time} at=${note.created_at} text=${timeText} /></div>
      <div class="body"><${FormattedText} text=${note.content} /></div>
      <button class="dismiss" onClick=${hide}>${t('dismiss')}</button></div>
  </article>`;
}
