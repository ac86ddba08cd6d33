/** One account, and everything an administrator can do to it. */
import { api } from '../../page_api.js';
import { fullText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { personName } from '../../names.js';
import { t } from '../../page_words.js';
import { may } from '../../permissions.js';
import { me } from '../../store.js';
import { Avatar, PersonName } from '../avatar.js';
import { Confirm, Dialog } from '../dialog.js';
import { Checks, FormError } from '../field.js';
import { Action } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Tokens } from '../preferences/tokens.js';
import { Secret } from '../secret.js';
import { Block } from '../settings.js';
import { StatePills } from './people.js';

/** @param {{person:any, changed:(person:any)=>void, close:()=>void}} props */
export function PersonDialog({ person, changed, close }) {
  const [said, setSaid] = useState(/** @type {{text:string, bad?:boolean}} */ ({ text: '' }));
  const tell = (/** @type {string} */ text) => setSaid({ text });
  const failed = (/** @type {Error} */ error) => setSaid({ text: error.message, bad: true });
  const part = { person, changed, tell, failed };
  const gone = Boolean(person.deleted_at);
  return html`<${Dialog} title=${cleanName(personName(person))} onClose=${close} class="tall"><div class="dialog-b">
    <div class="person-h"><${Avatar} user=${person} /><div><b><${PersonName} user=${person} /></b> <span class="dim">@${person.username}</span><${StatePills} person=${person} /></div></div>
    <dl class="facts">${person.email && html`<div><dt>${t('email')}</dt><dd><bdi>${cleanName(person.email)}</bdi></dd></div>`}
      ${person.created_at && html`<div><dt>${t('since')}</dt><dd>${fullText(person.created_at)}</dd></div>`}
      ${person.last_seen_at && html`<div><dt>${t('last_seen')}</dt><dd>${fullText(person.last_seen_at)}</dd></div>`}
      ${!person.is_bot && !gone && html`<div><dt>${t('password')}</dt><dd>${person.has_password ? t('chosen') : t('none')}</dd></div>`}</dl>
    ${said.bad && html`<${FormError} error=${said.text} />`}<p class=${said.text && !said.bad ? 'done' : 'sr'} role="status">${said.bad ? '' : said.text}</p>
    ${!gone && may(me.value, 'roles.manage') && html`<${Roles} ...${part} />`}
    ${!gone && person.is_bot && html`<div class="nested"><${Tokens} userId=${person.id} /></div>`}
    ${!gone && !person.is_bot && may(me.value, 'users.manage') && html`<${WaysIn} ...${part} />`}
    ${!gone && may(me.value, 'users.manage') && html`<${Standing} ...${part} />`}
  </div></${Dialog}>`;
}

/** @typedef {{person:any, changed:(person:any)=>void, tell:(text:string)=>void, failed:(error:Error)=>void}} Part */

/** @param {Part} props */
function Roles({ person, changed, tell, failed }) {
  const { value, error, reload } = useLoaded(() => api.roles());
  const given = (person.roles ?? []).map((/** @type {any} */ role) => role.id);
  const [chosen, setChosen] = useState(/** @type {string[]} */ (given));
  // Everybody has the system's role: it is neither given nor taken.
  const options = (value?.items ?? []).filter((/** @type {any} */ role) => !role.is_system)
    .map((/** @type {any} */ role) => ({ value: role.id, label: html`<bdi>${cleanName(role.name)}</bdi>`, help: cleanName(role.description ?? '') }));
  const save = async () => {
    const { items } = await api.setRoles(person.id, chosen);
    const roles = items.filter((/** @type {any} */ role) => !role.is_system);
    changed({ ...person, roles });
    setChosen(roles.map((/** @type {any} */ role) => role.id));
    tell(t('the_roles_are_saved'));
  };
  if (!value) return html`<${Waiting} error=${error} reload=${reload} />`;
  if (!options.length) return null;
  return html`<${Checks} legend=${t('roles')} options=${options} chosen=${chosen} onChange=${setChosen} />
    <p class="btns"><${Action} class="btn small" run=${save} failed=${failed}>${t('save_the_roles')}</${Action}></p>`;
}

/** Helping somebody back in, and others out. @param {Part} props */
function WaysIn({ person, changed, tell, failed }) {
  const [link, setLink] = useState(/** @type {any} */ (null));
  const [asking, setAsking] = useState(false);
  const removeFactor = async () => {
    await api.removeTwoFactor(person.id);
    changed({ ...person, two_factor_enabled: false });
    tell(t('the_second_factor_is_removed'));
  };
  return html`<${Block} title=${t('signing_in')}>
    ${link && html`<${Secret} id="person-link" label=${t('one_time_link')} value=${link.url} help=${t('it_works_once_until_send_it', { when: fullText(link.expires_at) })} />`}
    <div class="btns"><${Action} class="btn small" run=${async () => setLink(await api.passwordLink(person.id))} failed=${failed}>${t('password_link')}</${Action}>
      ${person.two_factor_enabled && html`<button type="button" class="btn small" onClick=${() => setAsking(true)}>${t('remove_the_second_factor_2')}</button>`}
      <${Action} class="btn small" run=${() => api.endSessions(person.id).then(() => tell(t('every_session_is_ended')))} failed=${failed}>${t('end_all_sessions')}</${Action}></div>
    ${asking && html`<${Confirm} title=${t('remove_the_second_factor')} action=${t('remove')} run=${removeFactor} close=${() => setAsking(false)}><p>${t('make_sure_that_it_is_really')}</p></${Confirm}>`}
  </${Block}>`;
}

const QUESTIONS = {
  disable: { title: t('disable_this_account'), action: t('disable'), text: t('it_is_signed_out_everywhere_and') },
  delete: { title: t('delete_this_account'), action: t('delete'), text: t('this_cannot_be_taken_back_its') },
  superuser: { title: t('make_this_account_a_superuser'), action: t('make_superuser'), text: t('a_superuser_may_do_everything_here') },
};

/** What the account is allowed at all. @param {Part} props */
function Standing({ person, changed, tell, failed }) {
  const [asking, setAsking] = useState(/** @type {keyof typeof QUESTIONS | ''} */ (''));
  const mine = person.id === me.value?.id;
  const set = async (/** @type {Promise<any>} */ work, /** @type {string} */ text) => {
    changed(await work);
    tell(text);
  };
  const works = {
    disable: () => set(api.disableAccount(person.id), t('the_account_is_disabled')),
    delete: () => set(api.deleteAccount(person.id).then(() => api.account(person.id)), t('the_account_is_deleted')),
    superuser: () => set(api.setSuperuser(person.id, true), t('the_account_is_a_superuser_now')),
  };
  return html`<${Block} title=${t('account')}>
    ${mine && html`<p class="lead">${t('this_is_your_own_account_another')}</p>`}
    <div class="btns">
      ${me.value?.is_superuser && !person.is_bot && (person.is_superuser
        ? html`<${Action} class="btn small" run=${() => set(api.setSuperuser(person.id, false), t('the_account_is_no_superuser_any'))} failed=${failed}>${t('take_superuser_away')}</${Action}>`
        : html`<button type="button" class="btn small" onClick=${() => setAsking('superuser')}>${t('make_superuser')}</button>`)}
      ${!mine && (person.is_active ? html`<button type="button" class="btn small danger" onClick=${() => setAsking('disable')}>${t('disable')}</button>`
        : html`<${Action} class="btn small" run=${() => set(api.enableAccount(person.id), t('the_account_is_enabled'))} failed=${failed}>${t('enable')}</${Action}>`)}
      ${!mine && html`<button type="button" class="btn small danger" onClick=${() => setAsking('delete')}>${t('delete')}</button>`}
    </div>
    ${asking && html`<${Confirm} title=${QUESTIONS[asking].title} action=${QUESTIONS[asking].action} danger=${asking !== 'superuser'} run=${works[asking]} close=${() => setAsking('')}>
      <p><b><${PersonName} user=${person} /></b> (@${person.username})</p><p>${QUESTIONS[asking].text}</p></${Confirm}>`}
  </${Block}>`;
}
