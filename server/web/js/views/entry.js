/** The pages before the workspace: first account, joining by invitation, signing in. */
import { api, oidcPath } from '../api.js';
import { navigate, route } from '../router.js';
import { signedIn } from '../session.js';
import { returnPath, signInMessage } from '../sign_in.js';
import { info } from '../store.js';
import { plainCode } from '../two_factor.js';
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
    <section class="art" aria-label="About">
      <div class="brand"><${Logo} size=${34} /><b>${info.value?.name ?? 'Confab'}</b></div>
      <div class="pitch"><p class="claim">Your team’s talk, on your own machine.</p>
        <p>One program holds chat, files, search and an assistant that cites its sources. Nothing leaves this server unless you connect it.</p></div>
      <dl>
        <dt>Version</dt><dd>${info.value?.version ?? ''}</dd>
        <dt>Mode</dt><dd>${info.value?.mode ?? ''}</dd>
        <dt>Search</dt><dd>${features.search === false ? 'off' : 'built in, ready'}</dd>
        <dt>Assistant</dt><dd>${features.assistant === false ? 'off' : 'answers with sources'}</dd>
      </dl>
    </section>
    ${children}
  </main>`;
}

/** A form that ends in a session. @param {Record<string,string>} initial @param {(values:any)=>Promise<any>} submit @param {()=>void} entered */
function useEntryForm(initial, submit, entered) {
  return useForm(initial, submit, { fieldsOfCode: { wrong_code: ['code'] }, done: (grant) => { signedIn(grant); entered(); } });
}

const PASSWORD_HELP = 'At least 8 characters. A sentence works well.';

/** @param {{token:string, entered:()=>void}} props */
function Setup({ token, entered }) {
  const { field, busy, message, onSubmit } = useEntryForm({ full_name: '', username: '', email: '', password: '' }, (values) => api.setup({ token, ...present(values) }), () => {
    navigate('/', { replace: true });
    entered();
  });
  if (!info.value?.setup_required) return html`<${Notice} title="Already set up" text="This workspace has its first account." link="/login" linkText="Sign in" />`;
  if (!token) return html`<${Notice} title="Almost there" text="Open the set-up link that the server printed when it started. It holds a key that works once, so that nobody else can claim this workspace." />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>Create the first account</h1><p class="lead">This account administers the workspace. The link you opened works once.</p></div>
    <${FormError} error=${message} />
    <${AccountFields} field=${field} />
    <${Submit} busy=${busy} class="btn primary big">Create workspace</${Submit}>
  </form>`;
}

/** @param {{invitation:string, entered:()=>void}} props */
function Register({ invitation, entered }) {
  const { error, field, busy, message, onSubmit } = useEntryForm({ full_name: '', username: '', email: '', password: '' }, (values) => api.register({ ...present(values), ...(invitation ? { invitation } : {}) }), () => {
    navigate('/', { replace: true });
    entered();
  });
  const mode = info.value?.registration ?? 'invite';
  if (mode === 'off') return html`<${Notice} title="No new accounts" text="An administrator creates the accounts of this workspace." link="/login" linkText="Sign in" />`;
  if (mode === 'invite' && !invitation) return html`<${Notice} title="By invitation" text="Ask someone in the workspace for an invitation link, and open it here." link="/login" linkText="Sign in" />`;
  if (invitation && error?.status === 404) return html`<${Notice} title="This invitation no longer works" text="It was used up or taken back, or its time is over. Ask for a new one." link="/login" linkText="Sign in" />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>Join ${info.value?.name ?? 'the workspace'}</h1><p class="lead">${invitation ? 'You were invited. Choose how the others will see you.' : 'Choose how the others will see you.'}</p></div>
    <${FormError} error=${message} />
    <${AccountFields} field=${field} />
    <${Submit} busy=${busy} class="btn primary big">Create account</${Submit}>
    <${OtherSystem} text="Join with" returnTo="/" invitation=${invitation} />
    <p class="lead">Already have an account? <a class="inline-link" href="/login">Sign in</a></p>
  </form>`;
}

/** @param {{field:(name:string)=>any}} props */
function AccountFields({ field }) {
  return html`<${Field} ...${field('full_name')} label="Your name" autocomplete="name" maxlength="100" />
    <${Field} ...${field('username')} label="Username" autocomplete="username" autocapitalize="none" spellcheck="false" required />
    <${Field} ...${field('email')} label="Email" type="email" autocomplete="email" required />
    <${Field} ...${field('password')} label="Password" type="password" autocomplete="new-password" minlength="8" required help=${PASSWORD_HELP} />`;
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
      <div><h1>Enter your code</h1><p class="lead">Your password is right. Now the six digits that your device shows, or one of your recovery codes.</p></div>
      <${FormError} error=${error?.code === 'two_factor_required' ? '' : message} />
      <${Field} ...${field('code')} label="Code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required maxlength="40" class="otp" />
      <${Submit} busy=${busy} class="btn primary big">Sign in</${Submit}>
      <p class="lead"><button type="button" class="inline-link" onClick=${() => { setAsked(false); form.reset(); }}>Sign in as someone else</button></p>
    </form>`;
  }
  const { features = {}, name, registration } = info.value ?? {};
  return html`<form key="password" onSubmit=${onSubmit}>
    <div><h1>Sign in</h1>${!bad && html`<p class="lead">${reason || `Welcome back to ${name ?? 'Confab'}.`}</p>`}</div>
    <${FormError} error=${error?.code === 'two_factor_required' ? '' : message || (bad && !error ? reason : '')} />
    <${Field} ...${field('username')} label="Username or email" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus />
    <${Field} ...${field('password')} label="Password" type="password" autocomplete="current-password" required />
    <${Submit} busy=${busy} class="btn primary big">Sign in</${Submit}>
    <${OtherSystem} text="Sign in with" returnTo=${returnPath(route.value.name, location)} />
    ${features.mail && html`<p class="lead"><a class="inline-link" href="/forgot">Forgot password?</a></p>`}
    ${registration === 'open' && html`<p class="lead">New here? <a class="inline-link" href="/register">Create an account</a></p>`}
  </form>`;
}

/** The way in by another sign-in system, where there is one. @param {{text:string, returnTo:string, invitation?:string}} props */
function OtherSystem({ text, returnTo, invitation }) {
  const features = info.value?.features;
  if (!features?.oidc) return null;
  return html`<p class="or"><span>or</span></p><a class="btn big" href=${oidcPath({ return_to: returnTo, invitation })}>${text} ${features.oidc_name || 'single sign-on'}</a>`;
}

/** @param {{title:string, text:string, link?:string, linkText?:string}} props */
export function Notice({ title, text, link, linkText }) {
  return html`<div class="entry-note" role="status"><h1>${title}</h1><p class="lead">${text}</p>${link && html`<p><a class="btn primary" href=${link}>${linkText}</a></p>`}</div>`;
}
