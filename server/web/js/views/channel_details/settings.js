/** What holds for everyone in the channel: who sees it, how long messages stay, its end. */
import { chat } from '../../page_chat_api.js';
import { isAtLeast } from '../../channel_roles.js';
import { loseSight } from '../../events.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { navigate } from '../../router.js';
import { putChannel } from '../../store.js';
import { AssistantSwitch } from '../assistant_switch.js';
import { Confirm } from '../dialog.js';
import { Check, Field, FormError } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded } from '../loading.js';

/** @typedef {import('../../store.js').Channel & {retention_days?:number|null}} Channel */

/** @param {{channel:Channel, close:()=>void}} props */
export function Settings({ channel, close }) {
  const isOwner = channel.role === 'owner';
  return html`${isOwner && channel.kind !== 'voice' && html`<${Privacy} channel=${channel} />`}
    ${isAtLeast(channel.role, 'admin') && html`<${Retention} channel=${channel} />`}
    ${isAtLeast(channel.role, 'admin') && html`<${Assistant} channel=${channel} />`}
    <${Ending} channel=${channel} isOwner=${isOwner} close=${close} />`;
}

/** @param {{channel:Channel}} props */
function Privacy({ channel }) {
  const [asking, setAsking] = useState(false);
  const [understood, setUnderstood] = useState(false);
  const opens = channel.kind === 'private';
  const flip = async () => {
    if (opens && !understood) throw new Error(t('confirm_that_everyone_will_read_the'));
    const changed = await chat.setPrivacy(channel.id, { is_private: !opens, ...(opens ? { share_history: true } : {}) });
    putChannel(changed);
    notify(opens ? t('the_channel_is_open_to_everyone') : t('the_channel_is_private_now'));
  };
  return html`<section class="block" aria-label=${t('who_sees_it')}><div class="block-h"><h2>${t('who_sees_it')}</h2></div>
    <p class="lead">${opens ? t('only_its_members_know_that_it') : t('everyone_in_this_workspace_can_find')}</p>
    <div class="btns"><button type="button" class="btn" onClick=${() => { setUnderstood(false); setAsking(true); }}>${opens ? t('open_it_to_everyone') : t('make_it_private')}</button></div>
    ${asking && html`<${Confirm} title=${opens ? t('open_to_everyone_2', { name: cleanName(channel.name) }) : t('make_private_2', { name: cleanName(channel.name) })} action=${opens ? t('open_to_everyone') : t('make_private')} danger=${opens} run=${flip} close=${() => setAsking(false)}>
      ${opens ? html`<p>${t('everyone_in_this_workspace_can_then')}</p>
        <p><${Check} id="share-history" checked=${understood} onChange=${setUnderstood}>${t('share_the_whole_history')}</${Check}></p>`
        : html`<p>${t('its_members_keep_everything_all_others')}</p>`}</${Confirm}>`}
  </section>`;
}

/** @param {{channel:Channel}} props */
function Retention({ channel }) {
  const { value } = useLoaded(() => chat.retention(channel.id), [channel.id]);
  const days = channel.retention_days;
  const save = (/** @type {any} */ { days: text }) => chat.setRetention(channel.id, text ? Number(text) : null);
  const whole = !value ? t('as_in_the_whole_workspace') : value.server_days ? t('retention_days', { count: value.server_days }) : t('for_ever_as_in_the_whole');
  const help = t('retention_help', { whole });
  const { values, field, busy, message, onSubmit } = useForm({ days: days ? String(days) : '' }, save, {
    done: (changed) => { putChannel(/** @type {any} */ ({ id: channel.id, retention_days: changed?.days ?? null })); notify(values.days ? t('messages_go_after_days_2', { days: values.days }) : t('messages_stay_as_long_as_the')); },
  });
  return html`<section class="block" aria-label=${t('how_long_messages_stay')}><div class="block-h"><h2>${t('how_long_messages_stay')}</h2></div><form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('days', 'retention-')} label=${t('days')} type="number" min="1" max="3650" help=${help} />
    <div class="btns"><${Submit} busy=${busy} class="btn">${t('save')}</${Submit}></div></form></section>`;
}

/** @param {{channel:Channel}} props */
function Assistant({ channel }) {
  return html`<section class="block" aria-label=${t('assistant')}><div class="block-h"><h2>${t('assistant')}</h2></div>
    <${AssistantSwitch} id=${`assistant-${channel.id}`} load=${() => chat.channelAssistant(channel.id)} save=${(/** @type {boolean} */ isOff) => chat.setChannelAssistant(channel.id, isOff)}
      help=${t('channel_assistant_help')}>${t('the_assistant_may_read_this_channel')}</${AssistantSwitch}></section>`;
}

/** @param {{channel:Channel, isOwner:boolean, close:()=>void}} props */
function Ending({ channel, isOwner, close }) {
  const [asking, setAsking] = useState(/** @type {''|'archive'|'delete'} */ (''));
  const [typed, setTyped] = useState('');
  const archive = async () => {
    const changed = await (channel.archived_at ? chat.unarchive(channel.id) : chat.archive(channel.id));
    putChannel(changed?.id ? changed : { id: channel.id, archived_at: channel.archived_at ? null : new Date().toISOString() });
  };
  const remove = async () => {
    if (typed.trim() !== channel.name) throw new Error(t('that_is_not_the_name_of'));
    await chat.deleteChannel(channel.id);
    close();
    loseSight(channel.id);
    navigate('/');
  };
  return html`<section class="block" aria-label=${t('its_end')}><div class="block-h"><h2>${t('its_end')}</h2></div>
    <div class="btns"><button type="button" class="btn" onClick=${() => setAsking('archive')}>${channel.archived_at ? t('take_it_out_of_the_archive_2') : t('archive_2x')}</button>
      ${isOwner && html`<button type="button" class="btn danger" onClick=${() => { setTyped(''); setAsking('delete'); }}>${t('delete_2x')}</button>`}</div>
    ${asking === 'archive' && html`<${Confirm} title=${channel.archived_at ? t('take_it_out_of_the_archive') : t('archive_2', { name: cleanName(channel.name) })} action=${channel.archived_at ? t('take_out') : t('archive')} danger=${!channel.archived_at} run=${archive} close=${() => setAsking('')}>
      <p>${channel.archived_at ? t('its_members_can_write_in_it') : t('it_can_be_read_and_searched')}</p></${Confirm}>`}
    ${asking === 'delete' && html`<${Confirm} title=${t('delete_for_good_2', { name: cleanName(channel.name) })} action=${t('delete_for_good')} run=${remove} close=${() => setAsking('')}>
      <p>${t('all_its_messages_and_files_are')}</p><${Field} id="delete-name" label=${t('type_to_confirm', { name: channel.name })} value=${typed} onInput=${setTyped} autocomplete="off" spellcheck="false" /></${Confirm}>`}
  </section>`;
}
