/** Named sets of permissions. */
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { me } from '../../store.js';
import { Confirm, Dialog } from '../dialog.js';
import { Checks, Field, FormError, TextArea } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';

const NEW = { id: '', name: '', description: '', permissions: [] };

export function Roles() {
  const roles = useLoaded(() => api.roles());
  const permissions = useLoaded(() => api.permissions());
  const [editing, setEditing] = useState(/** @type {any} */ (null));
  const [deleting, setDeleting] = useState(/** @type {any} */ (null));
  const saved = async () => {
    await roles.reload();
    // What I may do myself may have changed with it.
    me.value = { ...me.value, ...(await api.me()) };
  };
  const remove = async () => {
    await api.deleteRole(deleting.id);
    await saved();
    notify(t('the_role_is_deleted'));
  };
  const columns = [
    { name: t('role'), cell: (/** @type {any} */ role) => html`<b><bdi>${cleanName(role.name)}</bdi></b>${role.is_system && html` <span class="pill info">${t('everybodys')}</span>`}${role.description && html`<small><bdi>${cleanName(role.description)}</bdi></small>`}` },
    { name: t('permits'), cell: (/** @type {any} */ role) => (role.permissions.length ? html`<span class="words">${role.permissions.map((/** @type {string} */ word) => html`<code key=${word}>${word}</code>`)}</span>` : html`<span class="dim">${t('nothing')}</span>`) },
    { name: t('people'), class: 'tnum', cell: (/** @type {any} */ role) => (role.is_system ? t('all') : role.user_count) },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ role) => html`<span class="btns"><button type="button" class="btn small" aria-label=${t('edit', { name: cleanName(role.name) })} onClick=${() => setEditing(role)}>${t('edit_2')}</button>
      ${!role.is_system && html`<button type="button" class="btn small danger" aria-label=${t('delete_2', { name: cleanName(role.name) })} onClick=${() => setDeleting(role)}>${t('delete')}</button>`}</span>` },
  ];
  return html`<${SettingsPage} title=${t('roles_and_permissions')} wide lead=${t('a_role_permits_what_it_names')}
      actions=${html`<button type="button" class="btn primary" onClick=${() => setEditing(NEW)}>${t('new_role')}</button>`}>
    ${roles.value ? html`<${Table} label=${t('roles')} columns=${columns} rows=${roles.value.items} />` : html`<${Waiting} ...${roles} />`}
    ${editing && html`<${RoleDialog} role=${editing} permissions=${permissions} saved=${saved} close=${() => setEditing(null)} />`}
    ${deleting && html`<${Confirm} title=${t('delete_this_role')} action=${t('delete')} run=${remove} close=${() => setDeleting(null)}>
      <p>“<bdi>${cleanName(deleting.name)}</bdi>” ${deleting.user_count ? t('role_given', { count: deleting.user_count }) : t('is_given_to_nobody')}</p></${Confirm}>`}
  </${SettingsPage}>`;
}

/** @param {{role:any, permissions:ReturnType<typeof useLoaded>, saved:()=>Promise<void>, close:()=>void}} props */
function RoleDialog({ role, permissions, saved, close }) {
  const submit = (/** @type {any} */ { name, description, permissions: words }) => {
    const body = { ...(role.is_system ? {} : { name: name.trim() }), description: description.trim(), permissions: words };
    return role.id ? api.changeRole(role.id, body) : api.createRole(body);
  };
  const { values, set, fields, field, busy, message, onSubmit } = useForm({ name: role.name, description: role.description ?? '', permissions: role.permissions }, submit, {
    done: () => {
      close();
      notify(t('the_role_is_saved'));
      void saved();
    },
  });
  const options = (permissions.value?.items ?? []).map((/** @type {any} */ { name, description }) => ({ value: name, label: description || name, help: html`<code>${name}</code>` }));
  return html`<${Dialog} title=${role.id ? t('edit', { name: cleanName(role.name) }) : t('new_role')} onClose=${close} class="tall"><form class="dialog-b" onSubmit=${onSubmit}>
    ${role.is_system && html`<p class="lead">${t('everybody_has_this_role_what_it')}</p>`}
    <${FormError} error=${message} />
    <${Field} ...${field('name', 'role-')} label=${t('name')} required maxlength="100" autocomplete="off" autofocus=${!role.is_system} readonly=${role.is_system} />
    <${TextArea} ...${field('description', 'role-')} label=${t('what_it_is_for_optional')} rows="2" maxlength="255" />
    ${permissions.value ? html`<${Checks} legend=${t('permits')} options=${options} chosen=${values.permissions} error=${fields.permissions} onChange=${(/** @type {string[]} */ words) => set('permissions', words)} />` : html`<${Waiting} ...${permissions} />`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('cancel')}</button><${Submit} busy=${busy}>${t('save')}</${Submit}></div>
  </form></${Dialog}>`;
}
