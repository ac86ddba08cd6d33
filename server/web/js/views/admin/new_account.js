/** An account made for somebody else, or for a program. */
import { api } from '../../api.js';
import { personName } from '../../names.js';
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
  return html`<${Dialog} title=${bot ? 'New bot' : 'New account'} onClose=${close}><form class="dialog-b" onSubmit=${onSubmit}>
    <p class="lead">${bot ? 'An account for a program. It signs in with tokens, which you make next.' : 'For somebody you know. You get a link by which they choose their password.'}</p>
    <${FormError} error=${message} />
    <${Field} ...${field('full_name', 'new-')} label=${bot ? 'Name' : 'Their name'} maxlength="100" autocomplete="off" autofocus />
    <${Field} ...${field('username', 'new-')} label="Username" required maxlength="100" autocomplete="off" autocapitalize="none" spellcheck="false" />
    ${!bot && html`<${Field} ...${field('email', 'new-')} label="Email (optional)" type="email" maxlength="255" autocomplete="off" />
      <${Field} ...${field('password', 'new-')} label="Password (optional)" type="password" minlength="8" autocomplete="new-password" help="Leave it empty to get a link by which they choose their own." />
      ${me.value?.is_superuser && html`<${Check} checked=${values.is_superuser} onChange=${(/** @type {boolean} */ on) => set('is_superuser', on)} help="May do everything, and give it to others.">Superuser</${Check}>`}`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>Cancel</button><${Submit} busy=${busy}>${bot ? 'Make the bot' : 'Make the account'}</${Submit}></div>
  </form></${Dialog}>`;
}

/** @param {{answer:{user:any, reset_url?:string}, bot:boolean, open:()=>void, close:()=>void}} props */
function Made({ answer, bot, open, close }) {
  return html`<${Dialog} title=${bot ? 'The bot is made' : 'The account is made'} onClose=${close}><div class="dialog-b">
    <p class="lead" role="status">${personName(answer.user)} (@${answer.user.username}) ${bot ? 'needs a token to sign in.' : answer.reset_url ? 'can choose a password by this link.' : 'can sign in with the password you chose.'}</p>
    ${answer.reset_url && html`<${Secret} autofocus id="reset-link" label="One-time link" value=${answer.reset_url} help="It works once and is shown only now. Send it to nobody else." />`}
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>Close</button><button type="button" class=${answer.reset_url ? 'btn' : 'btn primary'} onClick=${open}>${bot ? 'Make a token' : 'Open the account'}</button></div>
  </div></${Dialog}>`;
}
