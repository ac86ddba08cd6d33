import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { leave, signedIn } from '../js/session.js';
import { startBrowser } from './served.mjs';

/** A place to draw on that nobody looks at. @returns {any} */
function drawnOn() {
  return { style: {}, dataset: {}, childNodes: [], insertBefore() {}, appendChild() {}, removeChild() {}, setAttribute() {}, removeAttribute() {}, addEventListener() {}, remove() {} };
}

/** @type {Record<string, (event:any) => void>} */
const told = {};
mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
startBrowser();
const made = { createElement: drawnOn, createElementNS: drawnOn, createTextNode: drawnOn, getElementById: drawnOn, addEventListener() {}, documentElement: drawnOn() };
Object.assign(globalThis, { document: made, addEventListener: (/** @type {string} */ kind, /** @type {any} */ listener) => { told[kind] = listener; } });
await import('../js/app.js');
const { dialog, dialogSubject, editing, openDialog } = await import('../js/layout.js');
const { sendMessage } = await import('../js/outbox.js');
const { openPicker, picker } = await import('../js/views/reactions.js');

beforeEach(() => signedIn({ user: { id: 'u1', username: 'amara' }, access_token: 'x.e30.y', expires_in: 1_800 }));

test('whoever closes the tab is asked, while something is not sent', () => {
  let isAsked = false;
  const close = () => { told.beforeunload({ preventDefault: () => { isAsked = true; } }); return isAsked; };
  sendMessage({ channelId: 'c1', content: 'on its way' });
  assert.equal(close(), false);
  mock.timers.tick(2_000);
  assert.equal(close(), true);
});

test('whoever signs in next finds nothing open of the person before', () => {
  openDialog('forward', { content: 'secret' });
  editing.value = 'm1';
  openPicker(drawnOn(), () => {});
  leave('', { isChosen: true });
  assert.deepEqual([dialog.value, dialogSubject.value, editing.value, picker.value], ['', null, '', null]);
});
