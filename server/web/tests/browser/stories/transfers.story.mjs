/** What comes in from Slack and what is taken away, followed in the administration; and what the server refuses, in the reader's language. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

const EXPORT = new URL('../../../../tests/data/slack-excerpt.zip', import.meta.url).pathname;

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
});
after(() => world?.end());

/** @param {Person} person @param {string} title */
const block = (person, title) => person.page.getByRole('region', { name: title });

test('an administrator looks at a Slack export, and brings it in', () => world.step('import', async () => {
  await ada.page.goto('/admin/transfers');
  await ada.see(ada.page.getByRole('heading', { name: 'Import and export' }));
  await ada.unseen(ada.page.getByText('Loading…'));
  await ada.shown('transfers-empty');
  const importing = block(ada, 'Import from Slack');
  await ada.button('Import', importing).click();
  await ada.see(importing.getByText('Choose the archive first.'));
  await importing.getByLabel('Archive (.zip)').setInputFiles(EXPORT);
  await ada.button('See what would come', importing).click();
  const trial = block(ada, 'What an import would do');
  await ada.see(trial.getByText('done', { exact: true }));
  await ada.see(trial.getByText('slack-excerpt.zip'));
  await ada.shown('transfers-trial');
  await ada.button('Import', importing).click();
  const done = block(ada, 'Newest import');
  await ada.see(done.getByText('done', { exact: true }));
  await ada.shown('transfers-import');
}));

test('what is no archive is refused, and what is no export says so', () => world.step('refused', async () => {
  const importing = block(ada, 'Import from Slack');
  const choose = (/** @type {string} */ name, /** @type {string} */ text) => importing.getByLabel('Archive (.zip)').setInputFiles({ name, mimeType: 'application/zip', buffer: Buffer.from(text) });
  await choose('tides.zip', 'a tide table');
  await ada.button('Import', importing).click();
  await ada.see(importing.getByText('is no ZIP archive'));
  await choose('letters.zip', 'PK and no more');
  await ada.button('Import', importing).click();
  await ada.see(block(ada, 'Newest import').getByText('letters.zip is damaged or no zip'));
  await ada.shown('transfers-failed');
}));

test('channels are taken away as an archive', () => world.step('export', async () => {
  const exporting = block(ada, 'Export channels');
  await exporting.getByLabel('My private channels too').check();
  await ada.button('Make an archive', exporting).click();
  const made = block(ada, 'Newest export');
  await ada.see(made.getByText('done', { exact: true }));
  await ada.shown('transfers-export');
  const coming = ada.page.waitForEvent('download');
  await made.getByRole('button', { name: /^Download/ }).click();
  const file = await coming;
  assert.match(file.suggestedFilename(), /^confab-\d{4}-\d\d-\d\d\.zip$/);
  assert.equal(readFileSync(await file.path()).subarray(0, 2).toString(), 'PK');
}));

test('the server’s refusals are read in German', () => world.step('german-refusal', async () => {
  const german = await world.stranger('dora', { locale: 'de-DE' });
  await german.page.goto('/login');
  await german.fill({ 'Benutzername oder E-Mail': 'ada', Passwort: 'not this one at all' });
  await german.button('Anmelden').click();
  await german.see(german.page.getByText('Name oder Passwort stimmt nicht.'));
  await german.picture('german-refusal');
}));
