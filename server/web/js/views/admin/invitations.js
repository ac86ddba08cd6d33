/** Links by which people join. */
import { api } from '../../page_api.js';
import { shortText } from '../../clock.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { me, meet, users } from '../../store.js';
import { PersonName } from '../avatar.js';
import { Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useEffect, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Secret } from '../secret.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';

export function Invitations() {
  const { value, error, reload } = useLoaded(() => api.invitations());
  const revoke = async (/** @type {any} */ invitation) => {
    await api.revokeInvitation(invitation.id);
    await reload();
    notify(t('that_link_no_longer_works'));
  };
  const columns = [
    { name: t('made_by'), cell: (/** @type {any} */ row) => html`<${PersonById} userId=${row.created_by_id} /><small>${shortText(row.created_at)}</small>` },
    { name: t('uses_left_2'), class: 'tnum', cell: (/** @type {any} */ row) => row.uses_left ?? t('any_number') },
    { name: t('ends'), cell: (/** @type {any} */ row) => html`<${Time} at=${row.expires_at} />` },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<${Action} class="btn small danger" label=${t('revoke_the_invitation_of', { when: shortText(row.created_at) })} run=${() => revoke(row)}>${t('revoke')}</${Action}>` },
  ];
  const items = value?.items ?? [];
  return html`<${SettingsPage} title=${t('invitations')} wide lead=${t('whoever_opens_such_a_link_can')}>
    <${Block} title=${t('new_invitation')}><${NewInvitation} made=${reload} /></${Block}>
    <${Block} title=${t('open_invitations')}>${!value ? html`<${Waiting} error=${error} reload=${reload} />`
      : items.length ? html`<${Table} label=${t('open_invitations')} columns=${columns} rows=${items} />` : html`<p class="lead">${t('there_is_none')}</p>`}</${Block}>
  </${SettingsPage}>`;
}

/** Also the workspace's own dialog. @param {{made?:()=>void, autofocus?:boolean}} props */
export function NewInvitation({ made = () => {}, autofocus }) {
  const [invitation, setInvitation] = useState(/** @type {any} */ (null));
  const invite = (/** @type {any} */ { max_uses: uses, expires_in_hours: hours }) => api.invite({ max_uses: Number(uses), expires_in_hours: Number(hours) });
  const { field, busy, message, onSubmit } = useForm({ max_uses: '10', expires_in_hours: '72' }, invite, { done: (answer) => { setInvitation(answer); made(); } });
  const address = invitation ? new URL(invitation.url ?? `/register#${invitation.token}`, location.origin).href : '';
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <div class="two"><${Field} ...${field('max_uses', 'invite-')} label=${t('how_many_people')} type="number" min="1" max="1000" required autofocus=${autofocus} />
      <${Field} ...${field('expires_in_hours', 'invite-')} label=${t('valid_for_hours')} type="number" min="1" max="720" required /></div>
    ${invitation && html`<div class="once" role="status"><${Secret} id="invite-link" label=${t('link')} value=${address} help=${t('it_is_shown_only_now')} /></div>`}
    <div class="btns"><${Submit} busy=${busy} class=${invitation ? 'btn' : 'btn primary'}>${invitation ? t('make_another') : t('make_a_link')}</${Submit}></div>
  </form>`;
}

/** The name of somebody who is known by id only. @param {{userId?:string}} props */
export function PersonById({ userId }) {
  const known = userId ? users.value.get(userId) ?? (userId === me.value?.id ? me.value : undefined) : undefined;
  useEffect(() => {
    if (userId && !known) api.user(userId).then((user) => meet([user]), () => {}); // gone: the word below stays
  }, [userId, Boolean(known)]);
  return known ? html`<b><${PersonName} user=${known} /></b>` : html`<span class="dim">${userId ? t('somebody') : t('the_server')}</span>`;
}
