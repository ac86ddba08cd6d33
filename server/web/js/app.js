/** Starts the client: theme, address, session, then either the entry pages or the workspace. */
import { signal } from '../vendor/signals-core.js';
import { api } from './api.js';
import { closePanel, startTheme } from './layout.js';
import { navigate, route, startRouter } from './router.js';
import { restore, startSession } from './session.js';
import { info, me, unreadTotal } from './store.js';
import { live, startLive, startUpkeep, stopLive } from './workspace.js';
import { Entry } from './views/entry.js';
import { html, render, useEffect } from './views/html.js';
import { Shell } from './views/shell.js';

/** starting: not known yet who is here; unreachable: the server did not answer the first question */
const phase = signal(/** @type {'starting'|'unreachable'|'ready'} */ ('starting'));
const endReason = signal('');

function App() {
  useEffect(() => {
    document.title = `${unreadTotal.value ? `(${unreadTotal.value}) ` : ''}${info.value?.name ?? 'Confab'}`;
  }, [unreadTotal.value, info.value?.name]);
  if (phase.value === 'starting') return html`<p class="starting" role="status">Opening the workspace…</p>`;
  if (phase.value === 'unreachable') {
    return html`<main class="starting"><p>The server could not be reached.</p><button class="btn" onClick=${start}>Try again</button></main>`;
  }
  return me.value ? html`<${Shell} />` : html`<${Entry} reason=${endReason.value} entered=${enter} />`;
}

/** There is a session: the workspace opens, at the address that was asked for. */
function enter() {
  endReason.value = '';
  if (['login', 'register', 'setup', 'missing'].includes(route.value.name)) navigate('/', { replace: true });
  startLive();
}

async function start() {
  phase.value = 'starting';
  try {
    info.value = await api.info();
    const entering = info.value.setup_required || route.value.name === 'setup';
    if (!entering && (await restore())) enter();
    phase.value = 'ready';
  } catch {
    phase.value = 'unreachable';
  }
}

startTheme();
startRouter();
startSession({
  renewed: (token) => live?.reauth(token),
  ended: (reason) => {
    endReason.value = reason;
    closePanel();
    stopLive();
  },
});
startUpkeep();
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById('root')));
void start();
