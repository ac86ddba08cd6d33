/** Tokens by which programs act as me, or as a bot. */
import { api } from '../../api.js';
import { fullText, shortText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { Confirm } from '../dialog.js';
import { Checks, Choice, Field, FormError } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Secret } from '../secret.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';

const SCOPES = [
  { value: 'read', label: 'Read', help: 'See messages, people and files' },
  { value: 'write', label: 'Write', help: 'Post, react, upload, change' },
  { value: 'admin', label: 'Administer', help: 'As far as the account itself may' },
];
/** @type {[string, string][]} */
const LIVES = [['7', 'In 7 days'], ['30', 'In 30 days'], ['90', 'In 90 days'], ['365', 'In a year'], ['', 'Never']];

export function MyTokens() {
  return html`<${SettingsPage} title="Access tokens" wide lead="For programs that act as you. Give each its own, with no more than it needs."><${Tokens} /></${SettingsPage}>`;
}

/** Also in the dialog of a bot. @param {{userId?:string}} props userId: whose, if not one's own */
export function Tokens({ userId }) {
  const { value, error, reload } = useLoaded(() => api.tokens(userId), [userId]);
  const [revoking, setRevoking] = useState(/** @type {any} */ (null));
  const revoke = async () => {
    await api.revokeToken(revoking.id);
    await reload();
    if (!userId) notify('The token is void.');
  };
  const columns = [
    { name: 'Token', cell: (/** @type {any} */ row) => html`<b><bdi>${cleanName(row.name)}</bdi></b><small>${row.scopes.join(', ')}</small>` },
    { name: 'Made', cell: (/** @type {any} */ row) => shortText(row.created_at) },
    { name: 'Last used', cell: (/** @type {any} */ row) => (row.last_used_at ? shortText(row.last_used_at) : 'Never') },
    { name: 'Ends', cell: (/** @type {any} */ row) => (row.expires_at ? html`<time datetime=${row.expires_at} title=${fullText(row.expires_at)}>${shortText(row.expires_at)}</time>` : 'Never') },
    { name: 'Actions', silent: true, class: 'end', cell: (/** @type {any} */ row) => html`<button type="button" class="btn small danger" aria-label=${`Revoke ${cleanName(row.name)}`} onClick=${() => setRevoking(row)}>Revoke</button>` },
  ];
  const items = value?.items ?? [];
  return html`<${Block} title="New token"><${NewToken} userId=${userId} made=${reload} /></${Block}>
    <${Block} title="Tokens in use">${!value ? html`<${Waiting} error=${error} reload=${reload} />`
      : items.length ? html`<${Table} label="Tokens in use" columns=${columns} rows=${items} />` : html`<p class="lead">There is none.</p>`}</${Block}>
    ${revoking && html`<${Confirm} title="Revoke this token?" action="Revoke" run=${revoke} close=${() => setRevoking(null)}><p>Programs that use “<bdi>${cleanName(revoking.name)}</bdi>” stop working at once.</p></${Confirm}>`}`;
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
    ${token && html`<div class="once" role="status"><${Secret} id="new-token" label=${`The token “${cleanName(token.name)}”`} value=${token.token} help="It is shown only now. Keep it where you keep passwords." /></div>`}
    <${FormError} error=${message} />
    <div class="two"><${Field} ...${field('name', 'token-')} label="What it is for" required maxlength="100" autocomplete="off" placeholder="Backup script" />
      <${Choice} ...${field('expires_in_days', 'token-')} label="Ends" options=${LIVES} /></div>
    <${Checks} legend="What it may do" options=${SCOPES} chosen=${values.scopes} error=${fields.scopes} onChange=${(/** @type {string[]} */ scopes) => form.set('scopes', scopes)} />
    <div class="btns"><${Submit} busy=${busy}>Make a token</${Submit}></div>
  </form>`;
}
