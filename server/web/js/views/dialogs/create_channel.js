import { chat } from '../../page_chat_api.js';
import { dialog } from '../../layout.js';
import { t } from '../../page_words.js';
import { may } from '../../permissions.js';
import { channelPath, navigate } from '../../router.js';
import { me, putChannel } from '../../store.js';
import { Dialog } from '../dialog.js';
import { Check, Field, FormError } from '../field.js';
import { html, useState } from '../html.js';

export function CreateChannel() {
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [isPrivate, setPrivate] = useState(!may(me.value, 'channels.create'));
  const [isVoice, setVoice] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const create = async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      const body = { name: name.trim(), kind: isVoice ? 'voice' : isPrivate ? 'private' : 'public', ...(description.trim() ? { description: description.trim() } : {}) };
      const channel = await chat.createChannel(body);
      putChannel({ role: 'owner', read_seq: 0, unread_count: 0, mention_count: 0, ...channel });
      dialog.value = '';
      navigate(channelPath(channel.id));
    } catch (failure) {
      setError(failure);
    }
  };
  return html`<${Dialog} title=${t('create_a_channel')}><form class="dialog-b" onSubmit=${create}>
    <${FormError} error=${error?.message ?? ''} />
    <${Field} id="channel-name" label=${t('name')} value=${name} onInput=${(/** @type {string} */ value) => setName(value.toLowerCase().replace(/\s/g, '-'))} error=${error?.fields?.name} required maxlength="80" autofocus autocomplete="off" help=${t('short_and_plain_such_as_release')} />
    <${Field} id="channel-description" label=${t('what_it_is_about_optional')} value=${description} onInput=${setDescription} error=${error?.fields?.description} maxlength="250" autocomplete="off" />
    ${may(me.value, 'channels.create') && html`<${Check} checked=${isVoice} onChange=${setVoice}>${t('voice_a_place_to_talk_aloud')}</${Check}>`}
    ${may(me.value, 'channels.create') && may(me.value, 'channels.create_private') && !isVoice && html`<${Check} checked=${isPrivate} onChange=${setPrivate}>${t('private_only_people_who_are_added')}</${Check}>`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${() => { dialog.value = ''; }}>${t('cancel')}</button><button class="btn primary">${t('create_channel')}</button></div>
  </form></${Dialog}>`;
}
