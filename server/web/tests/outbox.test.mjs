import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { dropAccessToken } from '../js/api.js';
import { applyEvent } from '../js/events.js';
import { live } from '../js/live.js';
import { discard, resendWaiting, retry, sendMessage, stopSending, waiting, wouldLose } from '../js/outbox.js';
import { channels, connection, forget, me, timelineOf } from '../js/store.js';
import { forgetUnsent, putUnsentAway, restoreUnsent, unsent } from '../js/unsent.js';
import { asked, asksFor, startBrowser, turns } from './served.mjs';

const amara = { id: 'u1', username: 'amara' };
const page = startBrowser();
const posts = () => asksFor('/messages', 'POST');
const send = (content, more = {}) => { sendMessage({ channelId: 'c1', content, ...more }); return turns(); };
const stored = ({ body }, seq) => ({ id: `m${seq}`, channel_id: 'c1', seq, sender_id: amara.id, sender: amara, version: 1, created_at: '', ...body });
const states = () => [...unsent.value.values()].map(({ content, state, offline }) => `${content} ${state}${offline ? ' waits' : ''}`);

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(Math, 'random', () => 1);
  forget();
  me.value = amara;
  channels.value = new Map([['c1', { id: 'c1', kind: 'public', name: 'general', role: 'member', last_seq: 0 }]]);
  asked.length = 0;
});
afterEach(() => {
  stopSending();
  forgetUnsent();
  live.value = null;
  mock.timers.reset();
});

test('of one channel one message is on its way, so that none overtakes another', async () => {
  for (const content of ['a', 'b', 'c']) await send(content);
  sendMessage({ channelId: 'c2', content: 'elsewhere' });
  await turns();
  assert.deepEqual(posts().map(({ body }) => body.content), ['a', 'elsewhere']);
  await posts()[0].say(stored(posts()[0], 1), 201);
  await posts()[2].say({ code: 'channel_archived', detail: 'archived' }, 409);
  assert.deepEqual(posts().map(({ body }) => body.content), ['a', 'elsewhere', 'b', 'c'], 'what is refused for good keeps nobody waiting');
  assert.deepEqual(states(), ['b failed', 'c sending', 'elsewhere sending']);
});

test('what comes behind one that has to wait waits too, and goes out behind it', async () => {
  await send('a');
  await posts()[0].fail();
  assert.deepEqual([states(), waiting().length], [['a failed waits'], 1]);
  await send('b');
  assert.deepEqual(posts().map(({ body }) => body.content), ['a', 'a'], 'it is tried again first');
  await posts()[1].fail();
  assert.deepEqual(states(), ['a failed waits', 'b failed waits']);
  resendWaiting();
  await turns();
  await posts()[2].say(stored(posts()[2], 1), 201);
  await posts()[3].say(stored(posts()[3], 2), 201);
  assert.deepEqual([posts().map(({ body }) => body.content), states()], [['a', 'a', 'a', 'b'], []]);
  assert.equal(new Set(posts().slice(0, 3).map(({ body }) => body.nonce)).size, 1, 'one nonce over all tries');
  assert.deepEqual([timelineOf('c1').items.map(({ seq }) => seq), timelineOf('c1').pending], [[1, 2], []]);
});

test('while the connection is fine nobody resends, so a lost one is tried again by itself, ever later', async () => {
  connection.value = { status: 'online', retryAt: 0, reason: '' };
  live.value = /** @type {any} */ ({ online: true, send: async () => { throw new Error('no answer'); } });
  await send('a');
  for (const wait of [1_000, 2_000, 4_000]) {
    await posts().at(-1).fail();
    const count = posts().length;
    mock.timers.tick(wait - 1);
    await turns();
    assert.equal(posts().length, count);
    mock.timers.tick(1);
    await turns();
    assert.equal(posts().length, count + 1, `after ${wait} ms`);
  }
  assert.deepEqual(states(), ['a sending']);
});

test('a server that is busy is asked again when it says so; what it fails on thrice lets the others pass', async () => {
  await send('a');
  await send('b');
  await posts()[0].say({ code: 'rate_limited', detail: 'slow down' }, 429, { 'retry-after': '7' });
  assert.match([...unsent.value.values()][0].error, /7/);
  mock.timers.tick(6_999);
  await turns();
  assert.equal(posts().length, 1);
  mock.timers.tick(1);
  await turns();
  await posts()[1].say({ code: 'unavailable', detail: 'the record' }, 503);
  mock.timers.tick(30_000);
  await turns();
  await posts()[2].say({ code: 'internal', detail: 'broken' }, 500);
  assert.deepEqual(posts().map(({ body }) => body.content), ['a', 'a', 'a', 'b']);
  assert.deepEqual(states(), ['a failed', 'b sending']);
});

test('the gateway’s refusals pass, or do not', async () => {
  connection.value = { status: 'online', retryAt: 0, reason: '' };
  const refusals = ['busy', 'forbidden'];
  live.value = /** @type {any} */ ({ online: true, send: async () => { throw Object.assign(new Error('no'), { refused: true, code: refusals.shift() }); } });
  await send('a');
  assert.deepEqual(states(), ['a failed waits']);
  mock.timers.tick(1_000);
  await turns();
  assert.deepEqual([states(), posts().length], [['a failed'], 0]);
  retry([...unsent.value.values()][0]);
  await turns();
  assert.equal(states()[0], 'a failed', 'a code that nobody knows is for good');
});

test('what was taken back, or belongs to somebody who left, is sent by nobody’s session', async () => {
  connection.value = { status: 'online', retryAt: 0, reason: '' };
  /** @type {((error:Error) => void)[]} */
  const cut = [];
  live.value = /** @type {any} */ ({ online: true, send: () => new Promise((_resolve, reject) => { cut.push(reject); }) });
  await send('taken back');
  discard([...unsent.value.values()][0]);
  cut[0](new Error('connection lost'));
  await turns();
  await send('of amara');
  forgetUnsent();
  cut[1](new Error('connection lost'));
  await turns();
  assert.equal(posts().length, 0);
});

test('a token that cannot be renewed just now refuses no message', async () => {
  await send('a');
  await send('b');
  await posts()[0].say({ code: 'invalid_token' }, 401);
  assert.deepEqual([states(), posts().length], [['a failed waits', 'b failed waits'], 1]);
});

test('what waits stays in its place, and is settled by its event alone', async () => {
  for (const content of ['a', 'b', 'c']) await send(content);
  await posts()[0].say(stored(posts()[0], 1), 201);
  assert.deepEqual(timelineOf('c1').pending.map(({ content }) => content), ['b', 'c']);
  // The event comes, and the answer never.
  applyEvent(/** @type {any} */ ({ op: 'event', t: 'new_message', pos: 1, channel_id: 'c1', seq: 2, d: stored(posts()[1], 2) }));
  await posts()[1].fail();
  assert.deepEqual([states(), timelineOf('c1').pending.map(({ content }) => content), posts().at(-1).body.content], [['c sending'], ['c'], 'c']);
});

test('what stood behind one on its way goes out when the page begins again', async () => {
  await send('a');
  await send('b');
  stopSending();
  resendWaiting();
  await turns();
  await posts()[1].say(stored(posts()[1], 1), 201);
  assert.deepEqual(posts().map(({ body }) => body.content), ['a', 'a', 'b']);
});

test('a line that breaks in the middle of the answer, or a proxy’s page, refuses no message', async () => {
  await send('a');
  await posts()[0].cut();
  assert.deepEqual(states(), ['a failed waits']);
  for (const status of [200, 404]) {
    resendWaiting();
    await turns();
    await posts().at(-1).page('<p>Back soon</p>', status);
    assert.deepEqual(states(), ['a failed waits']);
  }
});

test('who comes back while what they sent is on its way sends it anew', async () => {
  restoreUnsent(amara.id);
  await send('a');
  dropAccessToken();
  putUnsentAway();
  stopSending();
  restoreUnsent(amara.id);
  resendWaiting();
  await turns();
  await posts()[0].fail();
  assert.deepEqual([states(), posts().length], [['a sending'], 2]);
});

test('a tab that is closed would lose what is on its way on a line that died unnoticed', async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  assert.equal(wouldLose(), false);
  await send('a');
  assert.equal(wouldLose(), false, 'the answer is near');
  mock.timers.tick(1_000);
  assert.equal(wouldLose(), true);
  await posts()[0].say({ code: 'forbidden', detail: 'no' }, 403);
  assert.equal(wouldLose(), false, 'refused for good');
  await send('b');
  await send('c');
  assert.equal(wouldLose(), true, 'one waits for the other');
});

test('more than fifty are not kept, and it is said', async () => {
  for (let number = 0; number < 51; number += 1) sendMessage({ channelId: 'c1', content: `m${number}` });
  await turns();
  const { pending } = timelineOf('c1');
  assert.deepEqual([unsent.value.size, pending.length, pending.at(-1).state, pending.at(-1).offline], [50, 51, 'failed', undefined]);
  assert.ok(pending.at(-1).error);
});

test('after a reload what waited goes out, and what was refused for good is shown and waits for a click', async () => {
  restoreUnsent(amara.id);
  await send('refused');
  await posts()[0].say({ code: 'forbidden', detail: 'no' }, 403);
  await send('on its way');
  // Their session ended: it is kept, and nobody else gets it.
  putUnsentAway();
  assert.equal(unsent.value.size, 0);
  restoreUnsent('u2');
  assert.equal(unsent.value.size, 0);
  putUnsentAway();
  forget();
  me.value = amara;
  restoreUnsent(amara.id);
  asked.length = 0;
  stopSending();
  resendWaiting();
  await turns();
  assert.deepEqual([timelineOf('c1').pending.map(({ content }) => content), states()[0]], [['refused', 'on its way'], 'refused failed']);
  forgetUnsent();
  assert.equal(page.sessionStorage.kept.size, 0, 'who leaves by choice leaves nothing');
});
