/** Whether somebody sits before this device, told to the server, which makes one dot of all devices. */
import { effect } from '../vendor/signals-core.js';
import { connection } from './store.js';
import { live } from './live.js';

/** Without a touch for this long, nobody is there. */
const IDLE_MS = 5 * 60_000;

export function startActivity() {
  let idle = false;
  let timer = 0;
  // Whatever the dot shows: before this the server puts what its person chose and their hours of quiet, and when those end, or the dot was
  // wrong, it must know who sits here.
  const say = () => live.value?.presence(idle ? 'away' : 'online');
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
