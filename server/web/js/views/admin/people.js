/** The accounts of the workspace: found, looked at, made. */
import { api } from '../../api.js';
import { fullText, shortText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { personName } from '../../names.js';
import { may } from '../../permissions.js';
import { me } from '../../store.js';
import { Avatar, PersonName } from '../avatar.js';
import { Choice, Field } from '../field.js';
import { html, useEffect, useState } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { NewAccount } from './new_account.js';
import { PersonDialog } from './person.js';

/** @type {[string, string][]} */
const STATES = [['', 'Everyone'], ['active', 'Active'], ['disabled', 'Disabled'], ['deleted', 'Deleted'], ['bots', 'Bots'], ['superusers', 'Superusers']];
const PAGE = 50;

export function People() {
  const managesPeople = may(me.value, 'users.manage');
  const [text, setText] = useState('');
  const [state, setState] = useState('');
  const [asked, setAsked] = useState('');
  const [open, setOpen] = useState(/** @type {any} */ (null));
  const [making, setMaking] = useState(/** @type {''|'person'|'bot'} */ (''));
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text.trim()), 250);
    return () => clearTimeout(timer);
  }, [text]);
  // Who may keep bots only is not shown the people.
  const list = usePages((cursor) => api.accounts({ q: asked, state: managesPeople ? state : 'bots', cursor, limit: PAGE }), `${state} ${asked}`);
  const changed = (/** @type {any} */ account) => {
    list.change((items) => items.map((known) => (known.id === account.id ? account : known)));
    setOpen((/** @type {any} */ shown) => (shown?.id === account.id ? account : shown));
  };
  const actions = html`${may(me.value, 'bots.manage') && html`<button type="button" class="btn" onClick=${() => setMaking('bot')}>New bot</button>`}
    ${managesPeople && html`<button type="button" class="btn primary" onClick=${() => setMaking('person')}>New account</button>`}`;
  return html`<${SettingsPage} title=${managesPeople ? 'People' : 'Bots'} wide actions=${actions}>
    <div class="filterbar" role="search"><${Field} id="people-search" label=${managesPeople ? 'Find by username' : 'Find a bot by its username'} type="search" value=${text} onInput=${setText} autocomplete="off" />
      ${managesPeople && html`<${Choice} id="people-state" label="Show" value=${state} onInput=${setState} options=${STATES} />`}</div>
    <p class="sr" role="status">${list.busy ? '' : t(list.cursor ? 'accounts_and_more' : 'accounts_count', { count: list.items.length })}</p>
    <${Table} label="Accounts" columns=${columns(setOpen, managesPeople)} rows=${list.items} />
    <${PagesEnd} list=${list} none=${asked ? `Nobody matches “${asked}”.` : 'There is none.'} />
    ${open && html`<${PersonDialog} key=${open.id} person=${open} changed=${changed} close=${() => setOpen(null)} />`}
    ${making && html`<${NewAccount} bot=${making === 'bot'} made=${(/** @type {any} */ account) => list.change((items) => [account, ...items])} close=${() => setMaking('')} open=${setOpen} />`}
  </${SettingsPage}>`;
}

/** @param {(person:any)=>void} open @param {boolean} people bots have no address */
function columns(open, people) {
  return [
    { name: 'Name', cell: (/** @type {any} */ person) => html`<span class="person"><${Avatar} user=${person} size="sm" /><span><b><${PersonName} user=${person} /></b><small>@${person.username}</small></span></span>` },
    ...(people ? [{ name: 'Email', class: 'wrap-any', cell: (/** @type {any} */ person) => (person.email ? html`<bdi>${cleanName(person.email)}</bdi>` : html`<span class="dim">None</span>`) }] : []),
    { name: 'Roles', cell: (/** @type {any} */ person) => (person.roles ?? []).map((/** @type {any} */ role) => cleanName(role.name)).join(', ') || html`<span class="dim">None</span>` },
    { name: 'State', cell: (/** @type {any} */ person) => html`<${StatePills} person=${person} />` },
    { name: 'Last seen', cell: (/** @type {any} */ person) => (person.last_seen_at ? html`<time datetime=${person.last_seen_at} title=${fullText(person.last_seen_at)}>${shortText(person.last_seen_at)}</time>` : html`<span class="dim">Never</span>`) },
    { name: 'Actions', silent: true, class: 'end', cell: (/** @type {any} */ person) => html`<button type="button" class="btn small" aria-label=${`Manage ${cleanName(personName(person))}`} onClick=${() => open(person)}>Manage</button>` },
  ];
}

/** What is out of the ordinary about an account, in words. @param {{person:any}} props */
export function StatePills({ person }) {
  return html`<span class="pills">
    ${person.deleted_at ? html`<span class="pill bad">Deleted</span>` : person.is_active === false ? html`<span class="pill warn">Disabled</span>` : html`<span class="pill ok">Active</span>`}
    ${person.is_superuser && html`<span class="pill info">Superuser</span>`}
    ${person.is_bot && html`<span class="pill info">Bot</span>`}
    ${person.two_factor_enabled && html`<span class="pill ok">Two factors</span>`}</span>`;
}
