/** Webhooks: a channel's admin makes one, a program writes by it, and it ends. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
});
after(() => world?.end());

/** The part of the channel's details. */
async function webhooks() {
  const dialog = await ada.details('settings');
  await dialog.getByRole('tab', { name: 'Webhooks' }).click();
  return dialog;
}

test('a program writes by an address that is shown once', () => world.step('webhook', async () => {
  await ada.makeChannel('builds');
  let dialog = await webhooks();
  await ada.fill({ Name: 'Shipyard' }, dialog);
  await ada.button('Make a webhook', dialog).click();
  const shown = dialog.getByLabel('Address of Shipyard', { exact: true });
  await ada.see(shown);
  await ada.shown('channel-webhooks');
  const address = await shown.inputValue();
  const say = (/** @type {string} */ text) => fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ text }) });
  assert.equal(await (await say('*keel* is laid')).text(), 'ok');
  await ada.closeDialog();
  await ada.see(ada.page.locator('.msg-in', { hasText: 'keel is laid' }).locator('strong', { hasText: 'keel' }));
  dialog = await webhooks();
  assert.equal(await dialog.getByLabel('Address of Shipyard').count(), 0, 'the address is shown once');
  await ada.button('Delete the webhook Shipyard', dialog).click();
  await ada.see(dialog.getByText('There is none.'));
  assert.equal((await say('late')).status, 404);
  await ada.closeDialog();
}));
