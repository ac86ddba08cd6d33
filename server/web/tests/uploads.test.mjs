import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { setAccessToken } from '../js/api.js';
import { draftFiles } from '../js/drafts.js';
import { addFiles, addStored, clearUploads, followDraftFiles, forgetUploads, uploadsOf } from '../js/uploads.js';
import { asked, asksFor, startBrowser, turns } from './served.mjs';

startBrowser();
setAccessToken('x');
/** Bodies of which one sees how much has left. @type {any[]} */
const sent = [];
globalThis.XMLHttpRequest = /** @type {any} */ (class {
  upload = {};
  open() {}
  setRequestHeader() {}
  getResponseHeader() { return null; }
  send() { sent.push(this); }
  abort() { this.onabort(); }
  say(status, body) { this.status = status; this.responseText = JSON.stringify(body); this.onload(); return turns(); }
  fail() { this.onerror(); return turns(); }
});
/** The first one also waits for the code that sends. */
const attach = async (name) => {
  const before = sent.length;
  addFiles('c1', [new File(['abc'], name)]);
  for (let tries = 0; sent.length === before && tries < 10_000; tries += 1) await turns();
};
const shown = () => uploadsOf('c1').map(({ name, file, error }) => `${name} ${file ? 'ready' : error ? 'failed' : 'on its way'}`);
const fileOf = (id) => ({ id, filename: `${id}.pdf`, file_size: 3 });
const serverHas = (ids, had = []) => { draftFiles.value = new Map([['c1', { ids, had }]]); return turns(); };

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  asked.length = 0;
  sent.length = 0;
});
afterEach(() => {
  forgetUploads();
  draftFiles.value = new Map();
  mock.timers.reset();
});

test('a small file too outlives a line that is lost for a moment', async () => {
  await attach('contract.pdf');
  await sent[0].fail();
  assert.deepEqual(shown(), ['contract.pdf on its way']);
  mock.timers.tick(2_000);
  await turns();
  await sent[1].say(201, fileOf('f1'));
  assert.deepEqual(shown(), ['contract.pdf ready']);
});

test('a file that failed stays where it can be tried again when the message goes without it', async () => {
  for (const name of ['sent.pdf', 'failed.pdf']) await attach(name);
  await sent[0].say(201, fileOf('f1'));
  await sent[1].say(400, { code: 'invalid', detail: 'no' });
  clearUploads('c1');
  assert.deepEqual([shown(), uploadsOf('c1')[0].source?.name], [['failed.pdf failed'], 'failed.pdf']);
});

test('the composer has the files of the draft: what another device added, without what went with its message', async () => {
  addStored('c1', [fileOf('f1'), fileOf('f2')]);
  await serverHas(['f2', 'f3', 'f4'], ['f1']);
  const followed = followDraftFiles('c1');
  await turns();
  await asksFor('/files/f3')[0].say(fileOf('f3'));
  await asksFor('/files/f4')[0].say({ code: 'not_found', detail: 'no' }, 404);
  await followed;
  assert.deepEqual([shown(), draftFiles.value.size], [['f2.pdf ready', 'f3.pdf ready'], 0]);
});

test('files that come after their message was sent are not for the next one; those that the line lost are still wanted', async () => {
  await serverHas(['f1']);
  const late = followDraftFiles('c1');
  await turns();
  draftFiles.value = new Map();
  await asksFor('/files/f1')[0].say(fileOf('f1'));
  await late;
  assert.deepEqual(shown(), []);
  await serverHas(['f1', 'f2']);
  const followed = followDraftFiles('c1');
  await turns();
  await asksFor('/files/f1')[1].say(fileOf('f1'));
  await asksFor('/files/f2')[0].fail();
  await followed;
  assert.deepEqual([shown(), draftFiles.value.get('c1')], [['f1.pdf ready'], { ids: ['f2'], had: [] }]);
});
