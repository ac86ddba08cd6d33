import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { startActivity } from '../js/activity.js';
import { live } from '../js/live.js';
import { connection, me, presences } from '../js/store.js';

test('the server is told who sits here whatever their dot shows: it alone knows what they chose', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  globalThis.window = /** @type {any} */ (globalThis);
  let touch = () => {};
  globalThis.addEventListener = /** @type {any} */ ((/** @type {string} */ _name, /** @type {() => void} */ touched) => { touch = touched; });
  const said = /** @type {string[]} */ ([]);
  live.value = /** @type {any} */ ({ presence: (/** @type {string} */ status) => said.push(status) });
  me.value = { id: 'u1' };
  startActivity();
  mock.timers.tick(300_000);
  assert.deepEqual(said, ['away']);
  // By a mistake of the server, or since they wish to seem so.
  presences.value = new Map([['u1', 'offline']]);
  touch();
  touch();
  assert.deepEqual(said, ['away', 'online']);
  presences.value = new Map([['u1', 'busy']]);
  mock.timers.tick(300_000);
  connection.value = { status: 'online', retryAt: 0, reason: '' };
  assert.deepEqual(said, ['away', 'online', 'away', 'away'], 'a new connection counts as being there');
});
