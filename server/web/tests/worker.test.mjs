import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { keyBytes } from '../js/push.js';

/** The worker with a browser around it that only notes what is asked of it. */
function worker(pages = []) {
  const listeners = new Map();
  const seen = { shown: [], opened: [], navigated: [] };
  const self = {
    location: { origin: 'https://chat.example' },
    addEventListener: (name, listener) => listeners.set(name, listener),
    registration: { showNotification: async (title, options) => { seen.shown.push([title, options.body, options.tag, options.data.url]); } },
    clients: { matchAll: async () => pages.map((page) => ({ focus: async () => {}, navigate: async (to) => { seen.navigated.push(to); }, ...page })), openWindow: async (to) => { seen.opened.push(to); } },
  };
  runInNewContext(readFileSync(new URL('../sw.js', import.meta.url), 'utf8'), { self, URL, String });
  const fire = async (name, event) => {
    let work;
    listeners.get(name)({ waitUntil: (promise) => { work = promise; }, ...event });
    await work;
    return seen;
  };
  return { fire };
}
const push = (told) => ({ data: { json: () => told } });

test('a push says who wrote where, and what', async () => {
  const { shown } = await worker().fire('push', push({ notification_id: 'n1', sender: 'Mei', channel_name: 'general', text: 'Lunch?', url: '/channels/c?seq=3' }));
  assert.deepEqual(shown, [['Mei in #general', 'Lunch?', 'n1', '/channels/c?seq=3']]);
});

test('a push without words, or with broken ones, still says that something waits', async () => {
  const broken = { data: { json: () => { throw new Error('no JSON'); } } };
  for (const event of [{}, push({}), broken]) assert.deepEqual((await worker().fire('push', event)).shown.map(([title, , tag]) => [title, tag]), [['Confab', undefined]]);
});

test('who looks at a page is not told twice', async () => {
  assert.deepEqual((await worker([{ focused: true }]).fire('push', push({ sender: 'Mei' }))).shown, []);
  assert.equal((await worker([{ focused: false }]).fire('push', push({ sender: 'Mei' }))).shown.length, 1);
});

test('a click opens pages of this server only', async () => {
  const click = (url) => ({ notification: { close: () => {}, data: { url } } });
  assert.deepEqual((await worker().fire('notificationclick', click('/channels/c?seq=3'))).opened, ['https://chat.example/channels/c?seq=3']);
  assert.deepEqual((await worker().fire('notificationclick', click('https://elsewhere.example/x'))).opened, ['https://chat.example']);
  assert.deepEqual((await worker([{}]).fire('notificationclick', click('/later'))).navigated, ['https://chat.example/later']);
});

test('the server’s key is read as the browser wants it', () => {
  assert.deepEqual([...keyBytes('_-8')], [255, 239]);
  assert.deepEqual([...keyBytes('AQID')], [1, 2, 3]);
});
