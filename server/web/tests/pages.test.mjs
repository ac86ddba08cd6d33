import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { hear } from '../js/catching_up.js';
import { changes } from '../js/changes.js';
import { markRead } from '../js/marks.js';
import { forgetPages, forgiveFailures, leaveChannelView, loadAround, loadEarlierReplies, loadLatest, loadMore, openThread } from '../js/pages.js';
import { bookmarks, changeTimeline, channels, channelsLoaded, forget, me, quotes, thread, threads, timelineOf } from '../js/store.js';
import { withFollowed } from '../js/threads.js';
import { WINDOW } from '../js/timeline.js';
import { joined } from '../js/workspace.js';
import { asked, asksFor, startBrowser, turns } from './served.mjs';

startBrowser();
const amara = { id: 'u1', username: 'amara' };
const jonas = { id: 'u2', username: 'jonas' };
const message = (seq, more = {}) => ({ id: `m${seq}`, channel_id: 'c1', seq, sender_id: jonas.id, sender: jonas, content: `text ${seq}`, version: 1, created_at: '2026-11-20T09:00:00Z', ...more });
const range = (from, to, more = {}) => Array.from({ length: to - from + 1 }, (_, at) => message(from + at, more));
const listed = (more = {}) => ({ id: 'c1', kind: 'public', name: 'general', role: 'member', last_seq: 1_000, read_seq: 1_000, unread_count: 0, mention_count: 0, member_count: 2, created_at: 'x', ...more });
let pos = 0;
const tell = (t, d, seq) => hear({ op: 'event', t, pos: ++pos, channel_id: 'c1', seq, d });
const say = (seq, more = {}) => tell('new_message', message(seq, more), seq);
const hold = (items, more = {}) => changeTimeline('c1', (timeline) => ({ ...timeline, items, loaded: true, reachedEnd: true, ...more }));
const pageOf = (items, more = true) => ({ items, has_more: more });
/** The code that asks for whispers comes when it comes. */
const pagesAsked = () => asked.filter(({ path }) => !path.endsWith('/whispers'));
const last = () => pagesAsked().at(-1);
/** The first and last seq of each stretch without a hole. */
function stretches(items) {
  const seqs = items.map(({ seq }) => seq);
  return seqs.reduce((found, seq) => (found.at(-1)?.[1] === seq - 1 ? [...found.slice(0, -1), [found.at(-1)[0], seq]] : [...found, [seq, seq]]), /** @type {number[][]} */ ([]));
}
const shown = () => stretches(timelineOf('c1').items);

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  forget();
  me.value = amara;
  channels.value = new Map([['c1', listed()]]);
  channelsLoaded.value = true;
  asked.length = 0;
});
afterEach(() => {
  mock.timers.tick(1_000);
  mock.timers.reset();
});

test('what is said beyond a page while it is on its way is asked for behind it', async () => {
  hold(range(901, 950), { reachedEnd: false });
  void loadMore('c1', 'newer');
  say(1_001);
  await last().say(pageOf(range(951, 1_000), false));
  say(1_002);
  assert.deepEqual([shown(), timelineOf('c1').reachedEnd], [[[901, 1_000]], false]);
  void loadMore('c1', 'newer');
  await last().say(pageOf(range(1_001, 1_002), false));
  assert.deepEqual([shown(), timelineOf('c1').reachedEnd], [[[901, 1_002]], true]);
});

test('a page has no place beside a window that went elsewhere meanwhile', async () => {
  const asksOlder = async (meanwhile) => {
    forget();
    channels.value = new Map([['c1', listed()]]);
    hold(range(701, 1_000));
    void loadMore('c1', 'older');
    meanwhile();
    await last().say(pageOf(range(651, 700)));
    return [shown(), timelineOf('c1').loading];
  };
  assert.deepEqual(await asksOlder(() => { say(1_001); say(1_002); }), [[[703, 1_002]], ''], 'cut by what came');
  assert.deepEqual(await asksOlder(() => leaveChannelView('c1')), [[[951, 1_000]], ''], 'cut by leaving');
  assert.deepEqual(await asksOlder(() => {}), [[[651, 950]], ''], 'it does beside one that stayed');
  hold(range(101, 150), { reachedEnd: false });
  void loadMore('c1', 'newer');
  const newer = last();
  void loadLatest('c1');
  await newer.say(pageOf(range(151, 200)));
  assert.equal(timelineOf('c1').loading, 'page', 'the other one is still on its way');
  await last().say(pageOf(range(951, 1_000)));
  assert.deepEqual(shown(), [[951, 1_000]]);
});

test('a page that failed is not asked for at every turn, and not before the server wants to be asked', async () => {
  let now = 0;
  const clock = mock.method(performance, 'now', () => now);
  const asks = () => pagesAsked().length;
  hold(range(901, 950), { reachedEnd: false });
  void loadMore('c1', 'older');
  await last().fail();
  void loadMore('c1', 'older');
  assert.deepEqual([asks(), Boolean(timelineOf('c1').error)], [1, true]);
  // The line is back, and then a second is over.
  forgiveFailures();
  void loadMore('c1', 'older');
  await last().fail();
  now = 1_000;
  void loadMore('c1', 'older');
  await last().say({ code: 'rate_limited', detail: 'slow down' }, 429, { 'retry-after': '5' });
  now = 5_999;
  const wait = timelineOf('c1').error;
  for (const again of [forgiveFailures, () => loadLatest('c1'), () => loadMore('c1', 'newer')]) void again();
  assert.deepEqual([asks(), timelineOf('c1').error], [3, wait], 'no click makes it faster');
  now = 6_000;
  void loadLatest('c1');
  assert.equal(asks(), 4);
  await last().say(pageOf(range(951, 1_000)));
  assert.equal(timelineOf('c1').error, '');
  clock.mock.restore();
});

test('what changes while a page is on its way changes what it brings', async () => {
  const before = message(1_000, { reactions: [{ code: 'tada', count: 1, user_ids: [jonas.id] }, { code: 'eyes', count: 9, user_ids: ['x'] }] });
  for (const load of [() => loadLatest('c1'), () => loadAround('c1', 980)]) {
    forget();
    channels.value = new Map([['c1', listed()]]);
    void load();
    tell('message_delete', { id: 'm999', channel_id: 'c1' }, 1_001);
    tell('message_update', message(998, { content: 'edited', version: 2 }), 1_002);
    for (const code of ['tada', 'eyes']) tell('reaction_added', { message_id: 'm1000', channel_id: 'c1', user_id: 'u3', code });
    tell('reaction_removed', { message_id: 'm1000', channel_id: 'c1', user_id: jonas.id, code: 'tada' });
    tell('pin_added', { message_id: 'm997', channel_id: 'c1', user_id: jonas.id });
    hear({ op: 'event', t: 'message_delete', pos: ++pos, channel_id: 'c2', d: { id: 'm996', channel_id: 'c2' } });
    await asksFor('/channels/c1/messages').at(-1).say(pageOf([...range(951, 999), before]));
    const at = (seq) => timelineOf('c1').items.find((item) => item.seq === seq);
    assert.deepEqual([at(999).content, Boolean(at(999).deleted_at), at(998).content, at(996).content], ['', true, 'edited', 'text 996']);
    assert.ok(at(997).pinned_at);
    assert.deepEqual(at(1_000).reactions, [{ code: 'tada', count: 1, user_ids: ['u3'] }, { code: 'eyes', count: 9, user_ids: ['x'] }], 'where not all are named it may be counted');
  }
});

test('who comes into a channel that was looked into reads it anew, and a look is not kept', async () => {
  const look = async () => {
    channels.value = new Map([['c1', listed({ role: null, read_seq: undefined })]]);
    void loadLatest('c1');
    return asksFor('/channels/c1/messages').at(-1);
  };
  await (await look()).say(pageOf(range(951, 1_000)));
  joined(listed({ last_seq: 1_021, read_seq: 1_021 }));
  say(1_022);
  assert.deepEqual([shown(), timelineOf('c1').loaded], [[[1_022, 1_022]], false]);
  // Somebody let me in while the page was on its way.
  forget();
  me.value = amara;
  const slow = await look();
  tell('member_joined', { channel_id: 'c1', user: amara, role: 'member' }, 1_005);
  await slow.say(pageOf(range(951, 1_000)));
  assert.deepEqual([shown(), timelineOf('c1').loading], [[], '']);
  await (await look()).say(pageOf(range(951, 1_000)));
  leaveChannelView('c1');
  assert.deepEqual(shown(), []);
  channels.value = new Map([['c1', listed()]]);
  hold(range(901, 1_000));
  leaveChannelView('c1');
  assert.deepEqual(shown(), [[951, 1_000]], 'of one’s own channel the newest page is kept');
});

test('a long thread begins with its newest replies, keeps its root, and goes back', async () => {
  const root = message(3, { reply_count: 400 });
  const reply = (seq) => message(seq, { parent_id: 'm3' });
  const replies = (from, to) => range(from, to, { parent_id: 'm3' });
  const inThread = () => stretches(thread.value.timeline.items);
  void openThread('m3', 'c1');
  assert.ok(Number(last().query.get('before_seq')) > 1e15);
  say(502, { parent_id: 'm3' });
  await last().say({ ...pageOf([root, ...replies(402, 501)]), following: false });
  assert.deepEqual([inThread(), thread.value.timeline.reachedStart], [[[3, 3], [402, 502]], false]);
  void loadEarlierReplies('m3', 'c1');
  assert.equal(last().query.get('before_seq'), '402');
  tell('message_delete', { id: 'm400', channel_id: 'c1' });
  await last().say({ ...pageOf([root, ...replies(302, 401)]), following: false });
  assert.deepEqual([inThread(), Boolean(thread.value.timeline.items.find(({ seq }) => seq === 400).deleted_at)], [[[3, 3], [302, 502]], true]);
  for (let seq = 503; seq < 503 + WINDOW; seq += 1) say(seq, { parent_id: 'm3' });
  assert.deepEqual([thread.value.timeline.items.length, inThread()[0]], [WINDOW, [3, 3]]);
  // Opened anew while an older page is on its way.
  void loadEarlierReplies('m3', 'c1');
  const late = last();
  void openThread('m3', 'c1');
  const anew = last();
  await late.say({ ...pageOf([root, ...replies(404, 503)]), following: false });
  await anew.say({ ...pageOf([root, reply(900)]), following: false });
  assert.deepEqual(inThread(), [[3, 3], [900, 900]]);
});

test('a page is asked for again when too much changed meanwhile, and none is shown to who comes after', async () => {
  void loadLatest('c1');
  for (let number = 0; number < 2_001; number += 1) tell('message_delete', { id: `x${number}`, channel_id: 'c1' });
  await last().say(pageOf(range(951, 1_000)));
  assert.deepEqual([timelineOf('c1').loading, timelineOf('c1').loaded], ['', false]);
  void loadLatest('c1');
  const late = last();
  forget();
  forgetPages();
  me.value = jonas;
  channels.value = new Map([['c1', listed()]]);
  await late.say(pageOf(range(951, 1_000)));
  assert.deepEqual(shown(), []);
});

test('a thread that could not be read again has no hole that nobody sees', async () => {
  const root = message(3, { reply_count: 2 });
  void openThread('m3', 'c1');
  await last().say({ ...pageOf([root, message(10, { parent_id: 'm3' }), message(11, { parent_id: 'm3' })], false), following: false });
  void openThread('m3', 'c1');
  await last().say({ code: 'unavailable' }, 503);
  say(1_001, { parent_id: 'm3' });
  const { items, reachedStart, error } = thread.value.timeline;
  assert.deepEqual([items.map(({ seq }) => seq), reachedStart, Boolean(error)], [[3, 1_001], false, true]);
});

test('a deleted message leaves the threads, the quotations and the lists', async () => {
  hold(range(990, 1_000));
  threads.value = withFollowed(new Map(), [{ message: message(995), read_seq: 0, unread_count: 0, mention_count: 0 }]);
  quotes.value = new Map([['c1', message(996)], ['c2', message(997)]]);
  bookmarks.value = new Set(['m995', 'm998']);
  const pins = changes.pins.value;
  tell('message_update', message(995, { content: 'new words', version: 2 }));
  assert.equal(threads.value.get('m995').message.content, 'new words');
  for (const id of ['m995', 'm996']) tell('message_delete', { id, channel_id: 'c1' });
  assert.deepEqual([threads.value.get('m995').message.content, [...quotes.value.keys()], [...bookmarks.value]], ['', ['c2'], ['m998']]);
  mock.timers.tick(300);
  assert.equal(changes.pins.value, pins + 1, 'of many deletions the list is read once');
});

test('a channel that was marked unread elsewhere can be read here again; what could not be told is told with the next line', async () => {
  const reports = () => asksFor('/read', 'PUT');
  channels.value = new Map([['c1', listed({ read_seq: 990, unread_count: 10 })]]);
  markRead('c1');
  await last().say(null, 204);
  markRead('c1');
  assert.equal(reports().length, 1, 'it is read already');
  tell('read_updated', { channel_id: 'c1', user_id: amara.id, seq: 994, unread_count: 6, mention_count: 0 });
  markRead('c1');
  assert.equal(reports().length, 2);
  const { forgetMarks, reportAgain } = await import('../js/marks.js');
  await last().fail();
  reportAgain();
  assert.deepEqual([reports().length, last().body], [3, { seq: 1_000 }]);
  await last().say({ code: 'forbidden' }, 403);
  await turns();
  reportAgain();
  assert.equal(reports().length, 4, 'until it is known');
  await last().say(null, 204);
  reportAgain();
  assert.equal(reports().length, 4);
  forgetMarks();
});
