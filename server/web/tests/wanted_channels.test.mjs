import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { hear } from '../js/catching_up.js';
import { channels, forget, me } from '../js/store.js';
import { fetchAgain, startFetching, stopFetching } from '../js/wanted_channels.js';
import { asked, asksFor, startBrowser, turns } from './served.mjs';

startBrowser();
startFetching();
const amara = { id: 'u1', username: 'amara' };
let pos = 0;
const tell = (t, d) => hear({ op: 'event', t, pos: ++pos, channel_id: d.channel_id, seq: pos, d });
const letIn = (id) => { tell('member_joined', { channel_id: id, user: amara, role: 'member' }); return turns(); };
const asks = (id) => asksFor(`/channels/${id}`);
const found = (id) => ({ id, kind: 'private', name: id, role: 'member', last_seq: 3, created_at: 'x', member_count: 2 });
const shown = () => [...channels.value.keys()];

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(Math, 'random', () => 0.999);
  forget();
  me.value = amara;
  asked.length = 0;
});
afterEach(() => {
  stopFetching();
  mock.timers.reset();
});

test('a channel that was lost while it was asked for is not put back', async () => {
  await letIn('c5');
  tell('member_left', { channel_id: 'c5', user_id: amara.id });
  await asks('c5')[0].say(found('c5'));
  assert.deepEqual(shown(), []);
  // Lost and won again: the answer to the first question is the older one.
  await letIn('c5');
  tell('member_left', { channel_id: 'c5', user_id: amara.id });
  await letIn('c5');
  await asks('c5')[1].say({ ...found('c5'), name: 'old' });
  assert.deepEqual(shown(), []);
  await asks('c5')[2].say(found('c5'));
  assert.equal(channels.value.get('c5').name, 'c5');
});

test('a channel that the server could not tell of just now is asked for again, ever later', async () => {
  await letIn('c6');
  await asks('c6')[0].say({ code: 'rate_limited', detail: 'slow down' }, 429, { 'retry-after': '7' });
  mock.timers.tick(6_999);
  assert.equal(asks('c6').length, 1);
  for (const wait of [1, 7_992, 15_984]) {
    const count = asks('c6').length;
    mock.timers.tick(wait - 1);
    assert.equal(asks('c6').length, count);
    mock.timers.tick(1);
    await turns();
    assert.equal(asks('c6').length, count + 1, `after ${wait} ms`);
    await asks('c6').at(-1).fail();
  }
  // The line is back.
  fetchAgain();
  await turns();
  await asks('c6').at(-1).say(found('c6'));
  assert.deepEqual(shown(), ['c6']);
  const count = asked.length;
  mock.timers.tick(60_000);
  await turns();
  assert.equal(asked.length, count);
});

test('what is refused, lost, or wanted by somebody who left is asked for no more', async () => {
  for (const id of ['refused', 'lost', 'left']) await letIn(id);
  await asks('refused')[0].say({ code: 'not_found', detail: 'no' }, 404);
  for (const id of ['lost', 'left']) await asks(id)[0].fail();
  tell('member_left', { channel_id: 'lost', user_id: amara.id });
  fetchAgain();
  await turns();
  assert.deepEqual(['refused', 'lost', 'left'].map((id) => asks(id).length), [1, 1, 2]);
  await asks('left')[1].fail();
  stopFetching();
  fetchAgain();
  mock.timers.tick(60_000);
  await turns();
  assert.equal(asks('left').length, 2);
});
