/** The pages before the workspace: first account, joining by invitation, signing in. */
import { oidcPath } from '../api.js';
import { api } from '../page_api.js';
import { attempt } from '../notices.js';
import { t } from '../page_words.js';
import { adminPath, navigate, route } from '../router.js';
import { signedIn } from '../session.js';
import { returnPath, signInMessage } from '../sign_in.js';
import { info } from '../store.js';
import { plainCode } from '../two_factor_codes.js';
import { Field, FormError } from './field.js';
import { present, Submit, useForm } from './form.js';
import { html, useEffect, useState } from './html.js';
import { Logo } from './icon.js';
import { Forgot, Reset } from './recovery.js';

/** @param {{reason:string, entered:()=>void}} props entered: called once there is a session */
export function Entry({ reason, entered }) {
  const { name, fragment } = route.value;
  const setup = name === 'setup' || info.value?.setup_required;
  if (setup) return html`<${Frame}><${Setup} token=${name === 'setup' ? fragment : ''} entered=${entered} /></${Frame}>`;
  if (name === 'register') return html`<${Frame}><${Register} key=${fragment} invitation=${fragment} entered=${entered} /></${Frame}>`;
  if (name === 'forgot') return html`<${Frame}><${Forgot} /></${Frame}>`;
  if (name === 'reset') return html`<${Frame}><${Reset} key=${fragment} token=${fragment} /></${Frame}>`;
  return html`<${Frame}><${Login} reason=${reason || signInMessage(route.value.error)} bad=${!reason && Boolean(route.value.error)} entered=${entered} /></${Frame}>`;
}

/** @param {{children:any}} props */
export function Frame({ children }) {
  const features = info.value?.features ?? {};
  return html`<main class="setup">
    <section class="art" aria-label=${t('about')}>
      <div class="brand"><${Logo} size=${34} /><b>${info.value?.name ?? 'Confab'}</b></div>
      <div class="pitch"><p class="claim">${t('your_teams_talk_on_your_own')}</p>
        <p>${t('one_program_holds_chat_files_search')}</p></div>
      <dl>
        <dt>${t('database')}</dt><dd>${info.value?.mode === 'scaled' ? 'PostgreSQL' : 'SQLite'}</dd>
        <dt>${t('search')}</dt><dd>${features.search === false ? t('off') : t('built_in_ready')}</dd>
        <dt>${t('assistant')}</dt><dd>${features.assistant === false ? t('off') : features.language_model ? t('answers_with_sources') : t('extractive_no_model')}</dd>
      </dl>
    </section>
    ${children}
  </main>`;
}

/** A form that ends in a session. @param {Record<string,string>} initial @param {(values:any)=>Promise<any>} submit @param {()=>void} entered */
function useEntryForm(initial, submit, entered) {
  return useForm(initial, submit, { fieldsOfCode: { wrong_code: ['code'] }, done: (grant) => { signedIn(grant); entered(); } });
}

const PASSWORD_HELP = t('at_least_8_characters_a_sentence');

/** What a new workspace begins with: invented people, nothing, or what is imported next, in the administration. @type {[string, string][]} */
const STARTS = [['demo', t('a_demo_workspace')], ['empty', t('empty')], ['import', t('a_slack_export')]];

/** @param {{token:string, entered:()=>void}} props */
function Setup({ token, entered }) {
  const [startsWith, setStartsWith] = useState('empty');
  const { values, field, busy, message, onSubmit } = useEntryForm({ workspace_name: '', full_name: '', username: '', email: '', password: '' }, async (values) => {
    const grant = await api.setup({ token, ...present(values) });
    // The account is there whatever becomes of the demo.
    if (startsWith === 'demo') await attempt(api.fillWithDemo(grant.access_token));
    return grant;
  }, () => {
    if (info.value && values.workspace_name.trim()) info.value = { ...info.value, name: values.workspace_name.trim() };
    navigate(startsWith === 'import' ? adminPath('transfers') : '/', { replace: true });
    entered();
  });
  if (!info.value?.setup_required) return html`<${Notice} title=${t('already_set_up')} text=${t('this_workspace_has_its_first_account')} link="/login" linkText=${t('sign_in')} />`;
  if (!token) return html`<${Notice} title=${t('almost_there')} text=${t('open_the_set_up_link_that')} />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>${t('create_the_first_account')}</h1><p class="lead">${t('this_account_administers_the_workspace_the')}</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('workspace_name')} label=${t('workspace_name')} autocomplete="organization" maxlength="60" />
    <${AccountFields} field=${field} />
    <fieldset class="starts"><legend>${t('start_with')}</legend>${STARTS.map(([key, label]) => html`<label key=${key} class="chip"><input type="radio" class="sr" name="starts-with" value=${key} checked=${startsWith === key} onChange=${() => setStartsWith(key)} />${label}</label>`)}</fieldset>
    <${Submit} busy=${busy} class="btn primary big">${t('create_workspace')}</${Submit}>
  </form>`;
}

/** @param {{invitation:string, entered:()=>void}} props */
function Register({ invitation, entered }) {
  const { error, field, busy, message, onSubmit } = useEntryForm({ full_name: '', username: '', email: '', password: '' }, (values) => api.register({ ...present(values), ...(invitation ? { invitation } : {}) }), () => {
    navigate('/', { replace: true });
    entered();
  });
  const mode = info.value?.registration ?? 'invite';
  if (mode === 'off') return html`<${Notice} title=${t('no_new_accounts')} text=${t('an_administrator_creates_the_accounts_of')} link="/login" linkText=${t('sign_in')} />`;
  if (mode === 'invite' && !invitation) return html`<${Notice} title=${t('by_invitation')} text=${t('ask_someone_in_the_workspace_for')} link="/login" linkText=${t('sign_in')} />`;
  if (invitation && error?.status === 404) return html`<${Notice} title=${t('this_invitation_no_longer_works')} text=${t('it_was_used_up_or_taken')} link="/login" linkText=${t('sign_in')} />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>${t('join')} ${info.value?.name ?? t('the_workspace')}</h1><p class="lead">${invitation ? t('you_were_invited_choose_how_the') : t('choose_how_the_others_will_see')}</p></div>
    <${FormError} error=${message} />
    <${AccountFields} field=${field} />
    <${Submit} busy=${busy} class="btn primary big">${t('create_account')}</${Submit}>
    <${OtherSystem} text=${t('join_with')} returnTo="/" invitation=${invitation} />
    <p class="lead">${t('already_have_an_account')} <a class="inline-link" href="/login">${t('sign_in')}</a></p>
  </form>`;
}

/** @param {{field:(name:string)=>any}} props */
function AccountFields({ field }) {
  return html`<${Field} ...${field('full_name')} label=${t('your_name')} autocomplete="name" maxlength="100" />
    <${Field} ...${field('username')} label=${t('username')} autocomplete="username" autocapitalize="none" spellcheck="false" required />
    <${Field} ...${field('email')} label=${t('email')} type="email" autocomplete="email" required />
    <${Field} ...${field('password')} label=${t('password')} type="password" autocomplete="new-password" minlength="8" required help=${PASSWORD_HELP} />`;
}

/** @param {{reason:string, bad:boolean, entered:()=>void}} props bad: the reason is that signing in failed */
function Login({ reason, bad, entered }) {
  const [asked, setAsked] = useState(false);
  const form = useEntryForm({ username: '', password: '', code: '' }, (values) => api.login(values.username.trim(), values.password, asked ? plainCode(values.code) : ''), entered);
  const { error, field, busy, message, onSubmit } = form;
  useEffect(() => {
    if (error?.code === 'two_factor_required') setAsked(true);
    if (error?.code === 'wrong_credentials') setAsked(false); // the password was changed meanwhile
  }, [error]);
  useEffect(() => { if (asked) document.getElementById('code')?.focus(); }, [asked]);
  if (asked) {
    return html`<form key="code" onSubmit=${onSubmit}>
      <div><h1>${t('enter_your_code')}</h1><p class="lead">${t('your_password_is_right_now_the')}</p></div>
      <${FormError} error=${error?.code === 'two_factor_required' ? '' : message} />
      <${Field} ...${field('code')} label=${t('code')} autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required maxlength="40" class="otp" />
      <${Submit} busy=${busy} class="btn primary big">${t('sign_in')}</${Submit}>
      <p class="lead"><button type="button" class="inline-link" onClick=${() => { setAsked(false); form.reset(); }}>${t('sign_in_as_someone_else')}</button></p>
    </form>`;
  }
  const { features = {}, name, registration } = info.value ?? {};
  return html`<form key="password" onSubmit=${onSubmit}>
    <div><h1>${t('sign_in')}</h1>${!bad && html`<p class="lead">${reason || t('welcome_back', { name: name ?? 'Confab' })}</p>`}</div>
    <${FormError} error=${error?.code === 'two_factor_required' ? '' : message || (bad && !error ? reason : '')} />
    <${Field} ...${field('username')} label=${t('username_or_email')} autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus />
    <${Field} ...${field('password')} label=${t('password')} type="password" autocomplete="current-password" required />
    <${Submit} busy=${busy} class="btn primary big">${t('sign_in')}</${Submit}>
    <${OtherSystem} text=${t('sign_in_with')} returnTo=${returnPath(route.value.name, location)} />
    ${features.mail && html`<p class="lead"><a class="inline-link" href="/forgot">${t('forgot_password')}</a></p>`}
    ${registration === 'open' && html`<p class="lead">${t('new_here')} <a class="inline-link" href="/register">${t('create_an_account')}</a></p>`}
  </form>`;
}

/** The way in by another sign-in system, where there is one. @param {{text:string, returnTo:string, invitation?:string}} props */
function OtherSystem({ text, returnTo, invitation }) {
  const features = info.value?.features;
  if (!features?.oidc) return null;
  return html`<p class="or"><span>${t('or')}</span></p><a class="btn big" href=${oidcPath({ return_to: returnTo, invitation })}>${text} ${features.oidc_name || t('single_sign_on')}</a>`;
}

/** @param {{title:string, text:string, link?:string, linkText?:string}} props */
export function Notice({ title, text, link, linkText }) {
  return html`<div class="entry-note" role="status"><h1>${title}</h1><p class="lead">${text}</p>${link && html`<p><a class="btn primary" href=${link}>${linkText}</a></p>`}</div>`;
}
