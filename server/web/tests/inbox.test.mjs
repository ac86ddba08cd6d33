import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyInbox, mergedNotifications, reasonText, seenOnScreen, withNews, withPage, withRead } from '../js/inbox.js';
import { consumers, indexText, isRebuilding } from '../js/server_figures.js';

const news = (id, more = {}) => ({ id, kind: 'mention', channel_id: 'c1', message_id: `m-${id}`, ...more });
const filled = () => ['a', 'b', 'c'].reduce((inbox, id) => withNews(inbox, news(id)), emptyInbox());

test('the count follows what comes and what is read', () => {
  const inbox = filled();
  assert.deepEqual([inbox.unread, inbox.arrivals, inbox.waiting.map(({ id }) => id)], [3, 3, ['c', 'b', 'a']]);
  assert.equal(withNews(inbox, news('a')), inbox);
  const read = withRead(inbox, ['b', 'b']);
  assert.deepEqual([read.unread, read.waiting.map(({ id }) => id)], [2, ['c', 'a']]);
  assert.equal(withRead(read, ['b']).unread, 2, 'read again, it counts no more');
  assert.equal(withNews(read, news('b')), read, 'told again after it was read');
  assert.deepEqual([withRead(read, null).unread, withRead(read, null).waiting], [0, []]);
  assert.equal(withRead({ ...read, unread: 500 }, ['older']).unread, 499, 'more are unread than are known');
});

test('the server’s count is taken as it is', () => {
  const message = { id: 'm1', channel_id: 'c1', parent_id: 'm0' };
  const inbox = withPage(filled(), { items: [{ id: 'z', kind: 'mention', message }], unread_count: 7 });
  assert.deepEqual([inbox.unread, inbox.waiting], [7, [{ id: 'z', kind: 'mention', channel_id: 'c1', message_id: 'm1', reply: true }]]);
});

test('a reminder may be about nothing but words, and is not done because its channel is on screen', () => {
  const items = [{ id: 'r', kind: 'reminder', text: 'call her' }, { id: 's', kind: 'reminder', channel_id: 'c1', message: { id: 'm1', channel_id: 'c1' } }];
  const { waiting } = withPage(emptyInbox(), { items, unread_count: 2 });
  assert.deepEqual(waiting.map((one) => [one.channel_id, one.message_id]), [['', ''], ['c1', 'm1']]);
  assert.deepEqual(seenOnScreen(waiting, { channelId: 'c1', replies: new Set(), inThread: new Set(['m1']) }), []);
});

test('what is on screen is seen, replies in their threads only', () => {
  const waiting = [news('a'), news('b', { kind: 'thread_reply' }), news('c', { reply: true }), news('d'), news('e', { channel_id: 'c2' }), news('f', { kind: 'direct_message' })];
  const screen = { channelId: 'c1', replies: new Set(['m-d']), inThread: new Set() };
  assert.deepEqual(seenOnScreen(waiting, screen), ['a', 'f']);
  assert.deepEqual(seenOnScreen(waiting, { ...screen, inThread: new Set(['m-b', 'm-d']) }), ['a', 'b', 'd', 'f']);
  assert.deepEqual(seenOnScreen(waiting, { ...screen, channelId: '' }), []);
});

test('the newest page takes its place before what was known', () => {
  const known = [{ id: 'b', read_at: null }, { id: 'a' }];
  assert.deepEqual(mergedNotifications(known, [{ id: 'c' }, { id: 'b', read_at: 'now' }]), [{ id: 'c' }, { id: 'b', read_at: 'now' }, { id: 'a' }]);
  assert.notEqual(reasonText('mention'), reasonText('of_tomorrow'));
});

test('the index is said to be what it is', () => {
  assert.deepEqual([indexText({ lag: 0, documents: 1 }).kind, indexText({ lag: 0, documents: 1 }).text], ['ok', '1 message can be found.']);
  assert.match(indexText({ lag: 1, documents: 2 }).text, /^2 messages; 1 event waits/);
  assert.match(indexText({ lag: 9, building: { done: 3, total: 8 } }).text, /^3 of 8 /);
  assert.equal(indexText({ error: 'no answer' }).kind, 'bad');
  assert.deepEqual([isRebuilding(null, { origin: 4 }), isRebuilding(4, { origin: 4 }), isRebuilding(4, { origin: 9 }), isRebuilding(null, { building: { done: 0, total: 1 } })], [false, true, false, true]);
  assert.equal(isRebuilding(4, { error: 'no answer' }), true, 'a worker that does not answer for a moment has not finished');
  assert.deepEqual(consumers({ b: 5, a: 12 }, 10), [{ name: 'a', pos: 12, behind: 0 }, { name: 'b', pos: 5, behind: 5 }]);
});
