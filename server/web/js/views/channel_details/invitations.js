/** Codes that let people into the channel. */
import { joinAddress } from '../../channel_code.js';
import { chat } from '../../chat_api.js';
import { fullText, shortText } from '../../clock.js';
import { notify } from '../../notices.js';
import { Choice, Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Secret } from '../secret.js';

/** @type {[string, string][]} */
const ROLES = [['member', 'Member'], ['guest', 'Guest: reads and writes, invites nobody']];

/** @param {{channel:import('../../store.js').Channel}} props */
export function ChannelInvitations({ channel }) {
  const { value, error, reload } = useLoaded(() => chat.channelInvitations(channel.id), [channel.id]);
  const revoke = async (/** @type {any} */ { id }) => {
    await chat.revokeChannelInvitation(channel.id, id);
    await reload();
    notify('That code no longer works.');
  };
  const items = value?.items ?? [];
  return html`<${NewCode} channel=${channel} made=${reload} />
    <h3 class="src-h">Codes in use</h3>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : items.length ? html`<ul class="pick">${items.map((/** @type {any} */ row) => html`<li key=${row.id}><span class="pick-t wraps"><b>${row.role ?? 'member'}, ${row.uses_left === null || row.uses_left === undefined ? t('uses_any') : t('uses_left', { count: row.uses_left })}</b>
        <small>${row.expires_at ? html`ends <time datetime=${row.expires_at} title=${fullText(row.expires_at)}>${shortText(row.expires_at)}</time>` : 'does not end'}</small></span>
      <${Action} class="btn small danger" label=${`Revoke the code for ${row.role ?? 'members'}`} run=${() => revoke(row)}>Revoke</${Action}></li>`)}</ul>` : html`<p class="lead">There is none.</p>`}`;
}

/** @param {{channel:import('../../store.js').Channel, made:()=>Promise<void>}} props */
function NewCode({ channel, made }) {
  const [invitation, setInvitation] = useState(/** @type {any} */ (null));
  const invite = (/** @type {any} */ { role, max_uses: uses, expires_in_hours: hours }) => chat.inviteToChannel(channel.id, { role, max_uses: Number(uses), expires_in_hours: Number(hours) });
  const { field, busy, message, onSubmit } = useForm({ role: 'member', max_uses: '10', expires_in_hours: '72' }, invite, { done: (answer) => { setInvitation(answer); void made(); } });
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <p class="lead">Whoever has an account here and the code comes into the channel.</p>
    <${Choice} ...${field('role', 'code-')} label="As" options=${ROLES} />
    <div class="two"><${Field} ...${field('max_uses', 'code-')} label="How many people" type="number" min="1" max="1000" required />
      <${Field} ...${field('expires_in_hours', 'code-')} label="Valid for (hours)" type="number" min="1" max="720" required /></div>
    ${invitation && html`<div class="once" role="status"><${Secret} id="channel-link" label="Link" value=${joinAddress(invitation.code)} /><${Secret} id="channel-code" label="Or the code alone" value=${invitation.code} help="Both are shown only now." /></div>`}
    <div class="btns"><${Submit} busy=${busy} class=${invitation ? 'btn' : 'btn primary'}>${invitation ? 'Make another' : 'Make a code'}</${Submit}></div>
  </form>`;
}
