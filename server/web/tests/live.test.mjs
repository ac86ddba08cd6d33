import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { backoffMs, Heartbeat, Live } from '../js/live.js';

/** A socket that the test plays the server of. */
class FakeSocket {
  static all = [];

  constructor(address) {
    this.address = address;
    this.readyState = 1;
    this.sent = [];
    FakeSocket.all.push(this);
  }

  send(text) { this.sent.push(JSON.parse(text)); }

  close(code = 1000) { this.fromServerClose(code); }

  fromServerClose(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  async receive(op, d, rest = {}) {
    this.onmessage?.({ data: JSON.stringify({ op, d, ...rest }) });
    await turn();
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const last = () => FakeSocket.all.at(-1);

// The longest wait each time: no test's own retry comes in between.
mock.method(Math, 'random', () => 0.999);

let live;
function start(overrides = {}) {
  const seen = { events: [], ready: 0, resumed: [], states: [], renewed: 0 };
  FakeSocket.all = [];
  live = new Live('ws://server/ws', {
    token: async () => 'token',
    renewToken: async () => { seen.renewed += 1; return 'token2'; },
    event: (event) => seen.events.push(event.pos),
    signal: () => {},
    ready: () => { seen.ready += 1; },
    resumed: (d) => seen.resumed.push(d),
    connection: (state) => seen.states.push(state),
    ...overrides,
  }, FakeSocket);
  live.start();
  return seen;
}
async function online(pos = 10) {
  await last().receive('hello', { heartbeat_ms: 30_000, epoch: 'e', head: pos });
  await last().receive('ready', { epoch: 'e', pos });
}
afterEach(() => live?.stop());

test('identifies first, and applies only what is past its position', async () => {
  const seen = start();
  await online(10);
  assert.deepEqual(last().sent, [{ op: 'identify', d: { token: 'token' } }]);
  for (const pos of [9, 10, 11, 11, 13, 12, 14]) await last().receive('event', {}, { t: 'x', pos });
  assert.deepEqual(seen.events, [11, 13, 14]);
  assert.equal(live.cursor.pos, 14);
});

test('a server that is busy when a token is to be renewed sends nobody to the sign-in page', async () => {
  const seen = start({ renewToken: async () => { throw Object.assign(new Error('busy'), { isFinal: false }); } });
  await online();
  last().fromServerClose(4015);
  await turn();
  assert.equal(seen.states.at(-1).status, 'offline');
});

test('woken while a token is renewed, it opens one socket', async () => {
  /** @type {(token:string) => void} */
  let renewed = () => {};
  start({ renewToken: () => new Promise((resolve) => { renewed = resolve; }) });
  await online();
  last().fromServerClose(4015);
  live.wake();
  renewed('token2');
  await turn();
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.timers.tick(30_000);
  mock.timers.reset();
  assert.equal(FakeSocket.all.length, 2);
});

test('woken and lost again while a token is renewed, it waits once', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  /** @type {(token:string) => void} */
  let renewed = () => {};
  start({ renewToken: () => new Promise((resolve) => { renewed = resolve; }) });
  await online();
  last().fromServerClose(4015);
  live.wake();
  last().fromServerClose(1006);
  await turn();
  renewed('token2');
  await turn();
  // Less than the patience with a server that says no hello.
  mock.timers.tick(5_000);
  mock.timers.reset();
  assert.equal(FakeSocket.all.length, 3);
});

test('comes back with its cursor', async () => {
  const seen = start();
  await online(10);
  await last().receive('event', {}, { t: 'x', pos: 12 });
  last().fromServerClose(4013);
  await turn();
  live.retryNow();
  await last().receive('hello', { heartbeat_ms: 30_000 });
  assert.deepEqual(last().sent, [{ op: 'resume', d: { token: 'token', epoch: 'e', pos: 12 } }]);
  await last().receive('event', {}, { t: 'x', pos: 12 });
  await last().receive('event', {}, { t: 'x', pos: 13 });
  await last().receive('resumed', { replayed: 1, pos: 13, presences: [] });
  assert.deepEqual([seen.events, seen.resumed, seen.ready], [[12, 13], [{ replayed: 1, pos: 13, presences: [] }], 1]);
});

test('invalid: identifies anew on the same socket, and the page fetches again', async () => {
  const seen = start();
  await online(10);
  last().fromServerClose(1006);
  await turn();
  live.retryNow();
  await last().receive('hello', { heartbeat_ms: 30_000 });
  await last().receive('invalid', { reason: 'too_far' });
  assert.deepEqual(last().sent.map(({ op }) => op), ['resume', 'identify']);
  await last().receive('ready', { epoch: 'f', pos: 99 });
  assert.deepEqual([seen.ready, live.cursor], [2, { epoch: 'f', pos: 99 }]);
});

test('a send is settled by its acknowledgement, refused by its error, and lost with the connection', async () => {
  start();
  await online();
  const sent = live.send({ channel_id: 'c', content: 'a', nonce: 'n1' });
  await last().receive('ack', { nonce: 'n1', message: { id: 'm1' } });
  assert.deepEqual(await sent, { id: 'm1' });
  const refused = live.send({ channel_id: 'c', content: 'b', nonce: 'n2' });
  last().receive('error', { nonce: 'n2', code: 'too_long', message: 'Too long.' });
  await assert.rejects(refused, { message: 'Too long.', code: 'too_long', refused: true });
  const lost = live.send({ channel_id: 'c', content: 'c', nonce: 'n3' });
  last().fromServerClose(1006);
  await assert.rejects(lost, (error) => !error.refused);
  await assert.rejects(live.send({ channel_id: 'c', content: 'd', nonce: 'n4' }), (error) => !error.refused);
});

test('close codes: a new token for an old one, an end for a revoked session', async () => {
  const seen = start();
  await online();
  last().fromServerClose(4015);
  await turn();
  assert.equal(seen.renewed, 1);
  assert.equal(seen.states.at(-1).status, 'offline');
  live.retryNow();
  await online();
  last().fromServerClose(4010);
  await turn();
  assert.deepEqual([seen.states.at(-1).status, seen.states.at(-1).reason], ['stopped', 'signed_out']);
});

test('a refused token ends the session, a line that breaks or a strange answer does not', async () => {
  let isFinal = false;
  const seen = start({ renewToken: async () => { throw Object.assign(new Error('no'), { isFinal }); } });
  last().fromServerClose(4004);
  await turn();
  assert.equal(seen.states.at(-1).status, 'offline');
  isFinal = true;
  live.retryNow();
  last().fromServerClose(4004);
  await turn();
  assert.equal(seen.states.at(-1).reason, 'signed_out');
});

test('the server may name the wait', async () => {
  const seen = start();
  await online();
  const before = Date.now();
  await last().receive('reconnect', { after_ms: 7_000 });
  await turn();
  const { status, retryAt } = seen.states.at(-1);
  assert.equal(status, 'offline');
  assert.ok(retryAt - before >= 6_900 && retryAt - before <= 7_500);
});

test('broken frames are survived', async () => {
  start();
  await online();
  last().onmessage({ data: '{' });
  await last().receive('later_operation', {});
  assert.equal(live.online, true);
});

test('back-off: full jitter, growing, capped', () => {
  assert.deepEqual([0, 1, 4, 20].map((attempt) => backoffMs(attempt, () => 0.999999)), [499, 999, 7_999, 29_999]);
  assert.equal(backoffMs(5, () => 0), 0);
});

test('beats of many come apart, and end with the line', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const heartbeat = new Heartbeat();
  let beats = 0;
  const chance = mock.method(Math, 'random', () => 0);
  heartbeat.start(() => { beats += 1; if (beats === 3) heartbeat.stop(); }, 30_000);
  mock.timers.tick(22_499);
  assert.equal(beats, 0);
  mock.timers.tick(1);
  assert.equal(beats, 1, 'after three quarters at the soonest');
  chance.mock.mockImplementation(() => 0.999);
  mock.timers.tick(22_500);
  assert.equal(beats, 2);
  mock.timers.tick(29_000);
  assert.equal(beats, 2, 'each after a while of its own');
  mock.timers.tick(1_000);
  assert.equal(beats, 3);
  mock.timers.tick(120_000);
  assert.equal(beats, 3, 'none after the line was found dead');
  mock.timers.reset();
});
