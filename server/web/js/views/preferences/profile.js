/** How the others see me: names, words, picture, status. */
import { api } from '../../api.js';
import { notify } from '../../notices.js';
import { me, meet, ownAccount } from '../../store.js';
import { Field, FormError, TextArea } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html } from '../html.js';
import { Block, SettingsPage } from '../settings.js';
import { Picture } from './picture.js';
import { StatusForm } from './status.js';

const BIO_CHARACTERS = 1_000;

export function Profile() {
  return html`<${SettingsPage} title="Profile" lead="How the others in this workspace see you.">
    <${Block} title="Picture"><${Picture} /></${Block}>
    <${Block} title="Status" lead="A few words beside your name, such as “At lunch” or “Reviewing until three”."><${StatusForm} done=${() => notify('Your status is set.')} /></${Block}>
    <${Block} title="About you"><${Names} /></${Block}>
  </${SettingsPage}>`;
}

/** What changed, and the password only where it is asked for. @param {any} values */
function changes(values) {
  const account = me.value ?? {};
  const named = ['full_name', 'bio', 'username', 'email'].map((name) => [name, values[name].trim()]).filter(([name, value]) => value !== (account[name] ?? ''));
  return { ...Object.fromEntries(named), ...(newEmail(values) ? { current_password: values.current_password } : {}) };
}

/** @param {any} values */
function newEmail(values) {
  return values.email.trim() !== (me.value?.email ?? '');
}

function Names() {
  const { full_name = '', bio = '', username = '', email = '' } = me.value ?? {};
  const form = useForm({ full_name: full_name ?? '', bio: bio ?? '', username, email: email ?? '', current_password: '' }, (values) => api.changeMe(changes(values)), {
    done: (account) => {
      me.value = ownAccount({ bio: null, email: null, ...account });
      meet([account]);
      // As the server keeps them, which trims.
      for (const name of ['full_name', 'bio', 'username', 'email']) form.set(name, account[name] ?? '');
      form.set('current_password', '');
      notify('Your profile is saved.');
    },
  });
  const { values, field, busy, message, onSubmit } = form;
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('full_name')} label="Your name" autocomplete="name" maxlength="100" />
    <${TextArea} ...${field('bio')} label="About you" rows="3" maxlength=${BIO_CHARACTERS} help="What you do, when you work, what to ask you." />
    <${Field} ...${field('username')} label="Username" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="100" help="What people write after @ to mention you." />
    <${Field} ...${field('email')} label="Email" type="email" autocomplete="email" required=${Boolean(email)} maxlength="255" help="Only you and administrators see it." />
    ${newEmail(values) && me.value?.has_password !== false && html`<${Field} ...${field('current_password')} label="Current password" type="password" autocomplete="current-password" required help="A new address can be used to choose a new password, so this is asked for." />`}
    <div class="btns"><${Submit} busy=${busy}>Save</${Submit}></div>
  </form>`;
}
