import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { changes, draftNews, lostChannel } from '../js/changes.js';
import { applyEvent, applySignal } from '../js/events.js';
import {
  bookmarks, changeTimeline, channels, channelWanted, forget, inbox, me, members, myStatus, presences, seenUpTo, statuses, thread, threads, timelineOf, typing, unreadTotal,
  voiceRooms,
} from '../js/store.js';
import { withFollowed } from '../js/threads.js';
import { emptyTimeline } from '../js/timeline.js';
import { typingPlace } from '../js/typing.js';
import { loadVoiceRoom, loadVoiceRooms } from '../js/voice/listing.js';

const amara = { id: 'u1', username: 'amara' };
const jonas = { id: 'u2', username: 'jonas' };
const message = (seq, more = {}) => ({ id: `m${seq}`, channel_id: 'c1', seq, sender_id: jonas.id, sender: jonas, content: `text ${seq}`, version: 1, created_at: `2026-11-20T09:00:${String(seq).padStart(2, '0')}.000Z`, ...more });
const event = (t, d) => applyEvent({ op: 'event', t, pos: 1, channel_id: 'c1', d });
const channel = () => channels.value.get('c1');
const first = () => timelineOf('c1').items[0];

beforeEach(() => {
  forget();
  channelWanted.value = '';
  me.value = amara;
  channels.value = new Map([['c1', { id: 'c1', kind: 'public', name: 'general', role: 'member', last_seq: 3, read_seq: 3, unread_count: 0, mention_count: 0, member_count: 2 }]]);
  changeTimeline('c1', () => ({ ...emptyTimeline(), loaded: true, items: [message(1), message(2), message(3)] }));
});

test('a pin is on its message until it is taken away, and lists are asked for again', () => {
  const before = changes.pins.value;
  event('pin_added', { message_id: 'm1', channel_id: 'c1', user_id: jonas.id });
  const at = first().pinned_at;
  assert.ok(at);
  event('pin_added', { message_id: 'm1', channel_id: 'c1', user_id: jonas.id });
  assert.equal(first().pinned_at, at, 'told twice, it keeps its time');
  event('pin_removed', { message_id: 'm1', channel_id: 'c1', user_id: jonas.id });
  assert.equal(first().pinned_at, null);
  assert.equal(changes.pins.value, before + 3);
});

test('bookmarks of another device are known here', () => {
  event('bookmark_added', { message_id: 'm2' });
  event('bookmark_added', { message_id: 'm2' });
  assert.deepEqual([...bookmarks.value], ['m2']);
  event('bookmark_removed', { message_id: 'm2' });
  assert.equal(bookmarks.value.size, 0);
});

const follow = (more = {}) => { threads.value = withFollowed(new Map(), [{ message: message(1), read_seq: 3, unread_count: 0, mention_count: 0, ...more }]); };
const counts = () => { const { unread_count: unread, mention_count: mentions, read_seq: read } = threads.value.get('m1'); return [unread, mentions, read]; };

test('replies in followed threads count until they are read, once each', () => {
  follow();
  const reply = message(4, { parent_id: 'm1', mentions: [amara.id] });
  event('new_message', reply);
  event('new_message', reply);
  event('new_message', message(5, { parent_id: 'm1' }));
  event('new_message', message(6, { parent_id: 'm2' }));
  assert.deepEqual(counts(), [2, 1, 3]);
  event('thread_updated', { message_id: 'm1', channel_id: 'c1', following: true, read_seq: 5 });
  assert.deepEqual(counts(), [0, 0, 5]);
});

test('what I write in a thread, and what I look at, is read', () => {
  follow();
  event('new_message', message(4, { parent_id: 'm1', sender_id: amara.id, sender: amara }));
  assert.deepEqual(counts(), [0, 0, 4]);
  thread.value = { rootId: 'm1', channelId: 'c1', timeline: emptyTimeline() };
  event('new_message', message(5, { parent_id: 'm1' }));
  assert.deepEqual(counts(), [0, 0, 5]);
});

test('a thread read in part, or followed elsewhere, is asked for', () => {
  follow();
  for (const seq of [4, 5, 6]) event('new_message', message(seq, { parent_id: 'm1' }));
  const before = changes.threads.value;
  event('thread_updated', { message_id: 'm1', channel_id: 'c1', following: true, read_seq: 5 });
  assert.equal(changes.threads.value, before + 1);
  event('thread_updated', { message_id: 'm9', channel_id: 'c1', following: true, read_seq: null });
  assert.equal(changes.threads.value, before + 2);
  event('thread_updated', { message_id: 'm1', channel_id: 'c1', following: false, read_seq: 5 });
  event('thread_updated', { message_id: 'm9', channel_id: 'c1', following: false, read_seq: null });
  assert.deepEqual([threads.value.size, changes.threads.value], [0, before + 2]);
});

test('the summary of a thread follows its replies', () => {
  event('new_message', message(4, { parent_id: 'm1' }));
  event('new_message', message(5, { parent_id: 'm1' }));
  const { reply_count: replies, participants, last_reply_at: last } = first();
  assert.deepEqual([replies, participants, last], [2, [jonas.id], message(5).created_at]);
});

test('how I keep a channel follows my other devices; an event for all says nothing of it', () => {
  event('preferences_updated', { channel_id: 'c1', starred: true, muted: true, notification_level: 'nothing' });
  event('channel_update', { id: 'c1', name: 'renamed', starred: false, muted: false, notification_level: 'default' });
  assert.deepEqual([channel().name, channel().starred, channel().muted, channel().notification_level], ['renamed', true, true, 'nothing']);
  const before = changes.preferences.value;
  event('preferences_updated', { keywords: [] });
  assert.equal(changes.preferences.value, before + 1);
  event('preferences_updated', { channel_id: 'c9', starred: true });
  assert.equal(channels.value.has('c9'), false);
});

test('privacy changes the kind and keeps what is mine', () => {
  event('privacy_updated', { id: 'c1', kind: 'private', is_private: true, name: 'general', last_seq: 4 });
  assert.deepEqual([channel().kind, channel().role], ['private', 'member']);
});

test('a channel that changed before messages which it knows of already has them counted', () => {
  const { last_seq: last, unread_count: unread } = channel();
  applyEvent({ op: 'event', t: 'channel_update', pos: 1, seq: last + 1, channel_id: 'c1', d: { id: 'c1', name: 'general', last_seq: last + 2 } });
  assert.equal(channel().last_seq, last + 1);
  event('new_message', { id: 'late', channel_id: 'c1', seq: last + 2, sender_id: jonas.id, sender: jonas, content: 'hello' });
  assert.deepEqual([channel().last_seq, channel().unread_count], [last + 2, unread + 1]);
});

test('a role changes in the list of members, and for me', () => {
  members.value = new Map([['c1', [{ user: amara, role: 'member' }, { user: jonas, role: 'member' }]]]);
  event('role_updated', { channel_id: 'c1', user_id: jonas.id, role: 'owner' });
  event('role_updated', { channel_id: 'c1', user_id: amara.id, role: 'admin' });
  assert.deepEqual(members.value.get('c1').map(({ role }) => role), ['admin', 'owner']);
  assert.equal(channel().role, 'admin');
});

test('drafts, scheduled messages and the catalogue are news to ask for', () => {
  const [scheduled, reactions] = [changes.scheduled.value, changes.reactions.value];
  event('draft_updated', { channel_id: 'c1', parent_id: 'm1' });
  event('scheduled_message_updated', { id: 's1', state: 'sent' });
  event('reaction_catalogue_updated', { code: 'party_parrot' });
  assert.deepEqual(draftNews.value, { channel_id: 'c1', parent_id: 'm1' });
  assert.deepEqual([changes.scheduled.value, changes.reactions.value], [scheduled + 1, reactions + 1]);
});

test('what was read on another device is read here, with the server’s count', () => {
  for (const id of ['a', 'b', 'c']) event('notification', { id, kind: 'keyword', channel_id: 'c1', message_id: 'm1' });
  const { arrivals } = inbox.value;
  event('notifications_read', { ids: ['a'], unread_count: 7 });
  assert.deepEqual([inbox.value.unread, inbox.value.waiting.map(({ id }) => id)], [7, ['c', 'b']]);
  event('notifications_read', { ids: null, unread_count: 0 });
  assert.deepEqual([inbox.value.unread, inbox.value.waiting.length], [0, 0]);
  assert.ok(inbox.value.arrivals > arrivals, 'an open list asks again');
});

test('a due reminder is news in its list too', () => {
  const before = changes.reminders.value;
  event('notification', { id: 'r', kind: 'reminder', channel_id: null, message_id: null });
  assert.deepEqual([inbox.value.unread, changes.reminders.value], [1, before + 1]);
});

test('reading forward is taken; a step back is asked of the server', () => {
  event('new_message', message(4));
  event('read_updated', { channel_id: 'c1', seq: 4 });
  assert.deepEqual([channel().read_seq, channel().unread_count, channelWanted.value], [4, 0, '']);
  event('read_updated', { channel_id: 'c1', seq: 1 });
  assert.deepEqual([channel().read_seq, channelWanted.value], [4, 'c1']);
});

test('what my mark covers is not counted, if the mark was told first', () => {
  event('read_updated', { channel_id: 'c1', user_id: amara.id, seq: 5, unread_count: 0, mention_count: 0 });
  for (const seq of [4, 5, 6]) event('new_message', message(seq, { mentions: [amara.id] }));
  assert.deepEqual([channel().last_seq, channel().read_seq, channel().unread_count, channel().mention_count], [6, 5, 1, 1]);
});

test('what the other one of a conversation has read says nothing about me', () => {
  event('new_message', message(4));
  event('read_updated', { channel_id: 'c1', user_id: jonas.id, seq: 4 });
  event('read_updated', { channel_id: 'c1', user_id: jonas.id, seq: 2 });
  assert.deepEqual([seenUpTo.value.get('c1'), channel().unread_count, channel().read_seq], [4, 1, 3]);
});

test('a muted conversation is not counted in the title, a mention in it is', () => {
  channels.value = new Map([['d', { id: 'd', kind: 'direct', name: '', role: 'member', last_seq: 5, member_count: 2, unread_count: 4, mention_count: 0, muted: true }]]);
  assert.equal(unreadTotal.value, 0);
  channels.value = new Map([['d', { ...channels.value.get('d'), mention_count: 2 }]]);
  assert.equal(unreadTotal.value, 2);
});

test('words beside a dot come and go with the signal, also mine', () => {
  const presence = (d) => applySignal({ op: 'signal', t: 'presence', d });
  presence({ user_id: jonas.id, status: 'busy', text: 'Reviewing', expires_at: null });
  presence({ user_id: amara.id, status: 'online', text: 'Here' });
  assert.deepEqual([statuses.value.get(jonas.id).text, myStatus.value.text], ['Reviewing', 'Here']);
  presence({ user_id: jonas.id, status: 'online' });
  assert.equal(statuses.value.has(jonas.id), false);
});

test('my dot, changed on another device, is known here without words', () => {
  myStatus.value = { user_id: amara.id, status: 'online', text: null, expires_at: null };
  const before = statuses.value;
  applySignal({ op: 'signal', t: 'presence', d: { user_id: amara.id, status: 'busy' } });
  assert.deepEqual(myStatus.value, { user_id: amara.id, status: 'busy', text: null, expires_at: null });
  assert.equal(presences.value.get(amara.id), 'busy');
  assert.equal(statuses.value, before, 'nobody’s words have changed');
});

test('typing in a thread is not typing in its channel', () => {
  applySignal({ op: 'signal', t: 'typing', channel_id: 'c1', d: { user_id: jonas.id, parent_id: 'm1' } });
  assert.deepEqual([...typing.value.keys()], [typingPlace('c1', 'm1')]);
  event('new_message', message(4, { parent_id: 'm1' }));
  assert.equal(typing.value.get(typingPlace('c1', 'm1')).size, 0);
});

test('a deleted message keeps nothing that it carried', () => {
  changeTimeline('c1', (timeline) => ({ ...timeline, items: [message(1, { html: '<p>x</p>', quoted: { excerpt: 'x' }, forwarded: { content: 'x' }, pinned_at: 'now', files: [{}] })] }));
  event('message_delete', { id: 'm1', channel_id: 'c1' });
  const { content, html, quoted, forwarded, pinned_at: pinned, files } = first();
  assert.deepEqual([content, html, quoted, forwarded, pinned, files], ['', null, null, null, null, []]);
});

test('what is not listed any more is forgotten by those who only looked', () => {
  channels.value = new Map([...channels.value, ['c2', { id: 'c2', kind: 'public', name: 'open', role: null, last_seq: 1, member_count: 1 }]]);
  changeTimeline('c2', () => ({ ...emptyTimeline(), loaded: true, items: [message(1, { channel_id: 'c2' })] }));
  threads.value = withFollowed(new Map(), [{ message: message(1, { id: 'r', channel_id: 'c2' }), unread_count: 1 }]);
  event('notification', { id: 'n1', kind: 'mention', channel_id: 'c2', message_id: 'x' });
  event('notification', { id: 'n2', kind: 'mention', channel_id: 'c1', message_id: 'm1' });
  const before = changes.sight.value;
  event('directory_updated', { channel_id: 'c2', listed: false });
  assert.deepEqual([channels.value.has('c2'), timelineOf('c2').items.length, threads.value.size, inbox.value.unread], [false, 0, 0, 1]);
  assert.deepEqual([lostChannel.value.id, changes.sight.value], ['c2', before + 1]);
  // Members hear of the privacy by an event of their own, and keep everything.
  event('directory_updated', { channel_id: 'c1', listed: false });
  assert.ok(channels.value.has('c1'));
  event('directory_updated', { channel_id: 'c3', listed: true });
  assert.equal(changes.sight.value, before + 3);
});

test('whoever joins or leaves is counted once', () => {
  const count = () => channel().member_count;
  event('member_joined', { channel_id: 'c1', user: amara, role: 'member' });
  assert.equal(count(), 2, 'the answer to joining has counted me');
  members.value = new Map([['c1', [{ user: amara, role: 'owner' }, { user: jonas, role: 'member' }]]]);
  event('member_joined', { channel_id: 'c1', user: jonas, role: 'member' });
  assert.equal(count(), 2);
  const mei = { id: 'u3', username: 'mei' };
  event('member_joined', { channel_id: 'c1', user: mei, role: 'member' });
  assert.deepEqual([count(), members.value.get('c1').length], [3, 3]);
  event('member_left', { channel_id: 'c1', user_id: mei.id });
  event('member_left', { channel_id: 'c1', user_id: mei.id });
  assert.deepEqual([count(), members.value.get('c1').length], [2, 2]);
});

test('what is withheld changes nothing: whoever has left since is told so by the next event', () => {
  const before = timelineOf('c1').items;
  applyEvent({ op: 'event', t: 'new_message', pos: 1, channel_id: 'c1', seq: 4, withheld: true, d: { id: 'm4', channel_id: 'c1' } });
  applyEvent({ op: 'event', t: 'message_update', pos: 2, channel_id: 'c1', seq: 5, withheld: true, d: { id: 'm1', channel_id: 'c1' } });
  applyEvent({ op: 'event', t: 'channel_update', pos: 3, channel_id: 'c1', seq: 6, withheld: true, d: { id: 'c1', channel_id: 'c1' } });
  assert.equal(timelineOf('c1').items, before);
  assert.deepEqual([channel().name, channel().last_seq, channelWanted.value], ['general', 3, '']);
});

/** Asks who talks where; the answer is given later. @param {() => Promise<void>} ask @returns {(body:any) => Promise<void>} */
function asking(ask) {
  globalThis.location = /** @type {any} */ ({ origin: 'http://server' });
  let say = (/** @type {any} */ _body) => {};
  const fetched = mock.method(globalThis, 'fetch', () => new Promise((resolve) => { say = (body) => resolve(Response.json(body)); }));
  const done = ask();
  fetched.mock.restore();
  return (body) => { say(body); return done; };
}
const talk = (channelId, ...people) => applySignal({ op: 'signal', t: 'voice', channel_id: channelId, d: { participants: people } });
const talking = () => [...voiceRooms.value].map(([id, people]) => `${id} ${people.join()}`).sort();
const room = (channelId, ...people) => ({ channel_id: channelId, participants: people });

test('who talks where: what was told while the rooms were asked for is newer than the answer', async () => {
  for (const channelId of ['gone', 'left', 'kept']) talk(channelId, 'before');
  const answer = asking(loadVoiceRooms);
  talk('left');
  talk('kept', 'told');
  talk('new', 'told');
  talk('blink');
  await answer({ items: [room('left', 'answered'), room('kept', 'answered'), room('blink', 'answered'), room('other', 'answered')], next_cursor: null });
  assert.deepEqual(talking(), ['kept told', 'new told', 'other answered']);
  talk('other');
  assert.deepEqual(talking(), ['kept told', 'new told'], 'and what is told later is newer too');
});

test('who talks where: of two answers the one that was asked for last holds', async () => {
  const [first, second] = [asking(loadVoiceRooms), asking(loadVoiceRooms)];
  await second({ items: [room('c1', 'second')], next_cursor: null });
  await first({ items: [room('c2', 'first')], next_cursor: null });
  assert.deepEqual(talking(), ['c1 second']);
});

test('one room, as it is answered or as it is told meanwhile', async () => {
  const all = asking(loadVoiceRooms);
  await asking(() => loadVoiceRoom('c1'))(room('c1', 'answered'));
  assert.deepEqual(talking(), ['c1 answered']);
  await all({ items: [], next_cursor: null });
  assert.deepEqual(talking(), ['c1 answered'], 'asked for later');
  const answer = asking(() => loadVoiceRoom('c1'));
  talk('c1');
  await answer(room('c1', 'answered'));
  assert.deepEqual(talking(), []);
});

test('whoever comes into a voice channel asks for it, though the answer to joining was faster', () => {
  const came = (user) => { event('member_joined', { channel_id: 'c1', user, role: 'member' }); return channelWanted.value; };
  assert.equal(came(amara), '');
  channels.value = new Map([['c1', { ...channel(), kind: 'voice' }]]);
  assert.deepEqual([came(jonas), came(amara)], ['', 'c1']);
});
