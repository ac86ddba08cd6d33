import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { applyEvent, applySignal, expireTyping, receive } from '../js/events.js';
import {
  accountChanges, changeTimeline, channels, forget, inbox, me, members, myChannels, noteOf, thread, timelineOf, timelines, typing, users, viewing,
} from '../js/store.js';
import { aroundPage, emptyTimeline, WINDOW, withNote, withPage, withPending, withReaction } from '../js/timeline.js';

const amara = { id: 'u1', username: 'amara' };
const jonas = { id: 'u2', username: 'jonas' };

function message(seq, more = {}) {
  return { id: `m${seq}`, channel_id: 'c1', seq, sender_id: jonas.id, sender: jonas, content: `text ${seq}`, version: 1, created_at: '2026-11-20T09:00:00.000Z', ...more };
}
const event = (t, d, pos = 1) => ({ op: 'event', t, pos, channel_id: 'c1', d });
const ids = () => timelineOf('c1').items.map((item) => item.id);

beforeEach(() => {
  forget();
  me.value = amara;
  channels.value = new Map([['c1', { id: 'c1', kind: 'public', name: 'general', role: 'member', last_seq: 3, read_seq: 3, unread_count: 0, mention_count: 0 }]]);
  changeTimeline('c1', () => ({ ...emptyTimeline(), loaded: true, items: [message(1), message(2), message(3)] }));
});

test('a message comes once, however often and in whatever order it is told', () => {
  applyEvent(event('new_message', message(5)));
  applyEvent(event('new_message', message(4)));
  receive(message(4));
  applyEvent(event('new_message', message(5)));
  assert.deepEqual(ids(), ['m1', 'm2', 'm3', 'm4', 'm5']);
});

test('a pending message is settled by its nonce, by event or by acknowledgement', () => {
  const pending = (nonce) => ({ nonce, channel_id: 'c1', content: 'mine', created_at: '', state: 'sending' });
  changeTimeline('c1', (timeline) => withPending(withPending(timeline, pending('n1')), pending('n2')));
  const mine = message(4, { nonce: 'n1', sender_id: amara.id, sender: amara });
  applyEvent(event('new_message', mine));
  receive(mine);
  assert.deepEqual(timelineOf('c1').pending.map(({ nonce }) => nonce), ['n2']);
  assert.deepEqual(ids(), ['m1', 'm2', 'm3', 'm4']);
});

test('a retried pending message keeps one entry', () => {
  const pending = { nonce: 'n1', channel_id: 'c1', content: 'mine', created_at: '', state: 'sending' };
  const timeline = withPending(withPending(emptyTimeline(), pending), { ...pending, state: 'failed' });
  assert.deepEqual(timeline.pending.map(({ state }) => state), ['failed']);
});

test('an older version does not undo a newer one', () => {
  applyEvent(event('message_update', message(2, { content: 'third', version: 3 })));
  applyEvent(event('message_update', message(2, { content: 'second', version: 2 })));
  receive(message(2));
  assert.equal(timelineOf('c1').items[1].content, 'third');
});

test('a deleted message keeps its place and loses its text', () => {
  applyEvent(event('message_delete', { id: 'm2', channel_id: 'c1' }));
  const [, gone] = timelineOf('c1').items;
  assert.equal(gone.content, '');
  assert.ok(gone.deleted_at);
});

test('replies are counted once and shown in the open thread', () => {
  thread.value = { rootId: 'm1', channelId: 'c1', timeline: { ...emptyTimeline(), loaded: true, items: [message(1)] } };
  const reply = message(4, { parent_id: 'm1' });
  applyEvent(event('new_message', reply));
  receive(reply);
  assert.equal(timelineOf('c1').items[0].reply_count, 1);
  assert.deepEqual(thread.value.timeline.items.map(({ id }) => id), ['m1', 'm4']);
  applyEvent(event('message_delete', { id: 'm4', channel_id: 'c1' }));
  assert.equal(timelineOf('c1').items[0].reply_count, 0);
});

test('a reply is counted once at its root also while the window ends in the past', () => {
  changeTimeline('c1', (timeline) => ({ ...timeline, reachedEnd: false }));
  const reply = message(101, { parent_id: 'm1' });
  applyEvent(event('new_message', reply));
  receive(reply);
  assert.deepEqual([timelineOf('c1').items[0].reply_count, ids()], [1, ['m1', 'm2', 'm3']]);
  changeTimeline('c1', (timeline) => withPage(timeline, { items: [message(4), reply], has_more: false }, 'newer'));
  receive(message(100, { parent_id: 'm1' }));
  assert.equal(timelineOf('c1').items[0].reply_count, 2, 'one that was overtaken, at the end');
});

test('unread and mentions count what is not being looked at, once', () => {
  applyEvent(event('new_message', message(4, { mentions: [amara.id] })));
  applyEvent(event('new_message', message(4, { mentions: [amara.id] })));
  applyEvent(event('new_message', message(5)));
  assert.deepEqual(pick(channels.value.get('c1')), [5, 2, 1]);
  applyEvent(event('read_updated', { channel_id: 'c1', user_id: jonas.id, seq: 5 }));
  assert.deepEqual(pick(channels.value.get('c1')), [5, 2, 1]);
  applyEvent(event('read_updated', { channel_id: 'c1', seq: 5 }));
  assert.deepEqual(pick(channels.value.get('c1')), [5, 0, 0]);
  applyEvent(event('read_updated', { channel_id: 'c1', user_id: amara.id, seq: 3, unread_count: 2, mention_count: 1 }));
  assert.deepEqual(pick(channels.value.get('c1')), [5, 2, 1]);
});

test('what is in view, and what I write, is not unread', () => {
  applyEvent(event('new_message', message(4, { sender_id: amara.id, sender: amara })));
  viewing.value = { channelId: 'c1', atEnd: true };
  applyEvent(event('new_message', message(5)));
  assert.deepEqual(pick(channels.value.get('c1')), [5, 0, 0]);
});

const pick = ({ last_seq, unread_count, mention_count }) => [last_seq, unread_count, mention_count];

test('a reaction said twice counts once; the last one gone takes the chip away', () => {
  const added = { message_id: 'm1', channel_id: 'c1', user_id: jonas.id, code: 'dice' };
  applyEvent(event('reaction_added', added));
  applyEvent(event('reaction_added', added));
  assert.deepEqual(timelineOf('c1').items[0].reactions, [{ code: 'dice', count: 1, user_ids: [jonas.id] }]);
  applyEvent(event('reaction_removed', added));
  applyEvent(event('reaction_removed', added));
  assert.deepEqual(timelineOf('c1').items[0].reactions, []);
});

test('a reaction of somebody beyond the listed fifty is not invented', () => {
  const crowded = message(1, { reactions: [{ code: 'x', count: 60, user_ids: ['a'] }] });
  assert.equal(withReaction(crowded, 'x', 'b', false), crowded);
});

test('leaving takes the channel away; somebody else leaving does not', () => {
  members.value = new Map([['c1', [{ user: amara, role: 'member' }, { user: jonas, role: 'member' }]]]);
  applyEvent(event('member_left', { channel_id: 'c1', user_id: jonas.id }));
  assert.equal(members.value.get('c1').length, 1);
  applyEvent(event('member_left', { channel_id: 'c1', user_id: amara.id }));
  assert.equal(myChannels.value.length, 0);
  assert.equal(timelines.value.has('c1'), false);
});

test('a channel event changes what all share and nothing of what is mine', () => {
  channels.value.get('c1').unread_count = 7;
  applyEvent(event('channel_update', { id: 'c1', name: 'renamed', unread_count: 0, role: 'guest', last_seq: 1 }));
  const { name, unread_count: unread, role, last_seq: last } = channels.value.get('c1');
  assert.deepEqual([name, unread, role, last], ['renamed', 7, 'member', 3]);
  applyEvent(event('channel_update', { id: 'c9', name: 'not mine' }));
  assert.equal(channels.value.has('c9'), false);
});

test('unknown events are ignored', () => {
  applyEvent(event('something_newer', {}));
  assert.deepEqual(ids(), ['m1', 'm2', 'm3']);
});

test('typing ends by time and by the message', () => {
  applySignal({ op: 'signal', t: 'typing', channel_id: 'c1', d: { user_id: jonas.id } }, 1_000);
  applySignal({ op: 'signal', t: 'typing', channel_id: 'c1', d: { user_id: amara.id } }, 1_000);
  assert.deepEqual([...typing.value.get('c1').keys()], [jonas.id]);
  expireTyping(2_000);
  assert.equal(typing.value.get('c1').size, 1);
  expireTyping(9_000);
  assert.equal(typing.value.has('c1'), false);
  applySignal({ op: 'signal', t: 'typing', channel_id: 'c1', d: { user_id: jonas.id } });
  applyEvent(event('new_message', message(4)));
  assert.equal(typing.value.get('c1').size, 0);
});

test('an answer that comes twice is one note, another is one more', () => {
  for (const words of ['Will do.', 'Will do.', 'Done.']) changeTimeline('c1', (timeline) => withNote(timeline, noteOf(timeline, 'remind', words)));
  assert.deepEqual(timelineOf('c1').notes.map(({ content }) => content), ['Will do.', 'Done.']);
});

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

test('pages join without doubles and the window stays bounded on the other side', () => {
  let timeline = withPage(emptyTimeline(), { items: range(351, 400), has_more: true }, 'latest');
  assert.deepEqual([timeline.reachedStart, timeline.reachedEnd], [false, true]);
  for (let before = 351; before > 51; before -= 50) timeline = withPage(timeline, { items: range(before - 51, before), has_more: true }, 'older');
  assert.equal(timeline.items.length, WINDOW);
  assert.equal(timeline.reachedEnd, false);
  assert.equal(new Set(timeline.items.map(({ id }) => id)).size, WINDOW);
  const newer = withPage(timeline, { items: range(timeline.items.at(-1).seq + 1, 400), has_more: false }, 'newer');
  assert.deepEqual([newer.items.length, newer.items.at(-1).seq, newer.reachedEnd, newer.reachedStart], [WINDOW, 400, true, false]);
});

test('a window that ends in the past takes no new message', () => {
  changeTimeline('c1', (timeline) => aroundPage(timeline, { items: range(1, 3) }, 900));
  applyEvent(event('new_message', message(901)));
  assert.deepEqual(ids(), ['m1', 'm2', 'm3']);
  assert.equal(channels.value.get('c1').last_seq, 901);
});

test('a name or picture that an event lacks was taken away, and my own account is asked for again', () => {
  me.value = { ...amara, full_name: 'Amara', picture_url: '/api/v1/pictures/a', email: 'amara@example.org', permissions: ['users.invite'] };
  users.value = new Map([[amara.id, me.value], [jonas.id, { ...jonas, full_name: 'Jonas' }]]);
  const before = accountChanges.value;
  applyEvent(event('user_updated', jonas));
  assert.deepEqual([users.value.get(jonas.id), accountChanges.value], [jonas, before]);
  applyEvent(event('user_updated', amara));
  assert.equal(accountChanges.value, before + 1);
  assert.deepEqual([me.value.full_name, me.value.picture_url, me.value.email, me.value.permissions], [null, null, 'amara@example.org', ['users.invite']]);
});

test('a notification counts once, and is forgotten with the person', () => {
  const told = event('notification', { id: 'n1', kind: 'mention', channel_id: 'c1', message_id: 'm4', actor_id: jonas.id });
  applyEvent(told);
  applyEvent(told);
  assert.deepEqual([inbox.value.unread, inbox.value.waiting.map(({ id }) => id)], [1, ['n1']]);
  forget();
  assert.equal(inbox.value.unread, 0);
});
