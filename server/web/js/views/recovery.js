/** The ways back in for those who do not know their password. */
import { api } from '../api.js';
import { info } from '../store.js';
import { Notice } from './entry.js';
import { Field, FormError } from './field.js';
import { Submit, useForm } from './form.js';
import { html, useState } from './html.js';

export function Forgot() {
  const [sent, setSent] = useState(false);
  const { field, busy, message, onSubmit } = useForm({ username: '' }, (values) => api.forgotPassword(values.username.trim()), { done: () => setSent(true) });
  if (info.value?.features?.mail === false) return html`<${Notice} title="Ask an administrator" text="This server sends no mail. An administrator can make you a link to choose a new password." link="/login" linkText="Back to signing in" />`;
  // The same words for every name: who has an account here is not told to strangers.
  if (sent) return html`<${Notice} title="Look at your mail" text="If there is such an account, a link to choose a new password is on its way to its e-mail address. It works once, and not for long." link="/login" linkText="Back to signing in" />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>Forgot your password?</h1><p class="lead">Tell us who you are. We send a link to the e-mail address of your account.</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('username')} label="Username or email" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus />
    <${Submit} busy=${busy} class="btn primary big">Send the link</${Submit}>
    <p class="lead"><a class="inline-link" href="/login">Back to signing in</a></p>
  </form>`;
}

/** @param {{token:string}} props */
export function Reset({ token }) {
  const [state, setState] = useState(/** @type {'open'|'done'|'used'} */ (token ? 'open' : 'used'));
  const choose = async (/** @type {{password:string}} */ { password }) => {
    try {
      await api.resetPassword(token, password);
    } catch (error) {
      if (/** @type {any} */ (error).status !== 404) throw error;
      return setState('used');
    }
    return setState('done');
  };
  const { field, busy, message, onSubmit } = useForm({ password: '' }, choose);
  if (state === 'done') return html`<${Notice} title="Password changed" text="Sign in with your new password. Whoever was signed in to this account no longer is." link="/login" linkText="Sign in" />`;
  if (state === 'used') return html`<${Notice} title="This link no longer works" text="It was used already, or its time is over. Ask for a new one." link=${info.value?.features?.mail ? '/forgot' : '/login'} linkText=${info.value?.features?.mail ? 'Get a new link' : 'Back to signing in'} />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>Choose a password</h1><p class="lead">The link you opened works once.</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('password')} label="New password" type="password" autocomplete="new-password" minlength="8" required autofocus help="At least 8 characters. A sentence works well." />
    <${Submit} busy=${busy} class="btn primary big">Save the password</${Submit}>
  </form>`;
}
