import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { clearDraft, draftFileIds, draftFiles, drafts, forgetDrafts, loadDrafts, saveBehind, setDraft, startDrafts } from '../js/drafts.js';
import { applyEvent } from '../js/events.js';
import { sendMessage, stopSending } from '../js/outbox.js';
import { leave, signedIn, startSession } from '../js/session.js';
import { channels, me } from '../js/store.js';
import { forgetUnsent, restoreUnsent } from '../js/unsent.js';
import { asked, asksFor, startBrowser, turns } from './served.mjs';

const amara = { id: 'u1', username: 'amara' };
const jonas = { id: 'u2', username: 'jonas' };
const here = { channelId: 'c1' };
/** What the page says when it is hidden, or left. @type {Map<string, () => void>} */
const told = new Map();
globalThis.addEventListener = /** @type {any} */ ((kind, listener) => told.set(kind, listener));
globalThis.document = /** @type {any} */ ({ addEventListener: () => {} });
const page = startBrowser();
startSession({ renewed: () => {}, ended: () => {} });
startDrafts();

const saves = () => asksFor('/c1/draft', 'PUT');
const contents = () => saves().map(({ body }) => body.content);
const reads = () => asksFor('/c1/draft', 'GET');
const text = () => drafts.value.get('c1') ?? '';
let pos = 0;
const hear = (t, d, more = {}) => { pos += 1; applyEvent(/** @type {any} */ ({ op: 'event', t, pos, d, ...more })); return turns(); };
const news = () => hear('draft_updated', { channel_id: 'c1', parent_id: null });
const stored = (content, more = {}) => hear('new_message', { id: `m${pos}`, channel_id: 'c1', seq: pos, sender_id: amara.id, sender: amara, content, version: 1, created_at: '', ...more }, { channel_id: 'c1', seq: pos });
/** Typing rests. */
const rest = () => { mock.timers.tick(1_500); return turns(); };
const write = (content, fileIds) => { setDraft(here, content, fileIds); return rest(); };
const none = { code: 'not_found', detail: 'no draft' };
const list = async (items) => { const loaded = loadDrafts(); await turns(); await asksFor('/users/me/drafts').at(-1).say({ items }); return loaded; };

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  signedIn({ user: amara, access_token: 'x', expires_in: 1_800 });
  channels.value = new Map([['c1', { id: 'c1', kind: 'public', name: 'general', role: 'member', last_seq: 0 }]]);
  restoreUnsent(amara.id);
  asked.length = 0;
});
afterEach(() => {
  stopSending();
  leave('', { isChosen: true });
  mock.timers.reset();
});

test('messages that waited go out, and what is being written outlives each of them', async () => {
  for (const content of ['a', 'b']) {
    setDraft(here, content);
    sendMessage({ channelId: 'c1', content });
    clearDraft(here, { sent: true });
  }
  await turns();
  await write('half an hour of thoughts');
  await saves()[0].fail();
  const posts = () => asksFor('/messages', 'POST');
  await stored('a', { nonce: posts()[0].body.nonce });
  saveBehind();
  await turns();
  await saves()[1].say({});
  await news();
  // The second message takes the draft with it.
  await stored('b', { nonce: posts().at(-1).body.nonce });
  await news();
  for (const read of reads()) await read.say(none, 404);
  await rest();
  assert.equal(text(), 'half an hour of thoughts');
  assert.equal(contents().length, 3, 'the server has it again');
  assert.equal(contents()[2], 'half an hour of thoughts');
});

test('what was sent or thrown away on another device goes here too', async () => {
  await write('half a sentence');
  await saves()[0].say({});
  await news();
  await stored('half a sentence, and the other half');
  await news();
  await reads()[0].say(none, 404);
  assert.equal(text(), '');
  await write('thrown away');
  await saves()[1].say({});
  await news();
  await news();
  await reads()[1].say(none, 404);
  assert.deepEqual([text(), saves().length], ['', 2]);
});

test('news of a draft that the server did not get, or gets just now, take nothing away', async () => {
  await write('not saved');
  await news();
  await news();
  await saves()[0].fail();
  await news();
  saveBehind();
  assert.deepEqual([reads().length, text()], [0, 'not saved']);
});

test('a proxy that says there is nothing empties no composer', async () => {
  await write('typed');
  await saves()[0].say({});
  mock.timers.tick(3_000);
  await news();
  await reads()[0].say('Not Found', 404);
  assert.equal(text(), 'typed');
});

test('a draft that the server refuses stays, and is saved again when it is another one, or when the server can take it', async () => {
  await write('much too long');
  await saves()[0].say({ code: 'invalid', detail: 'too long' }, 400);
  await list([]);
  assert.deepEqual([text(), contents()], ['much too long', ['much too long']], 'nobody sends the same again');
  await write('shorter');
  await saves()[1].say({ code: 'rate_limited', detail: 'slow down' }, 429);
  await list([]);
  assert.deepEqual([text(), contents().length], ['shorter', 3]);
  await saves()[2].say({});
  await list([]);
  assert.equal(text(), '', 'it was sent elsewhere since');
  await write('nobody may write here');
  await saves()[3].say({ code: 'forbidden', detail: 'no' }, 403);
  await list([]);
  assert.equal(text(), '');
});

test('what is not saved when a session ends is there when its person is back, and for nobody else', async () => {
  await write('not saved', ['f1']);
  leave('ended');
  await saves()[0].say({ code: 'invalid_token', detail: 'no' }, 401);
  assert.equal(text(), '');
  signedIn({ user: jonas, access_token: 'y', expires_in: 1_800 });
  restoreUnsent(jonas.id);
  await list([{ channel_id: 'c1', content: 'of jonas', file_ids: [] }]);
  assert.deepEqual([text(), saves().length, asksFor('/c1/draft', 'DELETE').length], ['of jonas', 1, 0]);
  leave('ended');
  signedIn({ user: amara, access_token: 'z', expires_in: 1_800 });
  restoreUnsent(amara.id);
  assert.deepEqual([text(), draftFiles.value.get('c1')?.ids], ['not saved', ['f1']]);
  await list([]);
  assert.deepEqual(saves()[1].body, { content: 'not saved', file_ids: ['f1'] });
  await saves()[1].say({});
  assert.equal(page.sessionStorage.kept.size, 0, 'taken back once');
  await write('left by choice');
  leave('', { isChosen: true });
  assert.equal(page.sessionStorage.kept.size, 0);
});

test('whoever goes on with a draft after a reload keeps its files', async () => {
  await list([{ channel_id: 'c1', content: 'see the plan', file_ids: ['f1'] }]);
  await write('see the plan!');
  assert.deepEqual(saves()[0].body, { content: 'see the plan!', file_ids: ['f1'] });
});

test('files that were sent do not come back with the next message', async () => {
  const mine = { channel_id: 'c1', content: '', file_ids: ['f1'] };
  await list([mine]);
  const late = loadDrafts();
  await turns();
  clearDraft(here, { sent: true });
  await asksFor('/users/me/drafts').at(-1).say({ items: [mine] });
  await late;
  assert.deepEqual([text(), draftFiles.value.has('c1'), draftFileIds('c1')], ['', false, []]);
  // Sent on another device.
  await list([mine]);
  draftFiles.value = new Map();
  await news();
  await reads()[0].say(none, 404);
  assert.deepEqual([text(), draftFiles.value.get('c1'), draftFileIds('c1')], ['', { ids: [], had: ['f1'] }, []]);
});

test('what waits for the connection is no draft any more, whatever the server still has', async () => {
  setDraft(here, 'typo');
  sendMessage({ channelId: 'c1', content: 'no typo' });
  clearDraft(here, { sent: true });
  await list([{ channel_id: 'c1', content: 'typo' }]);
  assert.equal(text(), '');
  forgetUnsent();
  forgetDrafts();
});
