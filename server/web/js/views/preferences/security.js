/** Password, second factor, and the other systems that sign me in. */
import { api } from '../../page_api.js';
import { shortText } from '../../clock.js';
import { cleanName, safeHref } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
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
  return html`<${SettingsPage} title=${t('password_and_security')}><${Password} /><${TwoFactor} /><${Identities} /><${Privacy} /></${SettingsPage}>`;
}

function Privacy() {
  return html`<${Block} title=${t('assistant')}><${AssistantSwitch} id="own-assistant" load=${() => api.ownAssistant()} save=${(/** @type {boolean} */ isOff) => api.setOwnAssistant(isOff)}
    help=${t('own_assistant_help')}>${t('the_assistant_may_read_what_i_write')}</${AssistantSwitch}></${Block}>`;
}

function Password() {
  const has = me.value?.has_password !== false;
  const { field, busy, message, onSubmit, reset } = useForm({ current_password: '', new_password: '' }, (values) => api.changePassword(present(values)), {
    done: () => {
      reset();
      notify(has ? t('your_password_is_changed') : t('you_have_a_password_now'));
      me.value = { ...me.value, has_password: true };
    },
  });
  return html`<${Block} title=${t('password')} lead=${has ? t('changing_it_signs_you_out_everywhere') : t('you_have_none_you_sign_in')}>
    <form class="stack-form" onSubmit=${onSubmit}>
      <input type="text" hidden autocomplete="username" value=${me.value?.username ?? ''} readonly />
      <${FormError} error=${message} />
      ${has && html`<${Field} ...${field('current_password')} label=${t('current_password')} type="password" autocomplete="current-password" required />`}
      <${Field} ...${field('new_password')} label=${t('new_password')} type="password" autocomplete="new-password" minlength="8" required help=${t('at_least_8_characters_a_sentence')} />
      <div class="btns"><${Submit} busy=${busy}>${has ? t('change_the_password') : t('choose_this_password')}</${Submit}></div>
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
    notify(t('it_no_longer_signs_you_in'));
  };
  const columns = [
    { name: t('account'), cell: (/** @type {any} */ row) => html`<b><bdi>${cleanName(row.email || row.subject)}</bdi></b><small>${hostOf(row.issuer)}</small>` },
    { name: t('last_used'), cell: (/** @type {any} */ row) => (row.last_used_at ? shortText(row.last_used_at) : t('never')) },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<button type="button" class="btn small" aria-label=${t('unlink_2', { name: cleanName(row.email || row.subject) })} onClick=${() => setRemoving(row)}>${t('unlink')}</button>` },
  ];
  return html`<${Block} title=${t('other_ways_to_sign_in')} lead=${t('accounts_of_other_systems_that_sign')}>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<${Table} label=${t('linked_accounts')} columns=${columns} rows=${items} />${!items.length && html`<p class="lead">${t('none_is_linked_yet')}</p>`}`}
    ${features.oidc && html`<${LinkIdentity} name=${features.oidc_name || t('another_account')} />`}
    ${removing && html`<${Confirm} title=${t('unlink_this_account')} action=${t('unlink')} run=${remove} close=${() => setRemoving(null)}>
      <p><bdi>${cleanName(removing.email || removing.subject)}</bdi> ${t('will_no_longer_sign_you_in')}${me.value?.has_password === false ? t('you_have_no_password_yet_choose') : ''}</p></${Confirm}>`}
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
    ${has && html`<${Field} ...${field('current_password', 'link_')} label=${t('current_password')} type="password" autocomplete="current-password" required />`}
    <div class="btns"><${Submit} busy=${busy} class="btn">${t('link_2', { name })}</${Submit}></div>
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
