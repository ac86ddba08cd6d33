import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reactionImagePath } from '../js/api.js';
import { formValues, keywordsIn, preferencesBody } from '../js/attention_preferences.js';
import { decodeBlurhash } from '../js/blurhash.js';
import { codeIn } from '../js/channel_code.js';
import { isAtLeast, mayAdd, mayReact, mayRemove, mustHandOver, rolesToGive } from '../js/channel_roles.js';
import { draftKey, mergedDrafts, placeOf } from '../js/drafts.js';
import { emojiFor } from '../js/emoji_words.js';
import { isPicture, kindText, shownSize, sizeText } from '../js/files.js';
import { chosenTime, DAYS_AHEAD, laterChoices, localText } from '../js/later.js';
import { orderedThreads, unreadThreads, withFollowed } from '../js/threads.js';
import { nextPart } from '../js/uploads.js';

test('times to come are mornings of the reader’s own calendar', () => {
  const friday = new Date(2026, 10, 20, 15, 30);
  assert.deepEqual(laterChoices(friday).map(({ at }) => localText(at)), ['2026-11-20T15:50', '2026-11-20T16:30', '2026-11-21T09:00', '2026-11-23T09:00']);
  const sunday = new Date(2026, 10, 22, 23, 59);
  assert.deepEqual(laterChoices(sunday).map(({ id }) => id), ['soon', 'hour', 'tomorrow'], 'tomorrow is Monday');
  const monday = new Date(2026, 11, 28, 8, 0);
  assert.equal(localText(laterChoices(monday)[3].at), '2027-01-04T09:00', 'the next Monday, not this one');
});

test('a time of one’s own must be to come, and not too far', () => {
  const now = new Date(2026, 10, 20, 12, 0);
  assert.equal(chosenTime('2026-11-20T12:01', now).at?.getTime(), now.getTime() + 60_000);
  for (const text of ['', 'soon', '2026-11-20T12:00', '2020-01-01T00:00']) assert.ok(chosenTime(text, now).error, text);
  assert.match(chosenTime('2028-01-01T00:00', now).error, new RegExp(String(DAYS_AHEAD)));
});

test('a blurhash becomes pixels; anything else none', () => {
  const pixels = decodeBlurhash('LKO2?U%2Tw=w]~RBVZRi};RPxuwH', 8, 8);
  assert.equal(pixels?.length, 8 * 8 * 4);
  assert.ok(pixels?.every((value, at) => at % 4 !== 3 || value === 255), 'opaque');
  // One component: the average colour everywhere.
  const plain = decodeBlurhash('00TI:j', 2, 2);
  assert.deepEqual([...(plain ?? [])].slice(0, 4), [...(plain ?? [])].slice(12));
  for (const bad of ['', 'L', 'LKO2?U%2Tw=w]~RBVZRi};RPxuw', 'LKO2?U%2Tw=w]~RBVZRi};RPxu"H', '~~~~~~']) assert.equal(decodeBlurhash(bad, 4, 4), null, bad);
});

test('files: sizes, pictures, the room they take', () => {
  assert.deepEqual([sizeText(0), sizeText(999), sizeText(1_000), sizeText(318_000), sizeText(4.5e6), sizeText(5e12), sizeText(NaN)], ['0 B', '999 B', '1.0 KB', '318 KB', '4.5 MB', '5000 GB', '']);
  const picture = { id: 'f', filename: 'a.PNG', file_type: 'image/png', file_size: 1, width: 1600, height: 800 };
  assert.equal(isPicture(picture), true);
  assert.equal(isPicture({ ...picture, file_type: 'image/svg+xml' }), false, 'an SVG can hold scripts');
  assert.equal(isPicture({ ...picture, width: null }), false);
  assert.deepEqual([kindText(picture), kindText({ ...picture, filename: 'Makefile' })], ['PNG', 'FILE']);
  assert.deepEqual([shownSize(picture), shownSize({ ...picture, width: 20, height: 4000 }), shownSize({ ...picture, width: 0 })], [{ width: 400, height: 200 }, { width: 48, height: 300 }, { width: 400, height: 225 }]);
});

test('a large file goes in parts that touch and do not overlap', () => {
  const parts = [];
  for (let offset = 0; offset < 10; offset = parts.at(-1).to) parts.push(nextPart(offset, 10, 4));
  assert.deepEqual(parts, [{ from: 0, to: 4, range: 'bytes 0-3/10' }, { from: 4, to: 8, range: 'bytes 4-7/10' }, { from: 8, to: 10, range: 'bytes 8-9/10' }]);
});

test('drafts of other devices join those of this page, and what is typed here wins', () => {
  const thread = { channelId: 'c1', parentId: 'm1' };
  assert.deepEqual([placeOf(draftKey(thread)), placeOf(draftKey({ channelId: 'c1' }))], [thread, { channelId: 'c1' }]);
  const known = new Map([['c1', 'typed here'], ['c2', 'sent elsewhere since']]);
  const kept = [{ channel_id: 'c1', content: 'older' }, { channel_id: 'c1', parent_id: 'm1', content: 'reply' }, { channel_id: 'c3', parent_id: null, content: 'new' }];
  assert.deepEqual([...mergedDrafts(known, kept, new Set(['c1']))], [['c1', 'typed here'], ['c1 m1', 'reply'], ['c3', 'new']]);
});

test('roles: nobody gives more than they have, and the last owner stays', () => {
  assert.deepEqual([isAtLeast('admin', 'member'), isAtLeast('guest', 'member'), isAtLeast(null, 'guest')], [true, false, false]);
  assert.deepEqual([rolesToGive('owner', 'owner').length, rolesToGive('admin', 'member'), rolesToGive('admin', 'owner'), rolesToGive('member', 'guest')], [4, ['guest', 'member'], [], []]);
  assert.deepEqual([mayRemove('owner', 'owner'), mayRemove('admin', 'member'), mayRemove('admin', 'admin'), mayRemove('member', 'guest')], [true, true, false, false]);
  assert.deepEqual([mayAdd({ role: 'member', kind: 'public' }), mayAdd({ role: 'guest', kind: 'public' }), mayAdd({ role: 'member', kind: 'private' }), mayAdd({ role: 'admin', kind: 'private' })], [true, false, false, true]);
  const people = (...roles) => roles.map((role) => ({ role }));
  assert.deepEqual([mustHandOver('owner', people('owner', 'member')), mustHandOver('owner', people('owner', 'owner')), mustHandOver('owner', people('owner')), mustHandOver('admin', people('owner', 'admin'))], [true, false, false, false]);
});

test('a reaction of a plugin is offered to those whom its rule lets put it', () => {
  const ranks = ['guest', 'member', 'admin', 'owner'];
  assert.deepEqual(ranks.map((role) => mayReact({}, role, 'admin')), [false, false, true, true]);
  for (const who of ['superuser', 'committee']) assert.deepEqual([mayReact({}, 'owner', who), mayReact({ is_superuser: true }, 'member', who)], [false, true], who);
  assert.deepEqual([mayReact({}, 'guest', undefined), mayReact({}, undefined, 'guest')], [true, false]);
});

test('a code is found in whatever was pasted', () => {
  for (const text of ['AbC-_9', ' AbC-_9 ', 'https://chat.example/join#AbC-_9', '/join#AbC-_9', 'https://chat.example/join/AbC-_9', 'https://chat.example/join?code=AbC-_9']) assert.equal(codeIn(text), 'AbC-_9', text);
  assert.equal(codeIn('https://chat.example/join#%E0%A4'), 'https://chat.example/join#%E0%A4');
});

test('emoji by their words: codes first, the workspace’s own before the common ones', () => {
  const own = [{ code: 'thumbs_parrot', name: 'parrot' }];
  assert.deepEqual(emojiFor('thumbs', own, 3).map(({ code }) => code), ['thumbs_parrot', 'thumbsup', 'thumbsdown']);
  assert.deepEqual(emojiFor('PARROT', own, 3).map(({ insert }) => insert), [':thumbs_parrot:']);
  assert.equal(emojiFor('a', own, 5).length, 5);
});

test('images of reactions come from this server only', () => {
  assert.equal(reactionImagePath('/api/v1/reactions/x/image'), '/api/v1/reactions/x/image');
  for (const address of ['https://elsewhere.example/x.png', '//elsewhere.example/x', '/assets/x', '/api/v1/../x', null, undefined]) assert.equal(reactionImagePath(address), '', String(address));
});

test('preferences go to the form and back', () => {
  assert.deepEqual(keywordsIn(' Postgres, release\npostgres,, a b '), ['Postgres', 'release', 'a b']);
  const values = formValues({ keywords: ['x'], notification_level: 'all', do_not_disturb: { from: '22:00', to: '07:00', time_zone: 'UTC', days: ['sat'] }, email_digest: 'daily', web_push: true });
  assert.deepEqual(preferencesBody(values, 'Europe/Berlin'), {
    notification_level: 'all', email_digest: 'daily', web_push: true, keywords: ['x'], do_not_disturb: { from: '22:00', to: '07:00', time_zone: 'Europe/Berlin', days: ['sat'] },
  });
  assert.equal(preferencesBody(formValues(null), 'UTC').do_not_disturb, null);
  const every = preferencesBody({ ...formValues(null), quiet: true }, 'UTC');
  assert.equal('days' in every.do_not_disturb, false, 'every day is the same as none named');
});

test('threads stand by their newest reply', () => {
  const entry = (id, at, unread) => ({ message: { id, channel_id: 'c' }, active_at: at, unread_count: unread });
  const threads = withFollowed(new Map(), [entry('a', '2026-01-01', 0), entry('b', '2026-01-03', 2), entry('c', '2026-01-02', 1)]);
  assert.deepEqual([orderedThreads(threads).map(({ message }) => message.id), unreadThreads(threads)], [['b', 'c', 'a'], 2]);
});
