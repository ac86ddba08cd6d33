/** The accounts of the workspace: found, looked at, made. */
import { api } from '../../page_api.js';
import { cleanName } from '../../format.js';
import { personName } from '../../names.js';
import { t } from '../../page_words.js';
import { may } from '../../permissions.js';
import { me } from '../../store.js';
import { Avatar, PersonName } from '../avatar.js';
import { Choice, Field } from '../field.js';
import { html, useEffect, useState } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';
import { NewAccount } from './new_account.js';
import { PersonDialog } from './person.js';

/** @type {[string, string][]} */
const STATES = [['', t('everyone')], ['active', t('active')], ['disabled', t('disabled')], ['deleted', t('deleted')], ['bots', t('bots')], ['superusers', t('superusers')]];
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
  const actions = html`${may(me.value, 'bots.manage') && html`<button type="button" class="btn" onClick=${() => setMaking('bot')}>${t('new_bot')}</button>`}
    ${managesPeople && html`<button type="button" class="btn primary" onClick=${() => setMaking('person')}>${t('new_account')}</button>`}`;
  return html`<${SettingsPage} title=${managesPeople ? t('people') : t('bots')} wide actions=${actions}>
    <div class="filterbar" role="search"><${Field} id="people-search" label=${managesPeople ? t('find_by_username') : t('find_a_bot_by_its_username')} type="search" value=${text} onInput=${setText} autocomplete="off" />
      ${managesPeople && html`<${Choice} id="people-state" label=${t('show')} value=${state} onInput=${setState} options=${STATES} />`}</div>
    <p class="sr" role="status">${list.busy ? '' : t(list.cursor ? 'accounts_and_more' : 'accounts_count', { count: list.items.length })}</p>
    <${Table} label=${t('accounts')} columns=${accountColumns(setOpen, managesPeople)} rows=${list.items} />
    <${PagesEnd} list=${list} none=${asked ? t('nobody_matches', { asked }) : t('there_is_none')} />
    ${open && html`<${PersonDialog} key=${open.id} person=${open} changed=${changed} close=${() => setOpen(null)} />`}
    ${making && html`<${NewAccount} bot=${making === 'bot'} made=${(/** @type {any} */ account) => list.change((items) => [account, ...items])} close=${() => setMaking('')} open=${setOpen} />`}
  </${SettingsPage}>`;
}

/** @param {(person:any)=>void} open @param {boolean} people bots have no address @returns {import('../table.js').Column[]} */
export function accountColumns(open, people) {
  return [
    { name: t('name'), cell: (/** @type {any} */ person) => html`<span class="person"><${Avatar} user=${person} size="sm" /><span><b><${PersonName} user=${person} /></b><small>@${person.username}</small></span></span>` },
    ...(people ? [{ name: t('email'), class: 'wrap-any', cell: (/** @type {any} */ person) => (person.email ? html`<bdi>${cleanName(person.email)}</bdi>` : html`<span class="dim">${t('none')}</span>`) }] : []),
    { name: t('roles'), cell: (/** @type {any} */ person) => (person.roles ?? []).map((/** @type {any} */ role) => cleanName(role.name)).join(', ') || html`<span class="dim">${t('none')}</span>` },
    { name: t('state'), cell: (/** @type {any} */ person) => html`<${StatePills} person=${person} />` },
    { name: t('last_seen'), cell: (/** @type {any} */ person) => (person.last_seen_at ? html`<${Time} at=${person.last_seen_at} />` : html`<span class="dim">${t('never')}</span>`) },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ person) => html`<button type="button" class="btn small" aria-label=${t('manage_2', { name: cleanName(personName(person)) })} onClick=${() => open(person)}>${t('manage')}</button>` },
  ];
}

/** What is out of the ordinary about an account, in words. @param {{person:any}} props */
export function StatePills({ person }) {
  return html`<span class="pills">
    ${person.deleted_at ? html`<span class="pill bad">${t('deleted')}</span>` : person.is_active === false ? html`<span class="pill warn">${t('disabled')}</span>` : html`<span class="pill ok">${t('active')}</span>`}
    ${person.is_superuser && html`<span class="pill info">${t('superuser')}</span>`}
    ${person.is_bot && html`<span class="pill info">${t('bot')}</span>`}
    ${person.two_factor_enabled && html`<span class="pill ok">${t('two_factors')}</span>`}</span>`;
}
