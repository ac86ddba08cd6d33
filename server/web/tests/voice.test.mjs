import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { applySignal } from '../js/events.js';
import { signedIn } from '../js/session.js';
import { me, voiceRooms } from '../js/store.js';
import { joinCall, leaveCall, setDeafened, setMuted } from '../js/voice/call.js';
import { VoiceLink } from '../js/voice/link.js';
import { Pace } from '../js/voice/pace.js';
import { Peer } from '../js/voice/peer.js';
import { withRoom, withWord } from '../js/voice/rooms.js';
import { loudest, SpeechGate } from '../js/voice/speech.js';
import { call, standing } from '../js/voice/state.js';

mock.method(Math, 'random', () => 0);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const one = (id, more = {}) => ({ participant_id: id, user_id: `user-${id}`, muted: false, deafened: false, speaking: false, sharing: false, joined_at: '', ...more });

/** A clock that the test turns. */
function clock() {
  const timers = [];
  const now = { ms: 0 };
  return {
    timers, now,
    parts: { now: () => now.ms, wait: (work, ms) => timers.push({ work, at: now.ms + ms }), cancel: () => timers.splice(0) },
    forward(ms) {
      for (const until = now.ms + ms; timers.length && timers[0].at <= until;) {
        const { work, at } = timers.shift();
        now.ms = Math.max(now.ms, at);
        work();
      }
      now.ms += 0;
    },
  };
}

test('never says more in ten seconds than the server takes', () => {
  const time = clock();
  const sent = [];
  const pace = new Pace((frame) => sent.push({ at: time.now.ms, ...frame }), time.parts);
  for (let number = 0; number < 300; number += 1) pace.say('offer', { to: 'b', number });
  time.forward(120_000);
  assert.equal(sent.length, 300);
  assert.deepEqual(sent.map((frame) => frame.d.number), [...Array(300).keys()], 'in order');
  for (const { at } of sent) assert.ok(sent.filter((frame) => frame.at >= at && frame.at < at + 10_000).length <= 100);
});

test('nor more candidates, nor more bytes; a room of twelve gets all at once', () => {
  const time = clock();
  const sent = [];
  const pace = new Pace((frame) => sent.push({ at: time.now.ms, ...frame }), time.parts);
  const candidate = { candidate: 'c'.repeat(120), sdpMid: '0' };
  for (let to = 0; to < 11; to += 1) pace.say('candidate', { to, candidates: Array(20).fill(candidate) });
  assert.equal(sent.length, 11);
  for (let to = 11; to < 49; to += 1) pace.say('candidate', { to, candidates: Array(20).fill(candidate) });
  for (let to = 0; to < 98; to += 1) pace.say('offer', { to, sdp: 'v'.repeat(10_000) });
  pace.say('offer', { to: 'b', sdp: 'v'.repeat(1_000_000) });
  pace.say('mute', { muted: true });
  time.forward(300_000);
  assert.equal(sent.length, 149, 'what is too large for ever stops nothing');
  const most = (count) => Math.max(...sent.map(({ at }) => sent.filter((frame) => frame.at >= at && frame.at < at + 10_000).reduce((sum, frame) => sum + count(frame.d), 0)));
  assert.ok(most((d) => d.candidates?.length ?? 0) <= 500);
  sent.splice(sent.findIndex(({ d }) => d.sdp?.length > 10_000));
  assert.ok(most((d) => (d.sdp ?? d.candidates.map((one) => one.candidate + one.sdpMid).join('')).length) <= 512 * 1_024);
});

test('what waits is said once: the last word on how I show, and candidates together', () => {
  const time = clock();
  const sent = [];
  const pace = new Pace((frame) => sent.push(frame), time.parts);
  for (let number = 0; number < 50; number += 1) pace.say('offer', { to: 'b' });
  sent.length = 0;
  for (const speaking of [true, false, true]) pace.say('speaking', { speaking });
  for (const candidate of ['x', 'y']) for (const to of ['b', 'c']) pace.say('candidate', { to, candidates: [{ candidate }] });
  time.forward(60_000);
  assert.deepEqual(sent, [
    { op: 'speaking', d: { speaking: true } },
    { op: 'candidate', d: { to: 'b', candidates: [{ candidate: 'x' }, { candidate: 'y' }] } },
    { op: 'candidate', d: { to: 'c', candidates: [{ candidate: 'x' }, { candidate: 'y' }] } },
  ]);
});

test('a pause between words is no end of speaking', () => {
  const gate = new SpeechGate();
  assert.deepEqual([[0.001, 0], [0.015, 100], [0.05, 200], [0.015, 300], [0.001, 700], [0.001, 899], [0.001, 900], [0.015, 1000]].map(([level, at]) => gate.hear(level, at)),
    [false, false, true, true, true, true, false, false]);
  const samples = new Float32Array(8192);
  samples.fill(0.5, 3072, 4096);
  assert.equal(loudest(samples), 0.5, 'a short word');
});

test('who is in follows what the server says', () => {
  const both = withWord([one('a')], 'participant_joined', one('b'));
  assert.deepEqual(both.map((it) => it.participant_id), ['a', 'b']);
  assert.equal(withWord(both, 'participant_joined', one('b')).length, 2, 'told twice');
  assert.equal(withWord(both, 'participant_updated', one('a', { muted: true }))[0].muted, true);
  assert.deepEqual(withWord(both, 'participant_left', { participant_id: 'a' }), [one('b')]);
  assert.equal(withWord(both, 'a_word_of_a_newer_server', {}), both);
  assert.equal(withRoom(new Map([['c', both]]), 'c', []).size, 0);
  applySignal({ op: 'signal', t: 'voice', channel_id: 'c', d: { participants: [one('a')] } });
  assert.deepEqual(voiceRooms.value.get('c'), [one('a')]);
});

test('the bar says how it goes', () => {
  const now = { status: 'in', self: 'a', participants: [one('a'), one('b'), one('c')], states: {} };
  assert.equal(standing({ ...now, status: 'reconnecting' }).words, 'Reconnecting');
  assert.equal(standing({ ...now, participants: [one('a')] }).words, 'You are alone');
  assert.equal(standing({ ...now, states: { b: 'connected' } }).words, 'Connecting');
  assert.equal(standing({ ...now, states: { b: 'connected', c: 'connected' } }).words, 'Connected');
  assert.deepEqual(standing({ ...now, states: { b: 'connected', c: 'failed' } }), { words: 'No connection to 1 of 2', isBad: true });
});

/** A socket that the test plays the server of. */
class FakeSocket {
  static all = [];

  constructor(address) {
    Object.assign(this, { address, readyState: 1, sent: [] });
    FakeSocket.all.push(this);
  }

  send(text) { this.sent.push(JSON.parse(text)); }

  close(code = 1000) { this.end(code); }

  end(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }

  async receive(op, d) {
    this.onmessage?.({ data: JSON.stringify({ op, d }) });
    await turn();
  }
}

function start() {
  const seen = { joined: [], frames: [], lost: 0, ended: [], forced: 0 };
  FakeSocket.all = [];
  const link = new VoiceLink('ws://server/ws/voice/c', {
    token: async (force) => { if (force) seen.forced += 1; return 'token'; },
    self: () => ({ muted: true, deafened: false }),
    joined: (d) => seen.joined.push(d.participant_id),
    frame: (op, d) => seen.frames.push([op, d]),
    lost: () => { seen.lost += 1; },
    ended: (reason) => seen.ended.push(reason),
  }, FakeSocket);
  link.start();
  return { link, seen, socket: () => FakeSocket.all.at(-1) };
}
async function enter(socket) {
  await socket.receive('hello', { heartbeat_ms: 30_000 });
  await socket.receive('ready', {});
  await socket.receive('joined', { participant_id: 'a', participants: [], ice_servers: [] });
}

test('says who it is, joins, passes on, and leaves', async () => {
  const { link, seen, socket } = start();
  link.say('mute', { muted: true });
  await enter(socket());
  assert.deepEqual(socket().sent, [{ op: 'identify', d: { token: 'token' } }, { op: 'join', d: { muted: true, deafened: false } }], 'nothing before it is in');
  await socket().receive('offer', { from: 'b', sdp: 'v=0' });
  assert.deepEqual([seen.joined, seen.frames], [['a'], [['offer', { from: 'b', sdp: 'v=0' }]]]);
  link.say('mute', { muted: false });
  link.stop();
  assert.deepEqual(socket().sent.slice(2), [{ op: 'mute', d: { muted: false } }, { op: 'leave', d: {} }]);
});

test('comes back after a lost connection, and not where it may not be', async () => {
  const { link, seen, socket } = start();
  await enter(socket());
  socket().end(1006);
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual([seen.lost, FakeSocket.all.length], [1, 2]);
  await enter(socket());
  socket().end(4015);
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual([seen.forced, FakeSocket.all.length], [1, 3], 'with a new token');
  await enter(socket());
  await socket().receive('error', { code: 'channel_archived' });
  socket().end(4016);
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  assert.deepEqual([seen.ended, FakeSocket.all.length], [['This channel is archived: nobody talks there.'], 3]);
  link.stop();
});

test('a minute without the server ends no call, and two do', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { link, seen, socket } = start();
  const away = async (seconds) => {
    for (let at = 0; at < seconds; at += 1) {
      if (socket().readyState === 1) socket().end(1006);
      await turn();
      context.mock.timers.tick(1_000);
    }
  };
  await enter(socket());
  await away(60);
  assert.deepEqual(seen.ended, []);
  for (let at = 0; at < 10 && socket().readyState !== 1; at += 1) {
    context.mock.timers.tick(1_000);
    await turn();
  }
  await enter(socket());
  assert.deepEqual(seen.joined, ['a', 'a']);
  await away(130);
  assert.equal(seen.ended.length, 1);
  link.stop();
});

test('whoever never came in gives up sooner', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { link, seen, socket } = start();
  for (let at = 0; at < 60 && !seen.ended.length; at += 1) {
    if (socket().readyState === 1) socket().end(1006);
    await turn();
    context.mock.timers.tick(1_000);
  }
  assert.equal(seen.ended.length, 1);
  link.stop();
});

test('a crowd at the door turns nobody away', async () => {
  const { link, seen, socket } = start();
  for (let times = 1; times <= 12; times += 1) {
    await socket().receive('hello', { heartbeat_ms: 30_000 });
    await socket().receive('reconnect', { after_ms: 1 });
    socket().end(4012);
    await new Promise((resolve) => { setTimeout(resolve, 10); });
    assert.deepEqual([seen.ended, FakeSocket.all.length], [[], times + 1]);
  }
  await enter(socket());
  assert.deepEqual(seen.joined, ['a']);
  link.stop();
});

/** As much of a connection as deciding who offers needs. */
class FakeConnection {
  constructor() {
    Object.assign(this, { signalingState: 'stable', connectionState: 'new', done: [], localDescription: null });
  }

  async setLocalDescription(description) {
    await turn();
    if (description?.type === 'rollback') { this.signalingState = 'stable'; return; }
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    this.signalingState = type === 'offer' ? 'have-local-offer' : 'stable';
    this.localDescription = { type, sdp: `${type} of mine` };
  }

  async setRemoteDescription({ type }) {
    await turn();
    this.done.push(type);
    this.signalingState = type === 'offer' ? 'have-remote-offer' : 'stable';
  }

  async addIceCandidate({ candidate }) { this.done.push(candidate); }

  addTransceiver() { this.onnegotiationneeded?.(); }

  addTrack(track) {
    const sender = { track, replaceTrack: async (next) => { sender.track = next; } };
    this.lines = [...this.getTransceivers(), { sender, direction: 'sendrecv' }];
    this.onnegotiationneeded?.();
    return sender;
  }

  removeTrack(sender) {
    sender.track = null;
    this.lines.find((line) => line.sender === sender).direction = 'recvonly';
  }

  getTransceivers() { return this.lines ?? []; }

  restartIce() { this.done.push('restart'); }

  close() { this.signalingState = 'closed'; }
}

function peer(polite) {
  const said = [];
  const made = new Peer({ id: 'b', polite, iceServers: [], say: (op, d) => said.push([op, d.sdp ?? d.candidates]), voice: () => null, heard: () => {}, state: () => {} }, FakeConnection);
  return { made, said, connection: made.connection };
}

test('of two offers at once the impolite one holds, and candidates wait for their description', async (context) => {
  const [rude, kind] = [peer(false), peer(true)];
  context.after(() => { rude.made.close(); kind.made.close(); });
  rude.made.begin();
  await rude.made.take('offer', { sdp: 'theirs' });
  await turn();
  assert.deepEqual([rude.connection.done, rude.said.map(([op]) => op)], [[], ['offer']]);
  void rude.made.take('answer', { sdp: 'theirs' });
  await rude.made.take('candidate', { candidates: [{ candidate: 'c' }] });
  assert.deepEqual(rude.connection.done, ['answer', 'c']);
  kind.made.begin();
  await kind.made.take('offer', { sdp: 'theirs' });
  assert.deepEqual(kind.connection.done, ['offer']);
  assert.ok(kind.said.some(([op]) => op === 'answer'), 'it answers although it offered');
});

test('candidates that are found together travel together', async (context) => {
  const { made, said } = peer(true);
  context.after(() => made.close());
  for (const candidate of ['x', 'y', '']) made.connection.onicecandidate({ candidate: candidate ? { candidate, toJSON: () => candidate } : null });
  await new Promise((resolve) => { setTimeout(resolve, 80); });
  assert.deepEqual(said, [['candidate', ['x', 'y']]]);
});

test('a screen that is shown again stands where it stood: descriptions do not grow until the server refuses them', (context) => {
  globalThis.MediaStream = class {};
  const { made, connection } = peer(true);
  context.after(() => made.close());
  const shown = () => connection.lines.map(({ sender, direction }) => [sender.track, direction]);
  for (const screen of ['first', 'second']) {
    made.show(screen);
    assert.deepEqual(shown(), [[screen, 'sendrecv']]);
    made.show(null);
    assert.deepEqual(shown(), [[null, 'recvonly']]);
  }
});

/** In a call, with a microphone, in a browser that the test plays. @param {any} context @param {any[]} others @param {() => void} [before] done while it is not known yet that I am in */
async function inCall(context, others = [], before = () => {}) {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  const track = { enabled: true, stop: () => {} };
  const microphone = { getTracks: () => [track], getAudioTracks: () => [track] };
  const analyser = { getFloatTimeDomainData: () => {} };
  const browser = {
    window: globalThis, location: new URL('http://server/'), WebSocket: FakeSocket, RTCPeerConnection: FakeConnection, MediaStream: class {},
    navigator: { mediaDevices: { getUserMedia: async () => microphone } },
    AudioContext: class { createAnalyser() { return analyser; } createMediaStreamSource() { return { connect: () => {} }; } close() {} },
  };
  for (const [name, value] of Object.entries(browser)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  FakeSocket.all = [];
  signedIn({ user: { id: 'user-k' }, access_token: 'token', expires_in: 600 });
  context.after(() => { leaveCall(); me.value = null; });
  await joinCall('c');
  const socket = FakeSocket.all[0];
  await socket.receive('hello', { heartbeat_ms: 30_000 });
  await socket.receive('ready', {});
  before();
  await socket.receive('joined', { participant_id: 'k', participants: [...others, one('k')], ice_servers: [] });
  await turn();
  const after = async (ms) => { context.mock.timers.tick(ms); await turn(); await turn(); };
  return { socket, after, said: (...ops) => socket.sent.filter(({ op }) => ops.includes(op)).map(({ op, d }) => `${op} ${d.to ?? Object.values(d)}`) };
}

test('who comes offers, and who was there waits for it', async (context) => {
  const { socket, after, said } = await inCall(context, [one('b')]);
  await socket.receive('participant_joined', one('b'));
  await socket.receive('participant_joined', one('k'));
  await socket.receive('participant_joined', one('m'));
  await after(1_000);
  await socket.receive('offer', { from: 'm', sdp: 'theirs' });
  await after(5_000);
  assert.deepEqual(said('offer', 'answer'), ['offer b', 'answer m']);
});

test('of two who both wait for the other’s offer each makes one, also when they had lost sight of each other', async (context) => {
  const { socket, after, said } = await inCall(context);
  for (const sent of [['offer b'], ['offer b', 'offer b']]) {
    await socket.receive('participant_joined', one('b'));
    await after(1_999);
    assert.equal(said('offer').length, sent.length - 1);
    await after(1);
    assert.deepEqual(said('offer'), sent);
    await socket.receive('participant_left', { participant_id: 'b', user_id: 'user-b' });
  }
  await socket.receive('participant_joined', one('b'));
  await socket.receive('participant_left', { participant_id: 'b', user_id: 'user-b' });
  await after(5_000);
  assert.equal(said('offer').length, 2, 'nobody is there');
});

test('nobody is waited for outside the call', async (context) => {
  const made = context.mock.method(FakeConnection.prototype, 'addTrack');
  const { socket, after, said } = await inCall(context);
  await socket.receive('participant_joined', one('b'));
  socket.end(1006);
  await after(2_000);
  const again = FakeSocket.all.at(-1);
  await again.receive('hello', { heartbeat_ms: 30_000 });
  await again.receive('ready', {});
  await again.receive('joined', { participant_id: 'l', participants: [one('l')], ice_servers: [] });
  await again.receive('participant_joined', one('c'));
  leaveCall();
  await after(5_000);
  assert.deepEqual([made.mock.callCount(), said('offer'), call.value], [0, [], null]);
});

test('whoever lost sight of me has a new connection, and so have I: the old one fits no offer of theirs', async (context) => {
  const closed = context.mock.method(FakeConnection.prototype, 'close');
  const { socket, after, said } = await inCall(context);
  const sdp = (number) => `v=0\r\no=- ${number} 2 IN IP4 127.0.0.1\r\ns=-\r\n`;
  await socket.receive('participant_joined', one('b'));
  for (const number of [7, 7, 8]) {
    await socket.receive('offer', { from: 'b', sdp: sdp(number) });
    await after(10);
    assert.equal(closed.mock.callCount(), number === 8 ? 1 : 0);
  }
  assert.deepEqual(said('offer', 'answer'), ['answer b', 'answer b', 'answer b']);
  await socket.receive('answer', { from: 'b', sdp: sdp(9) });
  await after(2_000);
  assert.deepEqual([closed.mock.callCount(), said('offer')], [2, ['offer b']], 'an answer of another connection is none to my offer');
  await socket.receive('answer', { from: 'b', sdp: sdp(9) });
  await after(10);
  await socket.receive('offer', { from: 'b', sdp: sdp(10) });
  assert.equal(closed.mock.callCount(), 3);
});

test('who mutes or hears nothing while they come in shows so', async (context) => {
  const { socket, said } = await inCall(context, [], () => { setMuted(true); setDeafened(true); });
  assert.deepEqual(socket.sent.slice(0, 2).map(({ op, d }) => [op, d.muted, d.deafened]), [['identify', undefined, undefined], ['join', false, false]]);
  assert.deepEqual(said('mute', 'deafen'), ['mute true', 'deafen true']);
});

test('who changed nothing while they came in says nothing of it', async (context) => {
  const { said } = await inCall(context);
  assert.deepEqual(said('mute', 'deafen'), []);
});
