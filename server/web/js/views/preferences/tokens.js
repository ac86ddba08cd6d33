/** Tokens by which programs act as me, or as a bot. */
import { api } from '../../page_api.js';
import { shortText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { Confirm } from '../dialog.js';
import { Checks, Choice, Field, FormError } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Secret } from '../secret.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';

const SCOPES = [
  { value: 'read', label: t('read'), help: t('see_messages_people_and_files') },
  { value: 'write', label: t('write'), help: t('post_react_upload_change') },
  { value: 'admin', label: t('administer'), help: t('as_far_as_the_account_itself') },
];
/** @type {[string, string][]} */
const LIVES = [['7', t('in_7_days')], ['30', t('in_30_days')], ['90', t('in_90_days')], ['365', t('in_a_year')], ['', t('never')]];

export function MyTokens() {
  return html`<${SettingsPage} title=${t('access_tokens')} wide lead=${t('for_programs_that_act_as_you')}><${Tokens} /></${SettingsPage}>`;
}

/** Also in the dialog of a bot. @param {{userId?:string}} props userId: whose, if not one's own */
export function Tokens({ userId }) {
  const { value, error, reload } = useLoaded(() => api.tokens(userId), [userId]);
  const [revoking, setRevoking] = useState(/** @type {any} */ (null));
  const revoke = async () => {
    await api.revokeToken(revoking.id);
    await reload();
    if (!userId) notify(t('the_token_is_void'));
  };
  const columns = [
    { name: t('token'), cell: (/** @type {any} */ row) => html`<b><bdi>${cleanName(row.name)}</bdi></b><small>${row.scopes.join(', ')}</small>` },
    { name: t('made'), cell: (/** @type {any} */ row) => shortText(row.created_at) },
    { name: t('last_used'), cell: (/** @type {any} */ row) => (row.last_used_at ? shortText(row.last_used_at) : t('never')) },
    { name: t('ends'), cell: (/** @type {any} */ row) => (row.expires_at ? html`<${Time} at=${row.expires_at} />` : t('never')) },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<button type="button" class="btn small danger" aria-label=${t('revoke_2', { name: cleanName(row.name) })} onClick=${() => setRevoking(row)}>${t('revoke')}</button>` },
  ];
  const items = value?.items ?? [];
  return html`<${Block} title=${t('new_token')}><${NewToken} userId=${userId} made=${reload} /></${Block}>
    <${Block} title=${t('tokens_in_use')}>${!value ? html`<${Waiting} error=${error} reload=${reload} />`
      : items.length ? html`<${Table} label=${t('tokens_in_use')} columns=${columns} rows=${items} />` : html`<p class="lead">${t('there_is_none')}</p>`}</${Block}>
    ${revoking && html`<${Confirm} title=${t('revoke_this_token')} action=${t('revoke')} run=${revoke} close=${() => setRevoking(null)}><p>${t('programs_that_use')}<bdi>${cleanName(revoking.name)}</bdi>${t('stop_working_at_once')}</p></${Confirm}>`}`;
}

/** @param {{userId?:string, made:()=>Promise<void>}} props */
function NewToken({ userId, made }) {
  const [token, setToken] = useState(/** @type {any} */ (null));
  const create = (/** @type {any} */ { name, scopes, expires_in_days: days }) => api.createToken({
    name: name.trim(), scopes, ...(days ? { expires_in_days: Number(days) } : {}), ...(userId ? { user_id: userId } : {}),
  });
  const form = useForm({ name: '', scopes: ['read'], expires_in_days: '90' }, create, {
    done: (answer) => {
      setToken(answer);
      form.reset();
      void made();
    },
  });
  const { values, fields, field, busy, message, onSubmit } = form;
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    ${token && html`<div class="once" role="status"><${Secret} id="new-token" label=${t('the_token', { name: cleanName(token.name) })} value=${token.token} help=${t('it_is_shown_only_now_keep')} /></div>`}
    <${FormError} error=${message} />
    <div class="two"><${Field} ...${field('name', 'token-')} label=${t('what_it_is_for')} required maxlength="100" autocomplete="off" placeholder=${t('backup_script')} />
      <${Choice} ...${field('expires_in_days', 'token-')} label=${t('ends')} options=${LIVES} /></div>
    <${Checks} legend=${t('what_it_may_do')} options=${SCOPES} chosen=${values.scopes} error=${fields.scopes} onChange=${(/** @type {string[]} */ scopes) => form.set('scopes', scopes)} />
    <div class="btns"><${Submit} busy=${busy}>${t('make_a_token')}</${Submit}></div>
  </form>`;
}
