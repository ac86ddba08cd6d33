/** What holds for everyone in the channel: who sees it, how long messages stay, its end. */
import { chat } from '../../chat_api.js';
import { isAtLeast } from '../../channel_roles.js';
import { loseSight } from '../../events.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
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
    if (opens && !understood) throw new Error('Confirm that everyone will read the whole history.');
    const changed = await chat.setPrivacy(channel.id, { is_private: !opens, ...(opens ? { share_history: true } : {}) });
    putChannel(changed);
    notify(opens ? 'The channel is open to everyone now.' : 'The channel is private now.');
  };
  return html`<section class="block" aria-label="Who sees it"><div class="block-h"><h2>Who sees it</h2></div>
    <p class="lead">${opens ? 'Only its members know that it exists.' : 'Everyone in this workspace can find, read and join it.'}</p>
    <div class="btns"><button type="button" class="btn" onClick=${() => { setUnderstood(false); setAsking(true); }}>${opens ? 'Open it to everyone…' : 'Make it private…'}</button></div>
    ${asking && html`<${Confirm} title=${opens ? `Open #${cleanName(channel.name)} to everyone?` : `Make #${cleanName(channel.name)} private?`} action=${opens ? 'Open to everyone' : 'Make private'} danger=${opens} run=${flip} close=${() => setAsking(false)}>
      ${opens ? html`<p>Everyone in this workspace can then read all that was ever written here, also by people who trusted that it stays among the members. This cannot be undone for what is read meanwhile.</p>
        <p><${Check} id="share-history" checked=${understood} onChange=${setUnderstood}>Share the whole history</${Check}></p>`
        : html`<p>Its members keep everything. All others lose sight of it at once, and nobody can join without being added.</p>`}</${Confirm}>`}
  </section>`;
}

/** @param {{channel:Channel}} props */
function Retention({ channel }) {
  const { value } = useLoaded(() => chat.retention(channel.id), [channel.id]);
  const days = channel.retention_days;
  const save = (/** @type {any} */ { days: text }) => chat.setRetention(channel.id, text ? Number(text) : null);
  const whole = value?.server_days ? `${value.server_days} days, as in the whole workspace` : 'for ever, as in the whole workspace';
  const help = `Older messages and their files are deleted for good. Empty: ${value ? whole : 'as in the whole workspace'}.`;
  const { values, field, busy, message, onSubmit } = useForm({ days: days ? String(days) : '' }, save, {
    done: (changed) => { putChannel(/** @type {any} */ ({ id: channel.id, retention_days: changed?.days ?? null })); notify(values.days ? `Messages go after ${values.days} days.` : 'Messages stay as long as the workspace keeps them.'); },
  });
  return html`<section class="block" aria-label="How long messages stay"><div class="block-h"><h2>How long messages stay</h2></div><form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('days', 'retention-')} label="Days" type="number" min="1" max="3650" help=${help} />
    <div class="btns"><${Submit} busy=${busy} class="btn">Save</${Submit}></div></form></section>`;
}

/** @param {{channel:Channel}} props */
function Assistant({ channel }) {
  return html`<section class="block" aria-label="Assistant"><div class="block-h"><h2>Assistant</h2></div>
    <${AssistantSwitch} id=${`assistant-${channel.id}`} load=${() => chat.channelAssistant(channel.id)} save=${(/** @type {boolean} */ isOff) => chat.setChannelAssistant(channel.id, isOff)}
      help="Off: what is said here is given to no model, is found by its words only, and nothing is answered from it.">The assistant may read this channel</${AssistantSwitch}></section>`;
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
    if (typed.trim() !== channel.name) throw new Error('That is not the name of the channel.');
    await chat.deleteChannel(channel.id);
    close();
    loseSight(channel.id);
    navigate('/');
  };
  return html`<section class="block" aria-label="Its end"><div class="block-h"><h2>Its end</h2></div>
    <div class="btns"><button type="button" class="btn" onClick=${() => setAsking('archive')}>${channel.archived_at ? 'Take it out of the archive' : 'Archive…'}</button>
      ${isOwner && html`<button type="button" class="btn danger" onClick=${() => { setTyped(''); setAsking('delete'); }}>Delete…</button>`}</div>
    ${asking === 'archive' && html`<${Confirm} title=${channel.archived_at ? 'Take it out of the archive?' : `Archive #${cleanName(channel.name)}?`} action=${channel.archived_at ? 'Take out' : 'Archive'} danger=${!channel.archived_at} run=${archive} close=${() => setAsking('')}>
      <p>${channel.archived_at ? 'Its members can write in it again.' : 'It can be read and searched, and nobody can write in it any more. You can take it out again.'}</p></${Confirm}>`}
    ${asking === 'delete' && html`<${Confirm} title=${`Delete #${cleanName(channel.name)} for good?`} action="Delete for good" run=${remove} close=${() => setAsking('')}>
      <p>All its messages and files are gone for everyone. This cannot be undone.</p><${Field} id="delete-name" label=${`Type “${channel.name}” to confirm`} value=${typed} onInput=${setTyped} autocomplete="off" spellcheck="false" /></${Confirm}>`}
  </section>`;
}
