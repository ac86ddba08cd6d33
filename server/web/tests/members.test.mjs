import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { loadMembers, reloadMembers } from '../js/members.js';
import { channelTitle } from '../js/names.js';
import { channels, forget, me, members, viewing } from '../js/store.js';

const amara = { id: 'u1', username: 'amara' };
const jonas = { id: 'u2', username: 'jonas', full_name: 'Jonas Berg' };
const mei = { id: 'u3', username: 'mei' };
const member = (user) => ({ user, role: 'member' });

/** What the server says of each channel; one without an entry refuses. @type {Record<string, any[]>} */
let lists = {};
/** @type {string[]} */
let asked = [];
globalThis.location ??= /** @type {any} */ ({ origin: 'http://server' });
mock.method(globalThis, 'fetch', async (path) => {
  const id = /channels\/(\w+)\/members/.exec(String(path))?.[1] ?? '';
  asked.push(id);
  return lists[id] ? Response.json({ items: lists[id], next_cursor: null }) : Response.json({ code: 'forbidden', detail: 'no' }, { status: 403 });
});
const answered = async () => { for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve)); };
const names = (id) => members.value.get(id)?.map(({ user }) => user.username);

beforeEach(() => {
  forget();
  me.value = amara;
  const channel = (id, kind) => [id, { id, kind, name: id, role: 'member', last_seq: 0, member_count: 2 }];
  channels.value = new Map([channel('open', 'public'), channel('other', 'public'), channel('talk', 'direct')]);
  lists = { open: [member(amara), member(jonas)], other: [member(amara)], talk: [member(amara), member(jonas)] };
  asked = [];
});

test('a list is asked for once, and counts its channel', async () => {
  await loadMembers('other');
  await loadMembers('other');
  assert.deepEqual([asked, channels.value.get('other').member_count], [['other'], 1]);
});

test('after a gap, what is on screen is asked for again and the rest when it is looked at', async () => {
  for (const id of ['open', 'other', 'talk']) await loadMembers(id);
  viewing.value = { channelId: 'open', atEnd: true };
  lists = { open: [member(amara), member(mei)], other: [member(amara), member(mei)], talk: lists.talk };
  asked = [];
  reloadMembers();
  assert.deepEqual([names('open'), channelTitle(channels.value.get('talk'))], [['amara', 'jonas'], 'Jonas Berg'], 'shown until the new lists are here');
  await answered();
  assert.deepEqual([asked.sort(), names('open')], [['open', 'talk'], ['amara', 'mei']]);
  await loadMembers('other');
  assert.deepEqual(names('other'), ['amara', 'mei']);
});

test('a conversation is called by its people before its members are here', () => {
  const talk = { ...channels.value.get('talk'), people: [amara, jonas] };
  members.value = new Map();
  assert.equal(channelTitle(talk), 'Jonas Berg');
});

test('a refusal leaves the page as it is', async () => {
  lists = {};
  await loadMembers('open');
  reloadMembers();
  await answered();
  assert.deepEqual([members.value.size, channels.value.size], [0, 3]);
});
