/** An account made for somebody else, or for a program. */
import { api } from '../../page_api.js';
import { personName } from '../../names.js';
import { t } from '../../page_words.js';
import { me } from '../../store.js';
import { Dialog } from '../dialog.js';
import { Check, Field, FormError } from '../field.js';
import { present, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { Secret } from '../secret.js';

/** @param {{bot:boolean, made:(account:any)=>void, open:(account:any)=>void, close:()=>void}} props open: shows the new account */
export function NewAccount({ bot, made, open, close }) {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const create = (/** @type {any} */ { is_superuser: isSuperuser, ...values }) => api.createAccount({ ...present(values), ...(bot ? { is_bot: true } : {}), ...(isSuperuser ? { is_superuser: true } : {}) });
  const { values, set, field, busy, message, onSubmit } = useForm({ full_name: '', username: '', email: '', password: '', is_superuser: false }, create, {
    done: (result) => {
      made(result.user);
      setAnswer(result);
    },
  });
  if (answer) return html`<${Made} answer=${answer} bot=${bot} close=${close} open=${() => { close(); open(answer.user); }} />`;
  return html`<${Dialog} title=${bot ? t('new_bot') : t('new_account')} onClose=${close}><form class="dialog-b" onSubmit=${onSubmit}>
    <p class="lead">${bot ? t('an_account_for_a_program_it') : t('for_somebody_you_know_you_get')}</p>
    <${FormError} error=${message} />
    <${Field} ...${field('full_name', 'new-')} label=${bot ? t('name') : t('their_name')} maxlength="100" autocomplete="off" autofocus />
    <${Field} ...${field('username', 'new-')} label=${t('username')} required maxlength="100" autocomplete="off" autocapitalize="none" spellcheck="false" />
    ${!bot && html`<${Field} ...${field('email', 'new-')} label=${t('email_optional')} type="email" maxlength="255" autocomplete="off" />
      <${Field} ...${field('password', 'new-')} label=${t('password_optional')} type="password" minlength="8" autocomplete="new-password" help=${t('leave_it_empty_to_get_a')} />
      ${me.value?.is_superuser && html`<${Check} checked=${values.is_superuser} onChange=${(/** @type {boolean} */ on) => set('is_superuser', on)} help=${t('may_do_everything_and_give_it')}>${t('superuser')}</${Check}>`}`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('cancel')}</button><${Submit} busy=${busy}>${bot ? t('make_the_bot') : t('make_the_account')}</${Submit}></div>
  </form></${Dialog}>`;
}

/** @param {{answer:{user:any, reset_url?:string}, bot:boolean, open:()=>void, close:()=>void}} props */
function Made({ answer, bot, open, close }) {
  return html`<${Dialog} title=${bot ? t('the_bot_is_made') : t('the_account_is_made')} onClose=${close}><div class="dialog-b">
    <p class="lead" role="status">${personName(answer.user)} (@${answer.user.username}) ${bot ? t('needs_a_token_to_sign_in') : answer.reset_url ? t('can_choose_a_password_by_this') : t('can_sign_in_with_the_password')}</p>
    ${answer.reset_url && html`<${Secret} autofocus id="reset-link" label=${t('one_time_link')} value=${answer.reset_url} help=${t('it_works_once_and_is_shown')} />`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('close')}</button><button type="button" class=${answer.reset_url ? 'btn' : 'btn primary'} onClick=${open}>${bot ? t('make_a_token') : t('open_the_account')}</button></div>
  </div></${Dialog}>`;
}
