import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { drawn, place, startDocument } from './drawn.mjs';
import { asked, asksFor, startBrowser, turns } from './served.mjs';

startDocument();
globalThis.addEventListener = () => {};
startBrowser();
const { leave, signedIn, startSession } = await import('../js/session.js');
const { edited, editing } = await import('../js/layout.js');
const { h, render } = await import('../vendor/preact.js');
const { loadDrafts } = await import('../js/drafts.js');
const { addFiles, uploadsOf } = await import('../js/uploads.js');
const { Composer } = await import('../js/views/composer.js');
const { MessageEditor } = await import('../js/views/message_editor.js');

const amara = { id: 'u1', username: 'amara' };
const message = { id: 'm1', channel_id: 'c1', seq: 1, sender_id: amara.id, sender: amara, content: 'with a mistaek', version: 1, created_at: '' };
startSession({ renewed: () => {}, ended: () => {} });
/** @type {any} */
let main;

beforeEach(async () => {
  leave('', { isChosen: true });
  signedIn({ user: amara, access_token: 'x', expires_in: 1_800 });
  asked.length = 0;
  main = place();
});

// Nobody waits for the session to be renewed.
after(() => leave('', { isChosen: true }));

const draw = (view) => { render(view, main); return drawn(); };
const area = () => main.all('textarea')[0];
const type = (text) => { area().value = text; area().does('input'); return drawn(); };

test('an edit goes on where the messages were read anew, and ends with its person', async () => {
  editing.value = 'm1';
  await draw(h(MessageEditor, { message }));
  assert.equal(area().value, 'with a mistaek');
  await type('without a mistake');
  await draw(null);
  await draw(h(MessageEditor, { message: { ...message, version: 2 } }));
  assert.equal(area().value, 'without a mistake');
  area().does('keydown', { key: 'Enter' });
  await turns();
  assert.deepEqual(asksFor('/messages/m1', 'PUT')[0].body, { content: 'without a mistake', version: 2 });
  await asksFor('/messages/m1', 'PUT')[0].say({ ...message, content: 'without a mistake', version: 3 });
  assert.deepEqual([editing.value, edited.value.text], ['', '']);
  editing.value = 'm1';
  await type('of amara');
  area().does('keydown', { key: 'Escape' });
  await drawn();
  assert.equal(area().value, 'with a mistaek');
  editing.value = 'm1';
  await type('of amara');
  leave('', { isChosen: true });
  assert.deepEqual([editing.value, edited.value.text], ['', '']);
});

/** What stands at the server. */
const load = async (items) => { const loaded = loadDrafts(); await turns(); await asksFor('/users/me/drafts').at(-1).say({ items }); return loaded; };
const fileOf = (id) => ({ id, filename: `${id}.pdf`, file_size: 3 });
const saves = () => asked.filter(({ method, path }) => path.endsWith('/draft') && method !== 'GET').map(({ method, path, body }) => [method, path.split('/').at(-2), body?.content, body?.file_ids]);
/** Typing rests, and so does what follows. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 1_700));

test('the files of a draft stay its own: through typing, and beside the composer of another channel', async () => {
  await load([{ channel_id: 'c1', content: 'see the plan', file_ids: ['f1'] }, { channel_id: 'c2', content: 'and the photo', file_ids: ['f2'] }]);
  const composer = (channelId) => draw(h(Composer, { channelId, placeholder: '' }));
  await composer('c1');
  await type('see the plan!');
  await asksFor('/files/f1')[0].say(fileOf('f1'));
  await drawn();
  await composer('c2');
  await asksFor('/files/f2')[0].say(fileOf('f2'));
  await rest();
  assert.deepEqual(saves(), [['PUT', 'c1', 'see the plan!', ['f1']]]);
  assert.deepEqual(['c1', 'c2'].map((key) => uploadsOf(key).map(({ name }) => name)), [['f1.pdf'], ['f2.pdf']]);
  await composer('c1');
  await draw(null);
  assert.equal(asksFor('/files/f1').length, 1);
});

test('a file that failed stays in the composer when its message goes without it', async () => {
  await draw(h(Composer, { channelId: 'c1', placeholder: '' }));
  addFiles('c1', [new File(['abc'], 'contract.pdf')], 1);
  await type('here is the contract');
  area().does('keydown', { key: 'Enter' });
  await drawn();
  assert.deepEqual([area().value, uploadsOf('c1').map(({ name }) => name)], ['', ['contract.pdf']]);
  assert.match(main.textContent, /contract\.pdf/);
});
