/** Password, second factor, and the other systems that sign me in. */
import { api } from '../../api.js';
import { shortText } from '../../clock.js';
import { cleanName, safeHref } from '../../format.js';
import { notify } from '../../notices.js';
import { preferencesPath } from '../../router.js';
import { info, me } from '../../store.js';
import { AssistantSwitch } from '../assistant_switch.js';
import { Confirm } from '../dialog.js';
import { Field, FormError } from '../field.js';
import { present, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { TwoFactor } from './two_factor.js';

export function Security() {
  return html`<${SettingsPage} title="Password and security"><${Password} /><${TwoFactor} /><${Identities} /><${Privacy} /></${SettingsPage}>`;
}

function Privacy() {
  return html`<${Block} title="Assistant"><${AssistantSwitch} id="own-assistant" load=${() => api.ownAssistant()} save=${(/** @type {boolean} */ isOff) => api.setOwnAssistant(isOff)}
    help="Off: it does not answer you, and no model is given anything that you write, whoever asks. Your messages are still found by their words.">The assistant may read what I write</${AssistantSwitch}></${Block}>`;
}

function Password() {
  const has = me.value?.has_password !== false;
  const { field, busy, message, onSubmit, reset } = useForm({ current_password: '', new_password: '' }, (values) => api.changePassword(present(values)), {
    done: () => {
      reset();
      notify(has ? 'Your password is changed.' : 'You have a password now.');
      me.value = { ...me.value, has_password: true };
    },
  });
  return html`<${Block} title="Password" lead=${has ? 'Changing it signs you out everywhere else.' : 'You have none: you sign in by another system. With a password you can sign in without it too.'}>
    <form class="stack-form" onSubmit=${onSubmit}>
      <input type="text" hidden autocomplete="username" value=${me.value?.username ?? ''} readonly />
      <${FormError} error=${message} />
      ${has && html`<${Field} ...${field('current_password')} label="Current password" type="password" autocomplete="current-password" required />`}
      <${Field} ...${field('new_password')} label="New password" type="password" autocomplete="new-password" minlength="8" required help="At least 8 characters. A sentence works well." />
      <div class="btns"><${Submit} busy=${busy}>${has ? 'Change the password' : 'Choose this password'}</${Submit}></div>
    </form></${Block}>`;
}

function Identities() {
  const { value, error, reload } = useLoaded(() => api.identities());
  const [removing, setRemoving] = useState(/** @type {any} */ (null));
  const features = info.value?.features ?? {};
  const items = value?.items ?? [];
  if (!features.oidc && !items.length) return null;
  const remove = async () => {
    await api.unlinkIdentity(removing.id);
    await reload();
    notify('It no longer signs you in.');
  };
  const columns = [
    { name: 'Account', cell: (/** @type {any} */ row) => html`<b><bdi>${cleanName(row.email || row.subject)}</bdi></b><small>${hostOf(row.issuer)}</small>` },
    { name: 'Last used', cell: (/** @type {any} */ row) => (row.last_used_at ? shortText(row.last_used_at) : 'Never') },
    { name: 'Actions', silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<button type="button" class="btn small" aria-label=${`Unlink ${cleanName(row.email || row.subject)}`} onClick=${() => setRemoving(row)}>Unlink</button>` },
  ];
  return html`<${Block} title="Other ways to sign in" lead="Accounts of other systems that sign you in here.">
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<${Table} label="Linked accounts" columns=${columns} rows=${items} />${!items.length && html`<p class="lead">None is linked yet.</p>`}`}
    ${features.oidc && html`<${LinkIdentity} name=${features.oidc_name || 'another account'} />`}
    ${removing && html`<${Confirm} title="Unlink this account?" action="Unlink" run=${remove} close=${() => setRemoving(null)}>
      <p><bdi>${cleanName(removing.email || removing.subject)}</bdi> will no longer sign you in.${me.value?.has_password === false ? ' You have no password yet: choose one first, or you may lock yourself out.' : ''}</p></${Confirm}>`}
  </${Block}>`;
}

/** A new way in stays for good, so whoever has a password says it again. @param {{name:string}} props */
function LinkIdentity({ name }) {
  const has = me.value?.has_password !== false;
  const { field, busy, message, onSubmit } = useForm({ current_password: '' }, (values) => api.linkIdentity({ return_to: preferencesPath('security'), ...present(values) }), {
    done: ({ url }) => {
      const address = safeHref(new URL(url, location.origin).href);
      if (address) location.assign(address);
    },
  });
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <input type="text" hidden autocomplete="username" value=${me.value?.username ?? ''} readonly />
    <${FormError} error=${message} />
    ${has && html`<${Field} ...${field('current_password', 'link_')} label="Current password" type="password" autocomplete="current-password" required />`}
    <div class="btns"><${Submit} busy=${busy} class="btn">Link ${name}</${Submit}></div>
  </form>`;
}

/** @param {string} issuer */
function hostOf(issuer) {
  try {
    return new URL(issuer).host;
  } catch {
    return issuer;
  }
}
