/** A poll that everybody votes in, what a plugin says to one person, and what administrators see of plugins. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;
/** @type {Person} */ let ben;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  ben = await world.member('ben', 'Ben Okri');
  await ada.makeChannel('harbour');
  await ben.join('harbour');
});
after(() => world?.end());

/** @param {Person} person @param {string} text */
async function run(person, text) {
  await person.composer().fill(text);
  await person.composer().press('Enter');
}

test('a poll counts for everybody who looks at it', () => world.step('poll', async () => {
  await ada.open('harbour');
  await ben.open('harbour');
  await run(ada, '/poll "Tea or coffee?" tea, coffee');
  const tea = (/** @type {Person} */ person) => person.page.getByRole('button', { name: /^tea \(/ });
  await ben.see(tea(ben));
  await tea(ben).click();
  await ada.see(ada.page.getByRole('button', { name: 'tea (1)' }));
  await tea(ada).click();
  await ben.see(ben.page.getByRole('button', { name: 'tea (2)' }));
  await ada.shown('poll');
  await ben.button('Close the poll').click();
  await ben.see(ben.page.getByText('Only Ada Lovelace can close this poll.'));
  await ada.button('Close the poll').click();
  await ben.unseen(tea(ben));
}));

test('a whisper is seen by one person, and goes when it is dismissed', () => world.step('whisper', async () => {
  await run(ada, '/remind me tomorrow at 8:30 to call the harbour');
  const said = (/** @type {Person} */ person) => person.page.getByText('I will remind you in');
  await ada.see(said(ada));
  await run(ada, '/reminders');
  await ada.see(ada.page.getByRole('button', { name: /^Forget/ }));
  await ada.page.reload();
  await ada.see(said(ada));
  await ada.shown('whispers');
  await ada.page.getByRole('button', { name: /^Forget/ }).click();
  await ada.see(ada.page.getByText('You have no reminders.'));
  await ben.unseen(said(ben));
  await ada.page.locator('.is-note', { hasText: 'I will remind you' }).getByRole('button', { name: 'Dismiss' }).click();
  await ada.unseen(said(ada));
}));

test('a command says what its options are, and offers what can stand there', () => world.step('options', async () => {
  await ada.page.evaluate(async () => (await /** @type {any} */ (globalThis).ours('plugin_api.js')).plugins.enable('chat.confab.incident'));
  await ada.page.reload();
  await ada.atHome();
  const composer = ada.composer();
  await composer.fill('/roll ');
  await ada.see(ada.page.locator('.pop', { hasText: '/roll dice' }).getByText('a text'));
  await composer.fill('/rem');
  await ada.see(ada.page.getByRole('option', { name: /remind/ }).first().getByText('plugin: reminders'));
  await composer.fill('/incident op');
  await ada.see(ada.page.getByRole('option', { name: 'open', exact: true }));
  await ada.shown('command-options');
  await composer.press('ArrowDown');
  await composer.press('Tab');
  assert.equal(await composer.inputValue(), '/incident open-private ');
  await ada.see(ada.page.locator('.pop', { hasText: '/incident text' }));
  await composer.fill('');
}));

test('a reaction of a plugin is shown by its picture, wherever it stands', () => world.step('plugin-reaction', async () => {
  await ada.page.evaluate(async () => (await /** @type {any} */ (globalThis).ours('plugin_api.js')).plugins.enable('chat.confab.karma'));
  await ada.open('harbour');
  await ada.post('the winch is greased');
  await ben.page.reload();
  await ben.atHome();
  await ben.open('harbour');
  const deed = ben.message('the winch is greased');
  await ben.tool(deed, 'Add reaction');
  const choice = ben.button('Karma', ben.page.locator('.picker'));
  await ben.see(choice.locator('img[alt="🌟"]'));
  // Its pictures are taken in windows of several widths, and another width closes the picker.
  await ben.shown('plugin-reaction-picker');
  await ben.page.keyboard.press('Escape');
  await ben.tool(deed, 'Add reaction');
  await choice.click();
  const chip = (/** @type {Person} */ person) => person.message('the winch is greased').locator('.react img[alt="🌟"]');
  await ben.see(chip(ben));
  await ada.see(chip(ada));
  // Loaded, and not the words that stand in for it.
  await ada.until(() => chip(ada).evaluate((/** @type {any} */ image) => image.naturalWidth), (width) => width === 64, 'the picture');
  // Seen when one points at the message.
  await ada.message('the winch is greased').hover();
  await ada.button('Who reacted', ada.message('the winch is greased')).click();
  await ada.see(ada.dialog('Reactions').locator('h3 img[alt="🌟"]'));
  await ada.see(ada.dialog('Reactions').getByText('Ben Okri'));
  await ada.shown('plugin-reaction');
  await ada.closeDialog();
}));

test('an administrator says what a plugin may do, sets it and stops it', () => world.step('plugins', async () => {
  await ada.page.goto('/admin/plugins');
  const row = ada.page.locator('tr', { hasText: 'Reminders' });
  await ada.see(row);
  await ada.shown('plugins');
  await row.getByRole('button', { name: /^Permissions/ }).click();
  await ada.see(ada.page.getByText('Write to people in direct conversations'));
  await ada.shown('plugin-permissions');
  await ada.button('Cancel').click();
  await row.getByRole('button', { name: /^Settings/ }).click();
  await ada.page.getByLabel(/minutes ahead of UTC/).fill('60');
  await ada.button('Save').click();
  await ada.see(ada.page.getByText('The settings are saved.'));
  await row.getByRole('button', { name: /^Switch off/ }).click();
  await ada.see(row.getByText('switched off by an administrator'));
  await row.getByRole('button', { name: /^Switch on/ }).click();
  await ada.see(row.getByText('Running'));
  await row.getByRole('button', { name: /^Log/ }).click();
  await ada.see(ada.page.getByRole('dialog').getByText(/It has said nothing|What it said/).first());
}));

test('an administrator lets a plugin read further than its bot, and sees that it does', () => world.step('plugin reach', async () => {
  const at = (/** @type {string} */ name) => new URL(`../../../../../plugins/host/tests/${name}`, import.meta.url);
  const lines = (await readFile(at('hostile.toml'), 'utf8')).split('\n').filter((line) => !line.startsWith('sha256'));
  const manifest = lines.join('\n').replace('"storage"]', '"storage", "channels.all"]');
  const component = (await readFile(at('hostile.wasm'))).toString('base64');
  await ada.page.evaluate(async (given) => {
    const { plugins } = await /** @type {any} */ (globalThis).ours('plugin_api.js');
    const bytes = Uint8Array.from(atob(given.component), (byte) => byte.charCodeAt(0));
    await plugins.install({ manifest: new File([given.manifest], 'plugin.toml'), component: new File([bytes], 'hostile.wasm') }, ['storage']);
  }, { manifest, component });
  await ada.page.goto('/admin/plugins');
  const row = ada.page.locator('tr', { hasText: 'Hostile' });
  await ada.see(row);
  await ada.unseen(row.getByText(/^Reads every/));
  const choose = async (/** @type {RegExp} */ label, /** @type {boolean} */ on) => {
    await row.getByRole('button', { name: /^Permissions/ }).click();
    await ada.page.getByRole('dialog').getByLabel(label).setChecked(on);
    if (on) await ada.shown('plugin-reach');
    await ada.button('Save').click();
  };
  await choose(/^Read every public channel, also where/, true);
  await ada.see(row.getByText('Reads every public channel'));
  await choose(/^Read every channel, private ones and direct messages too/, true);
  await ada.see(row.getByText('Reads every channel, private ones too'));
  await choose(/^Read every channel, private ones and direct messages too/, false);
  await ada.see(row.getByText('Reads every public channel'));
}));
