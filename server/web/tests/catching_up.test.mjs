import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { beganAnew, hear, isReading, loadChannels, mustRead, stopReading } from '../js/catching_up.js';
import { applySignal } from '../js/events.js';
import { live } from '../js/live.js';
import { changeTimeline, channels, channelsLoaded, channelWanted, forget, me, members, myStatus, presences, statuses, timelineOf, voiceRooms } from '../js/store.js';
import { loadLatest } from '../js/pages.js';
import { joined, startLive, startUpkeep, stopLive } from '../js/workspace.js';

const amara = { id: 'u1', username: 'amara' };
const jonas = { id: 'u2', username: 'jonas' };
const mei = { id: 'u3', username: 'mei' };

/** What was asked of the server, in order, each with its answer to be given. @type {{path:string, answer:(items:any[]) => Promise<void>, say:(body:any) => Promise<void>, refuse:() => Promise<void>}[]} */
let asked = [];
const turns = async () => { for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve)); };
const readings = () => asked.filter(({ path }) => path.endsWith('/channels/me'));

globalThis.location = /** @type {any} */ (new URL('http://server/'));
globalThis.WebSocket = /** @type {any} */ (class { close() {} });
mock.method(globalThis, 'fetch', (address) => new Promise((resolve) => {
  const said = (response) => { resolve(response); return turns(); };
  asked.push({
    path: new URL(String(address)).pathname,
    answer: (items) => said(Response.json({ items, next_cursor: null })),
    say: (body) => said(Response.json(body)),
    refuse: () => said(Response.json({ code: 'busy', detail: 'busy' }, { status: 503 })),
  });
}));

let pos = 0;
const tell = (t, d, seq) => hear({ op: 'event', t, pos: ++pos, channel_id: 'c1', ...(seq ? { seq } : {}), d });
const say = (seq, more = {}) => tell('new_message', { id: `m${seq}`, channel_id: 'c1', seq, sender_id: jonas.id, sender: jonas, content: '', version: 1, created_at: '', ...more }, seq);
const mark = (seq, unread = 0, mentions = 0) => tell('read_updated', { channel_id: 'c1', user_id: amara.id, seq, unread_count: unread, mention_count: mentions });
const listed = (more) => [{ id: 'c1', kind: 'public', name: 'general', role: 'member', last_seq: 0, read_seq: 0, unread_count: 0, mention_count: 0, member_count: 2, ...more }];
const seqs = () => timelineOf('c1').items.map(({ seq }) => seq);
const counts = () => { const { read_seq: read, unread_count: unread, mention_count: mentions } = channels.value.get('c1'); return [read, unread, mentions]; };

/** The channels are read; the answer is not there yet. @param {() => void} [again] */
function read(again = () => {}) {
  void loadChannels(again).catch(() => {});
  return readings().at(-1);
}

beforeEach(async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  mock.method(Math, 'random', () => 0.5);
  forget();
  me.value = amara;
  channelWanted.value = '';
  await read().answer(listed());
  changeTimeline('c1', (timeline) => timeline);
  asked = [];
});
afterEach(() => {
  stopLive();
  stopReading();
  mock.timers.reset();
});

test('what an earlier session told is not taken anew: nobody says what came behind it', async () => {
  beganAnew();
  const first = read();
  for (const seq of [1, 2, 3, 4, 5]) say(seq);
  mark(5);
  beganAnew();
  const second = read();
  say(851);
  await second.answer(listed({ last_seq: 850, read_seq: 3, unread_count: 847 }));
  await first.answer(listed({ last_seq: 3, unread_count: 3 }));
  assert.deepEqual([seqs(), counts()], [[851], [3, 848, 0]]);
});

test('after more than is kept the channels are read at once, and then ever later, in place of a list with a hole', async () => {
  let again = 0;
  const busy = async () => {
    const reading = read(() => { again += 1; });
    const last = channels.value.get('c1').last_seq;
    for (let seq = last + 1; seq <= last + 2_001; seq += 1) say(seq);
    await reading.answer(listed({ last_seq: last + 1 }));
  };
  await busy();
  assert.deepEqual([seqs(), mustRead()], [[], true]);
  mock.timers.tick(1);
  assert.equal(again, 1);
  await busy();
  mock.timers.tick(4_999);
  assert.equal(again, 1);
  mock.timers.tick(1);
  assert.equal(again, 2);
  await read().answer(listed());
  assert.equal(mustRead(), false);
});

test('what the answer holds is not counted twice, and a mark that it holds wipes nothing out', async () => {
  const reading = read();
  mark(10);
  say(11, { mentions: [amara.id] });
  await reading.answer(listed({ last_seq: 11, read_seq: 10, unread_count: 1, mention_count: 1 }));
  say(12);
  assert.deepEqual([counts(), channelWanted.value], [[10, 2, 1], '']);
});

test('a mark that the answer lacks is taken, and what came behind it is counted', async () => {
  const reading = read();
  say(11);
  mark(10, 1);
  mark(11);
  say(12);
  await reading.answer(listed({ last_seq: 10, read_seq: 5, unread_count: 5 }));
  assert.deepEqual([counts(), channelWanted.value], [[11, 1, 0], '']);
});

test('of my marks the last one holds, and the server says what does when it lies before the answer’s', async () => {
  const reading = read();
  mark(10);
  mark(3, 7);
  await reading.answer(listed({ last_seq: 10, read_seq: 3, unread_count: 7 }));
  assert.deepEqual([counts(), channelWanted.value], [[3, 7, 0], '']);
  const later = read();
  mark(2, 8);
  await later.answer(listed({ last_seq: 10, read_seq: 3, unread_count: 7 }));
  assert.deepEqual([counts(), channelWanted.value], [[3, 7, 0], 'c1']);
});

test('whoever came or went beside the answer is counted once', async () => {
  const people = () => [channels.value.get('c1').member_count, members.value.get('c1')?.length];
  const reading = read();
  const cameAndWent = () => {
    tell('member_left', { channel_id: 'c1', user_id: jonas.id }, 4);
    tell('member_joined', { channel_id: 'c1', user: mei, role: 'member' }, 5);
    tell('member_joined', { channel_id: 'c1', user: { id: 'u4', username: 'noor' }, role: 'member' }, 6);
  };
  cameAndWent();
  await reading.answer(listed({ last_seq: 4, member_count: 1 }));
  assert.deepEqual(people(), [3, undefined]);
  // One that lacks them all, while those who are listed were changed already.
  members.value = new Map([['c1', [amara, jonas].map((user) => ({ user, role: 'member' }))]]);
  channels.value = new Map([['c1', { ...listed({ last_seq: 3 })[0] }]]);
  const older = read();
  cameAndWent();
  assert.deepEqual(people(), [3, 3]);
  await older.answer(listed({ last_seq: 3, member_count: 2 }));
  assert.deepEqual(people(), [3, 3]);
});

test('what could not be read is asked for later each time, by lot, and soon again after a success', async () => {
  const waits = [];
  const refusedAfter = async () => {
    let due = false;
    await read(() => { due = true; }).refuse();
    let ms = 0;
    for (; !due; ms += 500) mock.timers.tick(500);
    waits.push(ms);
  };
  for (let time = 0; time < 6; time += 1) await refusedAfter();
  await read().answer(listed());
  await refusedAfter();
  assert.deepEqual(waits, [2_500, 5_000, 10_000, 20_000, 30_000, 30_000, 2_500]);
});

test('a line that comes and goes does not begin the reading anew, a new session does', async () => {
  channelsLoaded.value = false;
  startLive();
  const { ready, resumed } = live.value.handlers;
  ready({ presences: [] });
  for (let time = 0; time < 3; time += 1) resumed({});
  assert.equal(readings().length, 1);
  say(1);
  ready({ presences: [] });
  assert.equal(readings().length, 2);
  await readings()[0].answer(listed());
  assert.equal(channelsLoaded.value, false);
  resumed({});
  await readings()[1].answer(listed({ last_seq: 1, unread_count: 1 }));
  assert.deepEqual([readings().length, channelsLoaded.value, isReading(), counts()], [2, true, false, [0, 1, 0]]);
});

test('a page that was asked for before the windows were emptied is left: what came between is in neither', async () => {
  await read().answer(listed({ last_seq: 5 }));
  void loadLatest('c1');
  const before = asked.at(-1);
  beganAnew();
  await read().answer(listed({ last_seq: 850 }));
  say(851);
  await before.answer([{ id: 'm5', channel_id: 'c1', seq: 5, sender_id: jonas.id, sender: jonas, content: '', version: 1, created_at: '' }]);
  assert.deepEqual([seqs(), timelineOf('c1').loaded, timelineOf('c1').loading], [[851], false, '']);
});

const asksFor = (end) => asked.filter(({ path }) => path.endsWith(end));

test('dots that changed while nothing was heard are told with the rest; an older server’s silence changes none', () => {
  startLive();
  const { ready, resumed, signal } = live.value.handlers;
  const dots = () => [...presences.value].map((dot) => dot.join(' '));
  ready({ presences: [{ user_id: jonas.id, status: 'online', text: 'Here' }, { user_id: mei.id, status: 'away' }] });
  resumed({ presences: [{ user_id: mei.id, status: 'busy', text: 'Reviewing' }] });
  assert.deepEqual([dots(), [...statuses.value.keys()]], [['u3 busy'], [mei.id]]);
  signal({ op: 'signal', t: 'presence', d: { user_id: mei.id, status: 'online' } });
  resumed({});
  assert.deepEqual([dots(), statuses.value.size], [['u3 online'], 0]);
  // Of more than it says at once the server says a part, which puts nobody else out.
  resumed({ presences: Array.from({ length: 500 }, (_, number) => ({ user_id: `x${number}`, status: 'online' })) });
  assert.deepEqual([presences.value.size, presences.value.get(mei.id)], [501, 'online']);
});

test('what I say of myself is asked for when the line is back; what I am told meanwhile is newer', async () => {
  startLive();
  live.value.handlers.resumed({});
  await asksFor('/users/u1/status')[0].say({ user_id: amara.id, status: 'busy', text: 'Reviewing', expires_at: null });
  assert.equal(myStatus.value.text, 'Reviewing');
  live.value.handlers.resumed({});
  applySignal({ op: 'signal', t: 'presence', d: { user_id: amara.id, status: 'online', text: 'Here' } });
  await asksFor('/users/u1/status')[1].say({ user_id: amara.id, status: 'busy', text: 'Reviewing', expires_at: null });
  assert.deepEqual([myStatus.value.status, myStatus.value.text], ['online', 'Here']);
  // Asked for twice: the answer to the first question is the older one, whichever comes first.
  live.value.handlers.resumed({});
  live.value.handlers.resumed({});
  await asksFor('/users/u1/status')[2].say({ user_id: amara.id, status: 'away', expires_at: null });
  await asksFor('/users/u1/status')[3].say({ user_id: amara.id, status: 'busy', expires_at: null });
  assert.equal(myStatus.value.status, 'busy');
  myStatus.value = null;
  live.value.handlers.resumed({});
  forget();
  await asksFor('/users/u1/status')[4].say({ user_id: amara.id, status: 'busy', text: 'Reviewing', expires_at: null });
  assert.equal(myStatus.value, null, 'nobody is here any more');
});

test('whoever comes into a voice channel asks who talks there, once it is told to them from then on', async () => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  globalThis.document = /** @type {any} */ ({ hidden: false, addEventListener: () => {} });
  globalThis.addEventListener = /** @type {any} */ (() => {});
  globalThis.history = /** @type {any} */ ({ pushState: () => {} });
  startUpkeep();
  const studio = { id: 'c1', kind: 'voice', name: 'studio', role: 'member', last_seq: 1, member_count: 1, created_at: '2026-11-20T09:00:00Z' };
  const rooms = async () => {
    for (const { say: answer } of asksFor('/channels/c1').splice(-1)) await answer(studio);
    return asksFor('/channels/c1/voice').length;
  };
  const mine = () => tell('member_joined', { channel_id: 'c1', user: amara, role: 'member' }, 1);
  channels.value = new Map();
  mine();
  assert.equal(await rooms(), 1, 'somebody let me in');
  await asksFor('/channels/c1/voice')[0].say({ channel_id: 'c1', participants: [{ participant_id: 'p' }], participants_limit: 12 });
  assert.deepEqual(voiceRooms.value.get('c1'), [{ participant_id: 'p' }]);
  // I joined, and the answer to that was faster than the event.
  channels.value = new Map([['c1', { ...studio, role: null }]]);
  joined(studio);
  assert.equal(asksFor('/channels/c1/voice').length, 1);
  mine();
  assert.equal(await rooms(), 2);
  channels.value = new Map([['c1', { ...studio, kind: 'public' }]]);
  mine();
  tell('member_joined', { channel_id: 'c1', user: jonas, role: 'member' }, 2);
  assert.equal(asksFor('/channels/c1').length, 2, 'nobody talks in other channels');
});

test('a channel that became mine while the server was busy is asked for when the line is back', async () => {
  startLive();
  channels.value = new Map();
  tell('member_joined', { channel_id: 'c1', user: amara, role: 'member' }, 1);
  await asksFor('/channels/c1')[0].refuse();
  live.value.handlers.resumed({});
  await asksFor('/channels/c1')[1].say(listed({ created_at: 'x' })[0]);
  assert.equal(channels.value.get('c1')?.role, 'member');
});
