/** The ways back in for those who do not know their password. */
import { api } from '../page_api.js';
import { t } from '../page_words.js';
import { info } from '../store.js';
import { Notice } from './entry.js';
import { Field, FormError } from './field.js';
import { Submit, useForm } from './form.js';
import { html, useState } from './html.js';

export function Forgot() {
  const [sent, setSent] = useState(false);
  const { field, busy, message, onSubmit } = useForm({ username: '' }, (values) => api.forgotPassword(values.username.trim()), { done: () => setSent(true) });
  if (info.value?.features?.mail === false) return html`<${Notice} title=${t('ask_an_administrator')} text=${t('this_server_sends_no_mail_an')} link="/login" linkText=${t('back_to_signing_in')} />`;
  // The same words for every name: who has an account here is not told to strangers.
  if (sent) return html`<${Notice} title=${t('look_at_your_mail')} text=${t('if_there_is_such_an_account')} link="/login" linkText=${t('back_to_signing_in')} />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>${t('forgot_your_password')}</h1><p class="lead">${t('tell_us_who_you_are_we')}</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('username')} label=${t('username_or_email')} autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus />
    <${Submit} busy=${busy} class="btn primary big">${t('send_the_link')}</${Submit}>
    <p class="lead"><a class="inline-link" href="/login">${t('back_to_signing_in')}</a></p>
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
  if (state === 'done') return html`<${Notice} title=${t('password_changed')} text=${t('sign_in_with_your_new_password')} link="/login" linkText=${t('sign_in')} />`;
  if (state === 'used') return html`<${Notice} title=${t('this_link_no_longer_works')} text=${t('it_was_used_already_or_its')} link=${info.value?.features?.mail ? '/forgot' : '/login'} linkText=${info.value?.features?.mail ? t('get_a_new_link') : t('back_to_signing_in')} />`;
  return html`<form onSubmit=${onSubmit}>
    <div><h1>${t('choose_a_password')}</h1><p class="lead">${t('the_link_you_opened_works_once')}</p></div>
    <${FormError} error=${message} />
    <${Field} ...${field('password')} label=${t('new_password')} type="password" autocomplete="new-password" minlength="8" required autofocus help=${t('at_least_8_characters_a_sentence')} />
    <${Submit} busy=${busy} class="btn primary big">${t('save_the_password')}</${Submit}>
  </form>`;
}
