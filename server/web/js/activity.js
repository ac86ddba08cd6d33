/** Whether somebody sits before this device, told to the server, which makes one dot of all devices. */
import { effect } from '../vendor/signals-core.js';
import { connection, me, presences } from './store.js';
import { live } from './live.js';

/** Without a touch for this long, nobody is there. */
const IDLE_MS = 5 * 60_000;

export function startActivity() {
  let idle = false;
  let timer = 0;
  const say = () => {
    const shown = presences.peek().get(me.peek()?.id ?? '');
    // Who chose to be busy, or to seem offline, stays so.
    if (shown && shown !== 'online' && shown !== 'away') return;
    live.value?.presence(idle ? 'away' : 'online');
  };
  const touched = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => { idle = true; say(); }, IDLE_MS);
    if (!idle) return;
    idle = false;
    say();
  };
  for (const name of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']) addEventListener(name, touched, { passive: true, capture: true });
  touched();
  // A new connection counts as being there.
  effect(() => { if (connection.value.status === 'online' && idle) say(); });
}
