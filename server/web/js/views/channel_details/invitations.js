/** Codes that let people into the channel. */
import { joinAddress } from '../../channel_code.js';
import { chat } from '../../page_chat_api.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { Choice, Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Secret } from '../secret.js';
import { Time } from '../time.js';

/** @type {[string, string][]} */
const ROLES = [['member', t('member')], ['guest', t('guest_reads_and_writes_invites_nobody')]];

/** @param {{channel:import('../../store.js').Channel}} props */
export function ChannelInvitations({ channel }) {
  const { value, error, reload } = useLoaded(() => chat.channelInvitations(channel.id), [channel.id]);
  const revoke = async (/** @type {any} */ { id }) => {
    await chat.revokeChannelInvitation(channel.id, id);
    await reload();
    notify(t('that_code_no_longer_works'));
  };
  const items = value?.items ?? [];
  return html`<${NewCode} channel=${channel} made=${reload} />
    <h3 class="src-h">${t('codes_in_use')}</h3>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : items.length ? html`<ul class="pick">${items.map((/** @type {any} */ row) => html`<li key=${row.id}><span class="pick-t wraps"><b>${row.role ?? 'member'}, ${row.uses_left === null || row.uses_left === undefined ? t('uses_any') : t('uses_left', { count: row.uses_left })}</b>
        <small>${row.expires_at ? html`${t('ends_2')} <${Time} at=${row.expires_at} />` : t('does_not_end')}</small></span>
      <${Action} class="btn small danger" label=${t('revoke_the_code_for', { value: row.role ?? 'members' })} run=${() => revoke(row)}>${t('revoke')}</${Action}></li>`)}</ul>` : html`<p class="lead">${t('there_is_none')}</p>`}`;
}

/** @param {{channel:import('../../store.js').Channel, made:()=>Promise<void>}} props */
function NewCode({ channel, made }) {
  const [invitation, setInvitation] = useState(/** @type {any} */ (null));
  const invite = (/** @type {any} */ { role, max_uses: uses, expires_in_hours: hours }) => chat.inviteToChannel(channel.id, { role, max_uses: Number(uses), expires_in_hours: Number(hours) });
  const { field, busy, message, onSubmit } = useForm({ role: 'member', max_uses: '10', expires_in_hours: '72' }, invite, { done: (answer) => { setInvitation(answer); void made(); } });
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <p class="lead">${t('whoever_has_an_account_here_and')}</p>
    <${Choice} ...${field('role', 'code-')} label=${t('as')} options=${ROLES} />
    <div class="two"><${Field} ...${field('max_uses', 'code-')} label=${t('how_many_people')} type="number" min="1" max="1000" required />
      <${Field} ...${field('expires_in_hours', 'code-')} label=${t('valid_for_hours')} type="number" min="1" max="720" required /></div>
    ${invitation && html`<div class="once" role="status"><${Secret} id="channel-link" label=${t('link')} value=${joinAddress(invitation.code)} /><${Secret} id="channel-code" label=${t('or_the_code_alone')} value=${invitation.code} help=${t('both_are_shown_only_now')} /></div>`}
    <div class="btns"><${Submit} busy=${busy} class=${invitation ? 'btn' : 'btn primary'}>${invitation ? t('make_another') : t('make_a_code')}</${Submit}></div>
  </form>`;
}
