/** Named sets of permissions. */
import { api } from '../../api.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
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
    notify('The role is deleted.');
  };
  const columns = [
    { name: 'Role', cell: (/** @type {any} */ role) => html`<b><bdi>${cleanName(role.name)}</bdi></b>${role.is_system && html` <span class="pill info">Everybody’s</span>`}${role.description && html`<small><bdi>${cleanName(role.description)}</bdi></small>`}` },
    { name: 'Permits', cell: (/** @type {any} */ role) => (role.permissions.length ? html`<span class="words">${role.permissions.map((/** @type {string} */ word) => html`<code key=${word}>${word}</code>`)}</span>` : html`<span class="dim">Nothing</span>`) },
    { name: 'People', class: 'tnum', cell: (/** @type {any} */ role) => (role.is_system ? 'All' : role.user_count) },
    { name: 'Actions', silent: true, class: 'end', cell: (/** @type {any} */ role) => html`<span class="btns"><button type="button" class="btn small" aria-label=${`Edit ${cleanName(role.name)}`} onClick=${() => setEditing(role)}>Edit</button>
      ${!role.is_system && html`<button type="button" class="btn small danger" aria-label=${`Delete ${cleanName(role.name)}`} onClick=${() => setDeleting(role)}>Delete</button>`}</span>` },
  ];
  return html`<${SettingsPage} title="Roles and permissions" wide lead="A role permits what it names, to whoever has it. You can give no more than you may yourself."
      actions=${html`<button type="button" class="btn primary" onClick=${() => setEditing(NEW)}>New role</button>`}>
    ${roles.value ? html`<${Table} label="Roles" columns=${columns} rows=${roles.value.items} />` : html`<${Waiting} ...${roles} />`}
    ${editing && html`<${RoleDialog} role=${editing} permissions=${permissions} saved=${saved} close=${() => setEditing(null)} />`}
    ${deleting && html`<${Confirm} title="Delete this role?" action="Delete" run=${remove} close=${() => setDeleting(null)}>
      <p>“<bdi>${cleanName(deleting.name)}</bdi>” ${deleting.user_count ? t('role_given', { count: deleting.user_count }) : 'is given to nobody.'}</p></${Confirm}>`}
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
      notify('The role is saved.');
      void saved();
    },
  });
  const options = (permissions.value?.items ?? []).map((/** @type {any} */ { name, description }) => ({ value: name, label: description || name, help: html`<code>${name}</code>` }));
  return html`<${Dialog} title=${role.id ? `Edit ${cleanName(role.name)}` : 'New role'} onClose=${close} class="tall"><form class="dialog-b" onSubmit=${onSubmit}>
    ${role.is_system && html`<p class="lead">Everybody has this role: what it permits, everybody may do.</p>`}
    <${FormError} error=${message} />
    <${Field} ...${field('name', 'role-')} label="Name" required maxlength="100" autocomplete="off" autofocus=${!role.is_system} readonly=${role.is_system} />
    <${TextArea} ...${field('description', 'role-')} label="What it is for (optional)" rows="2" maxlength="255" />
    ${permissions.value ? html`<${Checks} legend="Permits" options=${options} chosen=${values.permissions} error=${fields.permissions} onChange=${(/** @type {string[]} */ words) => set('permissions', words)} />` : html`<${Waiting} ...${permissions} />`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>Cancel</button><${Submit} busy=${busy}>Save</${Submit}></div>
  </form></${Dialog}>`;
}
