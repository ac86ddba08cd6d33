/** Telling others what the assistant answered: a message of one's own, seen as it will stand there before it is sent. */
import { closedSources, plainName, sharedText } from '../citations.js';
import { cleanName } from '../format.js';
import { personName } from '../names.js';
import { notify } from '../notices.js';
import { sendMessage } from '../outbox.js';
import { t } from '../page_words.js';
import { channels, info, viewing } from '../store.js';
import { listText } from '../words.js';
import { ChannelPicker } from './channel_picker.js';
import { Dialog } from './dialog.js';
import { FormError, TextArea } from './field.js';
import { html, useState } from './html.js';
import { channelLabel } from './channel_name.js';

/** @param {any} citation */
function sourceName(citation) {
  const named = (/** @type {string} */ name) => plainName(cleanName(name));
  return citation.kind === 'tool' ? `${named(citation.plugin)} ${named(citation.tool)}` : `${named(personName(citation.sender))}, ${citation.channel_name ? `#${named(citation.channel_name)}` : t('conversation')}`;
}

/** @param {string} source the id of a channel, or the name of a plugin @param {any[]} citations */
function sourceLabel(source, citations) {
  const citation = citations.find(({ channel_id: id }) => id === source);
  return citation ? channelLabel({ channel: channels.value.get(source), name: citation.channel_name }) : cleanName(source);
}

/** @param {{answer:import('../assistant.js').Answer, close:()=>void}} props */
export function ShareAnswer({ answer, close }) {
  const here = channels.value.get(viewing.value.channelId);
  const [chosen, setChosen] = useState(here?.role && !here.archived_at ? here.id : '');
  const [content, setContent] = useState(() => sharedText(answer, sourceName));
  const [error, setError] = useState('');
  const target = channels.value.get(chosen);
  const closed = closedSources(answer.citations, channels.value, chosen).map((source) => sourceLabel(source, answer.citations));
  const most = info.value?.limits?.message_chars ?? 0;
  const share = (/** @type {Event} */ event) => {
    event.preventDefault();
    const words = content.trim();
    if (!target) return setError(t('choose_where_to'));
    if (!words || (most && [...words].length > most)) return setError(words ? t('characters_too_many', { value: [...words].length - most }) : t('write_something_first'));
    sendMessage({ channelId: target.id, content: words, fileIds: [] });
    close();
    return notify(t('the_answer_is_posted_in', { channel: channelLabel({ channel: target }) }));
  };
  return html`<${Dialog} title=${t('share_the_answer')} onClose=${close} class="tall"><form class="dialog-b" onSubmit=${share}>
    <${FormError} error=${error} />
    <${ChannelPicker} name="share" chosen=${chosen} choose=${setChosen} />
    <${TextArea} id="share-words" label=${target ? t('this_is_what_all_in_will_read', { channel: channelLabel({ channel: target }) }) : t('this_is_what_others_will_read')} rows="8" value=${content} onInput=${setContent} />
    ${closed.length > 0 && html`<p class="unsupported" role="note">${t('it_cites_what_not_everyone_may_read', { channels: listText(closed) })}</p>`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('cancel')}</button><button class="btn primary">${t('post_it')}</button></div>
  </form></${Dialog}>`;
}
