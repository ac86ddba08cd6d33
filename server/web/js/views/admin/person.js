/** One account, and everything an administrator can do to it. */
import { api } from '../../api.js';
import { fullText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { personName } from '../../names.js';
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
    <dl class="facts">${person.email && html`<div><dt>Email</dt><dd><bdi>${cleanName(person.email)}</bdi></dd></div>`}
      ${person.created_at && html`<div><dt>Since</dt><dd>${fullText(person.created_at)}</dd></div>`}
      ${person.last_seen_at && html`<div><dt>Last seen</dt><dd>${fullText(person.last_seen_at)}</dd></div>`}
      ${!person.is_bot && !gone && html`<div><dt>Password</dt><dd>${person.has_password ? 'Chosen' : 'None'}</dd></div>`}</dl>
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
    tell('The roles are saved.');
  };
  if (!value) return html`<${Waiting} error=${error} reload=${reload} />`;
  if (!options.length) return null;
  return html`<${Checks} legend="Roles" options=${options} chosen=${chosen} onChange=${setChosen} />
    <p class="btns"><${Action} class="btn small" run=${save} failed=${failed}>Save the roles</${Action}></p>`;
}

/** Helping somebody back in, and others out. @param {Part} props */
function WaysIn({ person, changed, tell, failed }) {
  const [link, setLink] = useState(/** @type {any} */ (null));
  const [asking, setAsking] = useState(false);
  const removeFactor = async () => {
    await api.removeTwoFactor(person.id);
    changed({ ...person, two_factor_enabled: false });
    tell('The second factor is removed.');
  };
  return html`<${Block} title="Signing in">
    ${link && html`<${Secret} id="person-link" label="One-time link" value=${link.url} help=${`It works once, until ${fullText(link.expires_at)}. Send it to nobody else.`} />`}
    <div class="btns"><${Action} class="btn small" run=${async () => setLink(await api.passwordLink(person.id))} failed=${failed}>Password link</${Action}>
      ${person.two_factor_enabled && html`<button type="button" class="btn small" onClick=${() => setAsking(true)}>Remove the second factor</button>`}
      <${Action} class="btn small" run=${() => api.endSessions(person.id).then(() => tell('Every session is ended.'))} failed=${failed}>End all sessions</${Action}></div>
    ${asking && html`<${Confirm} title="Remove the second factor?" action="Remove" run=${removeFactor} close=${() => setAsking(false)}><p>Make sure that it is really them who ask: without it, the password alone signs in.</p></${Confirm}>`}
  </${Block}>`;
}

const QUESTIONS = {
  disable: { title: 'Disable this account?', action: 'Disable', text: 'It is signed out everywhere and cannot sign in until it is enabled again. Its messages stay.' },
  delete: { title: 'Delete this account?', action: 'Delete', text: 'This cannot be taken back. Its messages stay, shown as of a deleted user.' },
  superuser: { title: 'Make this account a superuser?', action: 'Make superuser', text: 'A superuser may do everything here, and give it to others.' },
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
    disable: () => set(api.disableAccount(person.id), 'The account is disabled.'),
    delete: () => set(api.deleteAccount(person.id).then(() => api.account(person.id)), 'The account is deleted.'),
    superuser: () => set(api.setSuperuser(person.id, true), 'The account is a superuser now.'),
  };
  return html`<${Block} title="Account">
    ${mine && html`<p class="lead">This is your own account: another administrator can disable or delete it.</p>`}
    <div class="btns">
      ${me.value?.is_superuser && !person.is_bot && (person.is_superuser
        ? html`<${Action} class="btn small" run=${() => set(api.setSuperuser(person.id, false), 'The account is no superuser any more.')} failed=${failed}>Take superuser away</${Action}>`
        : html`<button type="button" class="btn small" onClick=${() => setAsking('superuser')}>Make superuser</button>`)}
      ${!mine && (person.is_active ? html`<button type="button" class="btn small danger" onClick=${() => setAsking('disable')}>Disable</button>`
        : html`<${Action} class="btn small" run=${() => set(api.enableAccount(person.id), 'The account is enabled.')} failed=${failed}>Enable</${Action}>`)}
      ${!mine && html`<button type="button" class="btn small danger" onClick=${() => setAsking('delete')}>Delete</button>`}
    </div>
    ${asking && html`<${Confirm} title=${QUESTIONS[asking].title} action=${QUESTIONS[asking].action} danger=${asking !== 'superuser'} run=${works[asking]} close=${() => setAsking('')}>
      <p><b><${PersonName} user=${person} /></b> (@${person.username})</p><p>${QUESTIONS[asking].text}</p></${Confirm}>`}
  </${Block}>`;
}
