/** The devices on which I am signed in. */
import { api } from '../../page_api.js';
import { shortText } from '../../clock.js';
import { deviceText, methodText } from '../../device.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { signOut } from '../../session.js';
import { Confirm } from '../dialog.js';
import { Action } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';

export function Sessions() {
  const { value, error, reload } = useLoaded(() => api.sessions());
  const [asking, setAsking] = useState(false);
  const rows = (value?.items ?? []).filter((/** @type {any} */ session) => session.is_active !== false)
    .sort((/** @type {any} */ left, /** @type {any} */ right) => Number(right.is_current) - Number(left.is_current));
  const end = async (/** @type {any} */ session) => {
    await api.endSession(session.id);
    await reload();
    notify(t('that_device_is_signed_out'));
  };
  const endOthers = async () => {
    await api.logoutElsewhere();
    await reload();
    notify(t('every_other_device_is_signed_out'));
  };
  const columns = [
    { name: t('device'), cell: (/** @type {any} */ row) => html`<b title=${row.device_info ?? ''}>${deviceText(row.device_info)}</b>${row.is_current && html` <span class="pill ok">${t('this_one')}</span>`}<small>${t('signed_in_2', { when: shortText(row.created_at) })}${methodText(row.method) && `, ${methodText(row.method)}`}</small>` },
    { name: t('address'), class: 'tnum', cell: (/** @type {any} */ row) => row.ip_address ?? t('unknown') },
    { name: t('last_used'), cell: (/** @type {any} */ row) => html`<${Time} at=${row.last_used_at} />` },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ row) => (row.is_current
      ? html`<button type="button" class="btn small" onClick=${() => void signOut()}>${t('sign_out')}</button>`
      : html`<${Action} class="btn small" label=${t('end_the_session_of', { device: deviceText(row.device_info) })} run=${() => end(row)}>${t('end')}</${Action}>`) },
  ];
  return html`<${SettingsPage} title=${t('devices')} wide lead=${t('where_you_are_signed_in_end')}
      actions=${rows.length > 1 && html`<button type="button" class="btn" onClick=${() => setAsking(true)}>${t('sign_out_everywhere_else_2')}</button>`}>
    ${value ? html`<${Table} label=${t('devices')} columns=${columns} rows=${rows} />` : html`<${Waiting} error=${error} reload=${reload} />`}
    ${asking && html`<${Confirm} title=${t('sign_out_everywhere_else')} action=${t('sign_out')} run=${endOthers} close=${() => setAsking(false)}><p>${t('every_device_but_this_one_has')}</p></${Confirm}>`}
  </${SettingsPage}>`;
}
