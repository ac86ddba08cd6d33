/** Codes at sign-in: setting them up, turning them off, and the recovery codes. */
import { api } from '../../page_api.js';
import { saveFile } from '../../download.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { info, me } from '../../store.js';
import { groupedSecret, plainCode, recoveryCodeFile } from '../../two_factor_codes.js';
import { Dialog } from '../dialog.js';
import { Field, FormError } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { CopyButton } from '../secret.js';
import { Block } from '../settings.js';

export function TwoFactor() {
  const { value, error, reload } = useLoaded(() => api.twoFactor());
  const [doing, setDoing] = useState(/** @type {''|'set-up'|'renew'|'disable'} */ (''));
  const close = async () => {
    await reload();
    setDoing('');
  };
  const enabled = Boolean(value?.enabled);
  return html`<${Block} title=${t('second_factor')} lead=${t('a_code_from_a_device_of')}
      state=${value && (enabled ? html`<span class="pill ok">${t('on_2')}</span>` : html`<span class="pill warn">${t('off')}</span>`)}>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />`
      : doing === 'set-up' ? html`<${TwoFactorSetup} done=${() => { markEnabled(true); void close(); }} cancel=${close} />`
      : !enabled ? (me.value?.has_password === false ? html`<p class="lead">${t('you_sign_in_by_another_system')}</p>`
        : html`<p class="btns"><button type="button" class="btn primary" onClick=${() => setDoing('set-up')}>${t('set_up')}</button></p>`)
      : html`<p class=${value.recovery_codes_left < 3 ? 'lead warn' : 'lead'}>${t('recovery_codes_left', { count: value.recovery_codes_left })}</p>
        <p class="btns"><button type="button" class="btn" onClick=${() => setDoing('renew')}>${t('new_recovery_codes')}</button>
          ${!value.required && html`<button type="button" class="btn danger" onClick=${() => setDoing('disable')}>${t('turn_off')}</button>`}</p>
        ${value.required && html`<p class="lead">${t('this_workspace_asks_everyone_for_a')}</p>`}`}
    ${doing === 'renew' && html`<${Renew} close=${close} />`}
    ${doing === 'disable' && html`<${Disable} close=${close} />`}
  </${Block}>`;
}

/** @param {boolean} enabled */
function markEnabled(enabled) {
  me.value = { ...me.value, two_factor_enabled: enabled };
}

/** Password, then picture and code, then the recovery codes. @param {{done:()=>void, cancel?:()=>void}} props */
export function TwoFactorSetup({ done, cancel }) {
  const [started, setStarted] = useState(/** @type {{secret:string, otpauth_url:string, qr_svg:string}|null} */ (null));
  const [codes, setCodes] = useState(/** @type {string[]|null} */ (null));
  if (codes) return html`<${RecoveryCodes} codes=${codes} done=${done} />`;
  if (started) return html`<${Confirmation} started=${started} confirmed=${setCodes} cancel=${cancel} />`;
  return html`<${Beginning} begun=${setStarted} cancel=${cancel} />`;
}

/** @param {{begun:(started:any)=>void, cancel?:()=>void}} props */
function Beginning({ begun, cancel }) {
  const { field, busy, message, onSubmit } = useForm({ password: '' }, ({ password }) => api.startTwoFactor(password), { done: begun });
  useFocus('factor-password');
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('password', 'factor-')} label=${t('current_password')} type="password" autocomplete="current-password" required help=${t('so_that_nobody_at_your_unlocked')} />
    <div class="btns"><${Submit} busy=${busy}>${t('continue')}</${Submit}>${cancel && html`<button type="button" class="btn" onClick=${cancel}>${t('cancel')}</button>`}</div>
  </form>`;
}

/** @param {{started:{secret:string, otpauth_url:string, qr_svg:string}, confirmed:(codes:string[])=>void, cancel?:()=>void}} props */
function Confirmation({ started, confirmed, cancel }) {
  const { field, busy, message, onSubmit } = useForm({ code: '' }, ({ code }) => api.confirmTwoFactor(plainCode(code)), { done: (answer) => confirmed(answer.recovery_codes) });
  useFocus('factor-code');
  // As an image, not as part of the page: nothing in it can run or reach the page.
  const picture = `data:image/svg+xml;utf8,${encodeURIComponent(started.qr_svg)}`;
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <p class="lead">${t('scan_this_with_your_authenticator_app')} <a class="inline-link" href=${started.otpauth_url}>${t('open_it_on_this_device')}</a>.</p>
    <div class="qr"><img src=${picture} alt=${t('qr_code_for_your_authenticator_app')} width="176" height="176" />
      <div><p class="lead">${t('it_cannot_scan_type_this_key')}</p><code class="key" translate="no">${groupedSecret(started.secret)}</code><${CopyButton} text=${started.secret}>${t('copy_the_key')}</${CopyButton}></div></div>
    <${FormError} error=${message} />
    <${Field} ...${field('code', 'factor-')} label=${t('code')} inputmode="numeric" autocomplete="one-time-code" required maxlength="12" class="otp" help=${t('the_six_digits_that_the_app')} />
    <div class="btns"><${Submit} busy=${busy}>${t('turn_on')}</${Submit}>${cancel && html`<button type="button" class="btn" onClick=${cancel}>${t('cancel')}</button>`}</div>
  </form>`;
}

/** @param {{codes:string[], done:()=>void}} props */
export function RecoveryCodes({ codes, done }) {
  const heading = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => heading.current?.focus(), []);
  const text = recoveryCodeFile(codes, { workspace: info.value?.name ?? 'Confab', username: me.value?.username ?? '', address: location.origin });
  return html`<div class="stack-form">
    <h3 ref=${heading} tabindex="-1">${t('your_recovery_codes')}</h3>
    <p class="lead">${t('each_signs_you_in_once_if')}</p>
    <ol class="codes" translate="no">${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}</ol>
    <div class="btns"><${CopyButton} text=${codes.join('\n')} /><button type="button" class="btn" onClick=${() => saveFile('recovery-codes.txt', new Blob([text], { type: 'text/plain' }))}>${t('download_2')}</button>
      <button type="button" class="btn primary" onClick=${done}>${t('i_have_kept_them')}</button></div>
  </div>`;
}

/** @param {{close:()=>void}} props */
function Renew({ close }) {
  const [codes, setCodes] = useState(/** @type {string[]|null} */ (null));
  return html`<${Dialog} title=${t('new_recovery_codes')} onClose=${close}><div class="dialog-b">${codes ? html`<${RecoveryCodes} codes=${codes} done=${close} />`
    : html`<${Proof} lead=${t('the_old_ones_stop_working')} action=${t('make_new_codes')} close=${close} run=${(/** @type {object} */ proof) => api.renewRecoveryCodes(proof).then((answer) => setCodes(answer.recovery_codes))} />`}</div></${Dialog}>`;
}

/** @param {{close:()=>Promise<void>}} props */
function Disable({ close }) {
  const disable = async (/** @type {object} */ proof) => {
    await api.disableTwoFactor(proof);
    markEnabled(false);
    await close();
    notify(t('the_second_factor_is_off'));
  };
  return html`<${Dialog} title=${t('turn_the_second_factor_off')} onClose=${close}><div class="dialog-b">
    <${Proof} lead=${t('your_password_alone_will_sign_you')} action=${t('turn_off')} danger close=${close} run=${disable} /></div></${Dialog}>`;
}

/** Password and code together, for what would undo their protection. @param {{lead:string, action:string, run:(proof:{password:string, code:string})=>Promise<any>, close:()=>void, danger?:boolean}} props */
function Proof({ lead, action, run, close, danger }) {
  const { field, busy, message, onSubmit } = useForm({ password: '', code: '' }, ({ password, code }) => run({ password, code: plainCode(code) }));
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <p class="lead">${lead}</p>
    <${FormError} error=${message} />
    <${Field} ...${field('password', 'proof-')} label=${t('current_password')} type="password" autocomplete="current-password" required autofocus />
    <${Field} ...${field('code', 'proof-')} label=${t('code')} autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required maxlength="40" class="otp" help=${t('from_your_device_or_a_recovery')} />
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>${t('cancel')}</button><${Submit} busy=${busy} class=${danger ? 'btn solid-danger' : 'btn primary'}>${action}</${Submit}></div>
  </form>`;
}

/** @param {string} id the field of a step that just appeared */
function useFocus(id) {
  useEffect(() => document.getElementById(id)?.focus(), []);
}
