/** Starts the client: theme, address, session, then either the entry pages or the workspace. */
import { signal } from '../vendor/signals-core.js';
import { startActivity } from './activity.js';
import { api, onTwoFactorMissing } from './api.js';
import { closePanel, dialog, dialogSubject, startTheme } from './layout.js';
import { live } from './live.js';
import { notify } from './notices.js';
import { navigate, preferencesPath, route, startRouter } from './router.js';
import { restore, startSession } from './session.js';
import { info, me, unreadTotal } from './store.js';
import { mustSetUpTwoFactor } from './two_factor.js';
import { t } from './words.js';
import { call, voice } from './voice/state.js';
import { startLive, startUpkeep, stopLive } from './workspace.js';
import { html, render, useEffect } from './views/html.js';
import { lazy } from './views/lazy.js';
import { picker } from './views/reactions.js';
import { Shell } from './views/shell.js';

// Who is signed in already needs neither.
const Entry = lazy(() => import('./views/entry.js'), 'Entry', { class: 'starting' });
const TwoFactorGate = lazy(() => import('./views/two_factor_gate.js'), 'TwoFactorGate', { class: 'starting' });

/** starting: not known yet who is here; unreachable: the server did not answer the first question */
const phase = signal(/** @type {'starting'|'unreachable'|'ready'} */ ('starting'));
const endReason = signal('');

function App() {
  useEffect(() => {
    document.title = `${unreadTotal.value ? `(${unreadTotal.value}) ` : ''}${info.value?.name ?? 'Confab'}`;
  }, [unreadTotal.value, info.value?.name]);
  if (phase.value === 'starting') return html`<p class="starting" role="status">${t('opening_the_workspace')}</p>`;
  if (phase.value === 'unreachable') {
    return html`<main class="starting"><p>${t('the_server_could_not_be_reached')}</p><button class="btn" onClick=${start}>${t('try_again')}</button></main>`;
  }
  if (!me.value) return html`<${Entry} reason=${endReason.value} entered=${() => enter()} />`;
  return mustSetUpTwoFactor(me.value) ? html`<${TwoFactorGate} done=${passGate} />` : html`<${Shell} />`;
}

/** The second factor is set up: the workspace opens. */
function passGate() {
  me.value = { ...me.value, two_factor_enabled: true };
  startLive();
}

/** There is a session: the workspace opens, at the address that was asked for. @param {boolean} [wasHere] it is that of an earlier visit */
function enter(wasHere = false) {
  endReason.value = '';
  const { name, error } = route.value;
  if (name === 'login' && error && wasHere) {
    // Linking another way to sign in also comes back to the sign-in page when it fails.
    const said = import('./sign_in.js').then(({ signInMessage }) => signInMessage(error), () => t('signing_in_did_not_work_try'));
    void said.then((text) => notify(text, { bad: true }));
    navigate(preferencesPath('security'), { replace: true });
  } else if (['login', 'register', 'setup', 'forgot', 'reset', 'missing'].includes(name)) navigate('/', { replace: true });
  if (!mustSetUpTwoFactor(me.value)) startLive();
}

async function start() {
  phase.value = 'starting';
  try {
    info.value = await api.info();
    // Who follows a link to choose a password means that, whoever is signed in on this device.
    const entering = info.value.setup_required || ['setup', 'reset'].includes(route.value.name);
    if (!entering && (await restore())) enter(true);
    phase.value = 'ready';
  } catch {
    phase.value = 'unreachable';
  }
}

startTheme();
startRouter();
startSession({
  renewed: (token) => { live.value?.reauth(token); if (call.value) void voice().then((calls) => calls.renewCall(token)); },
  ended: (reason) => {
    endReason.value = reason;
    closePanel();
    // The next person would see the message that the last one was about to forward.
    [dialog.value, dialogSubject.value, picker.value] = ['', null, null];
    stopLive();
  },
});
onTwoFactorMissing(() => {
  // Also after the policy changed while the page was open.
  if (!me.value || mustSetUpTwoFactor(me.value)) return;
  stopLive();
  closePanel();
  me.value = { ...me.value, two_factor_required: true, two_factor_enabled: false, has_password: true };
});
startUpkeep();
startActivity();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('root')));
void start();
