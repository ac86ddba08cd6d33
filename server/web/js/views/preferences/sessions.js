/** The devices on which I am signed in. */
import { api } from '../../api.js';
import { fullText, shortText } from '../../clock.js';
import { deviceText, methodText } from '../../device.js';
import { notify } from '../../notices.js';
import { signOut } from '../../session.js';
import { Confirm } from '../dialog.js';
import { Action } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';

export function Sessions() {
  const { value, error, reload } = useLoaded(() => api.sessions());
  const [asking, setAsking] = useState(false);
  const rows = (value?.items ?? []).filter((/** @type {any} */ session) => session.is_active !== false)
    .sort((/** @type {any} */ left, /** @type {any} */ right) => Number(right.is_current) - Number(left.is_current));
  const end = async (/** @type {any} */ session) => {
    await api.endSession(session.id);
    await reload();
    notify('That device is signed out.');
  };
  const endOthers = async () => {
    await api.logoutElsewhere();
    await reload();
    notify('Every other device is signed out.');
  };
  const columns = [
    { name: 'Device', cell: (/** @type {any} */ row) => html`<b title=${row.device_info ?? ''}>${deviceText(row.device_info)}</b>${row.is_current && html` <span class="pill ok">This one</span>`}<small>Signed in ${shortText(row.created_at)}${methodText(row.method) && `, ${methodText(row.method)}`}</small>` },
    { name: 'Address', class: 'tnum', cell: (/** @type {any} */ row) => row.ip_address ?? 'Unknown' },
    { name: 'Last used', cell: (/** @type {any} */ row) => html`<time datetime=${row.last_used_at} title=${fullText(row.last_used_at)}>${shortText(row.last_used_at)}</time>` },
    { name: 'Actions', silent: true, class: 'end', cell: (/** @type {any} */ row) => (row.is_current
      ? html`<button type="button" class="btn small" onClick=${() => void signOut()}>Sign out</button>`
      : html`<${Action} class="btn small" label=${`End the session of ${deviceText(row.device_info)}`} run=${() => end(row)}>End</${Action}>`) },
  ];
  return html`<${SettingsPage} title="Devices" wide lead="Where you are signed in. End what you do not know, then change your password."
      actions=${rows.length > 1 && html`<button type="button" class="btn" onClick=${() => setAsking(true)}>Sign out everywhere else</button>`}>
    ${value ? html`<${Table} label="Devices" columns=${columns} rows=${rows} />` : html`<${Waiting} error=${error} reload=${reload} />`}
    ${asking && html`<${Confirm} title="Sign out everywhere else?" action="Sign out" run=${endOthers} close=${() => setAsking(false)}><p>Every device but this one has to sign in again.</p></${Confirm}>`}
  </${SettingsPage}>`;
}
