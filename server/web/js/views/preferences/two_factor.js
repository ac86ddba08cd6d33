/** Codes at sign-in: setting them up, turning them off, and the recovery codes. */
import { api } from '../../api.js';
import { saveFile } from '../../download.js';
import { notify } from '../../notices.js';
import { info, me } from '../../store.js';
import { groupedSecret, plainCode, recoveryCodeFile } from '../../two_factor.js';
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
  return html`<${Block} title="Second factor" lead="A code from a device of yours, asked for beside the password: who learns your password still cannot sign in."
      state=${value && (enabled ? html`<span class="pill ok">On</span>` : html`<span class="pill warn">Off</span>`)}>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />`
      : doing === 'set-up' ? html`<${TwoFactorSetup} done=${() => { markEnabled(true); void close(); }} cancel=${close} />`
      : !enabled ? (me.value?.has_password === false ? html`<p class="lead">You sign in by another system, which asks for a second factor itself. Choose a password first to use one here.</p>`
        : html`<p class="btns"><button type="button" class="btn primary" onClick=${() => setDoing('set-up')}>Set up</button></p>`)
      : html`<p class=${value.recovery_codes_left < 3 ? 'lead warn' : 'lead'}>${t('recovery_codes_left', { count: value.recovery_codes_left })}</p>
        <p class="btns"><button type="button" class="btn" onClick=${() => setDoing('renew')}>New recovery codes</button>
          ${!value.required && html`<button type="button" class="btn danger" onClick=${() => setDoing('disable')}>Turn off</button>`}</p>
        ${value.required && html`<p class="lead">This workspace asks everyone for a second factor, so it cannot be turned off.</p>`}`}
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
    <${Field} ...${field('password', 'factor-')} label="Current password" type="password" autocomplete="current-password" required help="So that nobody at your unlocked screen can do this." />
    <div class="btns"><${Submit} busy=${busy}>Continue</${Submit}>${cancel && html`<button type="button" class="btn" onClick=${cancel}>Cancel</button>`}</div>
  </form>`;
}

/** @param {{started:{secret:string, otpauth_url:string, qr_svg:string}, confirmed:(codes:string[])=>void, cancel?:()=>void}} props */
function Confirmation({ started, confirmed, cancel }) {
  const { field, busy, message, onSubmit } = useForm({ code: '' }, ({ code }) => api.confirmTwoFactor(plainCode(code)), { done: (answer) => confirmed(answer.recovery_codes) });
  useFocus('factor-code');
  // As an image, not as part of the page: nothing in it can run or reach the page.
  const picture = `data:image/svg+xml;utf8,${encodeURIComponent(started.qr_svg)}`;
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <p class="lead">Scan this with your authenticator app, or <a class="inline-link" href=${started.otpauth_url}>open it on this device</a>.</p>
    <div class="qr"><img src=${picture} alt="QR code for your authenticator app" width="176" height="176" />
      <div><p class="lead">It cannot scan? Type this key into it:</p><code class="key" translate="no">${groupedSecret(started.secret)}</code><${CopyButton} text=${started.secret}>Copy the key</${CopyButton}></div></div>
    <${FormError} error=${message} />
    <${Field} ...${field('code', 'factor-')} label="Code" inputmode="numeric" autocomplete="one-time-code" required maxlength="12" class="otp" help="The six digits that the app shows now." />
    <div class="btns"><${Submit} busy=${busy}>Turn on</${Submit}>${cancel && html`<button type="button" class="btn" onClick=${cancel}>Cancel</button>`}</div>
  </form>`;
}

/** @param {{codes:string[], done:()=>void}} props */
export function RecoveryCodes({ codes, done }) {
  const heading = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => heading.current?.focus(), []);
  const text = recoveryCodeFile(codes, { workspace: info.value?.name ?? 'Confab', username: me.value?.username ?? '', address: location.origin });
  return html`<div class="stack-form">
    <h3 ref=${heading} tabindex="-1">Your recovery codes</h3>
    <p class="lead">Each signs you in once if you lose your device. They are shown only now: keep them somewhere safe.</p>
    <ol class="codes" translate="no">${codes.map((code) => html`<li key=${code}><code>${code}</code></li>`)}</ol>
    <div class="btns"><${CopyButton} text=${codes.join('\n')} /><button type="button" class="btn" onClick=${() => saveFile('recovery-codes.txt', new Blob([text], { type: 'text/plain' }))}>Download</button>
      <button type="button" class="btn primary" onClick=${done}>I have kept them</button></div>
  </div>`;
}

/** @param {{close:()=>void}} props */
function Renew({ close }) {
  const [codes, setCodes] = useState(/** @type {string[]|null} */ (null));
  return html`<${Dialog} title="New recovery codes" onClose=${close}><div class="dialog-b">${codes ? html`<${RecoveryCodes} codes=${codes} done=${close} />`
    : html`<${Proof} lead="The old ones stop working." action="Make new codes" close=${close} run=${(/** @type {object} */ proof) => api.renewRecoveryCodes(proof).then((answer) => setCodes(answer.recovery_codes))} />`}</div></${Dialog}>`;
}

/** @param {{close:()=>Promise<void>}} props */
function Disable({ close }) {
  const disable = async (/** @type {object} */ proof) => {
    await api.disableTwoFactor(proof);
    markEnabled(false);
    await close();
    notify('The second factor is off.');
  };
  return html`<${Dialog} title="Turn the second factor off" onClose=${close}><div class="dialog-b">
    <${Proof} lead="Your password alone will sign you in. Your recovery codes stop working." action="Turn off" danger close=${close} run=${disable} /></div></${Dialog}>`;
}

/** Password and code together, for what would undo their protection. @param {{lead:string, action:string, run:(proof:{password:string, code:string})=>Promise<any>, close:()=>void, danger?:boolean}} props */
function Proof({ lead, action, run, close, danger }) {
  const { field, busy, message, onSubmit } = useForm({ password: '', code: '' }, ({ password, code }) => run({ password, code: plainCode(code) }));
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <p class="lead">${lead}</p>
    <${FormError} error=${message} />
    <${Field} ...${field('password', 'proof-')} label="Current password" type="password" autocomplete="current-password" required autofocus />
    <${Field} ...${field('code', 'proof-')} label="Code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required maxlength="40" class="otp" help="From your device, or a recovery code." />
    <div class="dialog-f"><button type="button" class="btn" onClick=${close}>Cancel</button><${Submit} busy=${busy} class=${danger ? 'btn solid-danger' : 'btn primary'}>${action}</${Submit}></div>
  </form>`;
}

/** @param {string} id the field of a step that just appeared */
function useFocus(id) {
  useEffect(() => document.getElementById(id)?.focus(), []);
}
