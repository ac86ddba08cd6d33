/** How the others see me: names, words, picture, status. */
import { api } from '../../page_api.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { me, meet, ownAccount } from '../../store.js';
import { Field, FormError, TextArea } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html } from '../html.js';
import { Block, SettingsPage } from '../settings.js';
import { Picture } from './picture.js';
import { StatusForm } from './status.js';

const BIO_CHARACTERS = 1_000;

export function Profile() {
  return html`<${SettingsPage} title=${t('profile')} lead=${t('how_the_others_in_this_workspace')}>
    <${Block} title=${t('picture_2')}><${Picture} /></${Block}>
    <${Block} title=${t('status')} lead=${t('a_few_words_beside_your_name')}><${StatusForm} done=${() => notify(t('your_status_is_set'))} /></${Block}>
    <${Block} title=${t('about_you')}><${Names} /></${Block}>
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
      notify(t('your_profile_is_saved'));
    },
  });
  const { values, field, busy, message, onSubmit } = form;
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('full_name')} label=${t('your_name')} autocomplete="name" maxlength="100" />
    <${TextArea} ...${field('bio')} label=${t('about_you')} rows="3" maxlength=${BIO_CHARACTERS} help=${t('what_you_do_when_you_work')} />
    <${Field} ...${field('username')} label=${t('username')} autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="100" help=${t('what_people_write_after_to_mention')} />
    <${Field} ...${field('email')} label=${t('email')} type="email" autocomplete="email" required=${Boolean(email)} maxlength="255" help=${t('only_you_and_administrators_see_it')} />
    ${newEmail(values) && me.value?.has_password !== false && html`<${Field} ...${field('current_password')} label=${t('current_password')} type="password" autocomplete="current-password" required help=${t('a_new_address_can_be_used')} />`}
    <div class="btns"><${Submit} busy=${busy}>${t('save')}</${Submit}></div>
  </form>`;
}
