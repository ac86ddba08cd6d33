/** Links by which people join. */
import { api } from '../../api.js';
import { fullText, shortText } from '../../clock.js';
import { notify } from '../../notices.js';
import { me, meet, users } from '../../store.js';
import { PersonName } from '../avatar.js';
import { Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useEffect, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Secret } from '../secret.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';

export function Invitations() {
  const { value, error, reload } = useLoaded(() => api.invitations());
  const revoke = async (/** @type {any} */ invitation) => {
    await api.revokeInvitation(invitation.id);
    await reload();
    notify('That link no longer works.');
  };
  const columns = [
    { name: 'Made by', cell: (/** @type {any} */ row) => html`<${PersonById} userId=${row.created_by_id} /><small>${shortText(row.created_at)}</small>` },
    { name: 'Uses left', class: 'tnum', cell: (/** @type {any} */ row) => row.uses_left ?? 'Any number' },
    { name: 'Ends', cell: (/** @type {any} */ row) => html`<time datetime=${row.expires_at} title=${fullText(row.expires_at)}>${shortText(row.expires_at)}</time>` },
    { name: 'Actions', silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<${Action} class="btn small danger" label=${`Revoke the invitation of ${shortText(row.created_at)}`} run=${() => revoke(row)}>Revoke</${Action}>` },
  ];
  const items = value?.items ?? [];
  return html`<${SettingsPage} title="Invitations" wide lead="Whoever opens such a link can make an account in this workspace.">
    <${Block} title="New invitation"><${NewInvitation} made=${reload} /></${Block}>
    <${Block} title="Open invitations">${!value ? html`<${Waiting} error=${error} reload=${reload} />`
      : items.length ? html`<${Table} label="Open invitations" columns=${columns} rows=${items} />` : html`<p class="lead">There is none.</p>`}</${Block}>
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
    <div class="two"><${Field} ...${field('max_uses', 'invite-')} label="How many people" type="number" min="1" max="1000" required autofocus=${autofocus} />
      <${Field} ...${field('expires_in_hours', 'invite-')} label="Valid for (hours)" type="number" min="1" max="720" required /></div>
    ${invitation && html`<div class="once" role="status"><${Secret} id="invite-link" label="Link" value=${address} help="It is shown only now." /></div>`}
    <div class="btns"><${Submit} busy=${busy} class=${invitation ? 'btn' : 'btn primary'}>${invitation ? 'Make another' : 'Make a link'}</${Submit}></div>
  </form>`;
}

/** The name of somebody who is known by id only. @param {{userId?:string}} props */
export function PersonById({ userId }) {
  const known = userId ? users.value.get(userId) ?? (userId === me.value?.id ? me.value : undefined) : undefined;
  useEffect(() => {
    if (userId && !known) api.user(userId).then((user) => meet([user]), () => {}); // gone: the word below stays
  }, [userId, Boolean(known)]);
  return known ? html`<b><${PersonName} user=${known} /></b>` : html`<span class="dim">${userId ? 'Somebody' : 'The server'}</span>`;
}
