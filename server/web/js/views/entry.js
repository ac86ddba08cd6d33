/** The pages before the workspace: first account, joining by invitation, signing in. */
import { api } from '../api.js';
import { navigate, route } from '../router.js';
import { signedIn } from '../session.js';
import { info } from '../store.js';
import { Field, FormError } from './field.js';
import { html, useState } from './html.js';
import { Logo } from './icon.js';

/** @param {{reason:string, entered:()=>void}} props entered: called once there is a session */
export function Entry({ reason, entered }) {
  const { name, fragment } = route.value;
  const setup = name === 'setup' || info.value?.setup_required;
  if (setup) return html`<${Frame}><${Setup} token=${name === 'setup' ? fragment : ''} entered=${entered} /></${Frame}>`;
  if (name === 'register') return html`<${Frame}><${Register} invitation=${fragment} entered=${entered} /></${Frame}>`;
  return html`<${Frame}><${Login} reason=${reason} entered=${entered} /></${Frame}>`;
}

/** @param {{children:any}} props */
function Frame({ children }) {
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

/** The form's state and its sending, shared by the three pages. @param {Record<string,string>} initial @param {(values:any)=>Promise<any>} submit @param {()=>void} entered */
function useForm(initial, submit, entered) {
  const [values, setValues] = useState(initial);
  const [error, setError] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const onSubmit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      signedIn(await submit(values));
      entered();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  const field = (/** @type {string} */ name) => ({
    id: name, value: values[name], error: error?.fields?.[name], onInput: (/** @type {string} */ value) => setValues({ ...values, [name]: value }),
  });
  const message = error ? error.message : '';
  return { field, busy, message, onSubmit };
}

const PASSWORD_HELP = 'At least 8 characters. A sentence works well.';

/** @param {{token:string, entered:()=>void}} props */
function Setup({ token, entered }) {
  const { field, busy, message, onSubmit } = useForm({ full_name: '', username: '', email: '', password: '' }, (values) => api.setup({ token, ...present(values) }), () => {
    navigate('/', { replace: true });
    entered();
  });
  if (!info.value?.setup_required) return html`<${Notice} title="Already set up" text="This workspace has its first account." link="/login" linkText="Sign in" />`;
  if (!token) return html`<${Notice} title="Almost there" text="Open the set-up link that the server printed when it started. It holds a key that works once, so that nobody else can claim this workspace." />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>Create the first account</h1><p class="lead">This account administers the workspace. The link you opened works once.</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('full_name')} label="Your name" autocomplete="name" maxlength="100" />
    <${Field} ...${field('username')} label="Username" autocomplete="username" autocapitalize="none" spellcheck="false" required />
    <${Field} ...${field('email')} label="Email" type="email" autocomplete="email" required />
    <${Field} ...${field('password')} label="Password" type="password" autocomplete="new-password" minlength="8" required help=${PASSWORD_HELP} />
    <button class="btn primary big" disabled=${busy}>Create workspace</button>
  </form>`;
}

/** @param {{invitation:string, entered:()=>void}} props */
function Register({ invitation, entered }) {
  const { field, busy, message, onSubmit } = useForm({ full_name: '', username: '', email: '', password: '' }, (values) => api.register({ ...present(values), ...(invitation ? { invitation } : {}) }), () => {
    navigate('/', { replace: true });
    entered();
  });
  const mode = info.value?.registration ?? 'invite';
  if (mode === 'off') return html`<${Notice} title="No new accounts" text="An administrator creates the accounts of this workspace." link="/login" linkText="Sign in" />`;
  if (mode === 'invite' && !invitation) return html`<${Notice} title="By invitation" text="Ask someone in the workspace for an invitation link, and open it here." link="/login" linkText="Sign in" />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>Join ${info.value?.name ?? 'the workspace'}</h1><p class="lead">${invitation ? 'You were invited. Choose how the others will see you.' : 'Choose how the others will see you.'}</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('full_name')} label="Your name" autocomplete="name" maxlength="100" />
    <${Field} ...${field('username')} label="Username" autocomplete="username" autocapitalize="none" spellcheck="false" required />
    <${Field} ...${field('email')} label="Email" type="email" autocomplete="email" required />
    <${Field} ...${field('password')} label="Password" type="password" autocomplete="new-password" minlength="8" required help=${PASSWORD_HELP} />
    <button class="btn primary big" disabled=${busy}>Create account</button>
    <p class="lead">Already have an account? <a class="inline-link" href="/login">Sign in</a></p>
  </form>`;
}

/** @param {{reason:string, entered:()=>void}} props */
function Login({ reason, entered }) {
  const { field, busy, message, onSubmit } = useForm({ username: '', password: '' }, (values) => api.login(values.username.trim(), values.password), entered);
  return html`<form onSubmit=${onSubmit}>
    <div><h1>Sign in</h1><p class="lead">${reason || `Welcome back to ${info.value?.name ?? 'Confab'}.`}</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('username')} label="Username or email" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus />
    <${Field} ...${field('password')} label="Password" type="password" autocomplete="current-password" required />
    <button class="btn primary big" disabled=${busy}>Sign in</button>
    ${info.value?.registration === 'open' && html`<p class="lead">New here? <a class="inline-link" href="/register">Create an account</a></p>`}
  </form>`;
}

/** @param {{title:string, text:string, link?:string, linkText?:string}} props */
function Notice({ title, text, link, linkText }) {
  return html`<div class="entry-note"><h1>${title}</h1><p class="lead">${text}</p>${link && html`<p><a class="btn primary" href=${link}>${linkText}</a></p>`}</div>`;
}

/** Empty optional fields are left out, not sent empty. @param {Record<string,string>} values */
function present(values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, name === 'password' ? value : value.trim()]).filter(([, value]) => value));
}
