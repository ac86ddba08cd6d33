/** Channels: codes, roles, who sees them, how long they keep, their end; and what is left with whoever lost sight of one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;
/** @type {Person} */ let ben;
/** @type {Person} */ let cleo;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  ben = await world.member('ben', 'Ben Okri');
  cleo = await world.member('cleo', 'Cleo Ash');
});
after(() => world?.end());

test('a code lets people into a private channel', () => world.step('code', async () => {
  await ada.button('Create a channel', ada.page.locator('.side')).click();
  await ada.see(ada.dialog('Create a channel'));
  await ada.shown('create-channel');
  await ada.closeDialog();
  await ada.makeChannel('core', { isPrivate: true });
  const dialog = await ada.details('invitations');
  await ada.button('Make a code', dialog).click();
  const link = dialog.getByLabel('Link', { exact: true });
  await ada.see(link);
  await ada.shown('channel-invitations');
  const address = await link.inputValue();
  await ada.closeDialog();
  await ben.page.goto('about:blank');
  await ben.page.goto(address);
  await ben.see(ben.page.getByRole('heading', { name: 'Join a channel' }));
  await ben.shown('join');
  await ben.button('Join the channel').click();
  await ben.see(ben.page.locator('.top h1', { hasText: 'core' }));
  await ben.until(() => ben.page.locator('.members').innerText(), (text) => /\b2\nmembers/.test(text), 'two members, counted once');
  await ada.until(() => ada.page.locator('.members').innerText(), (text) => /\b2\nmembers/.test(text), 'two members, counted once');
  await cleo.page.goto('/join#not-a-code');
  await cleo.button('Join the channel').click();
  await cleo.see(cleo.page.locator('#join-code-error'));
}));

test('a role changes what one may do, at once', () => world.step('roles', async () => {
  await ben.page.getByTitle('More of this channel').click();
  assert.equal(await ben.page.getByRole('menuitem', { name: 'Settings' }).count(), 0);
  await ben.page.keyboard.press('Escape');
  const dialog = await ada.details('members');
  await dialog.getByLabel('Role of Ben Okri').selectOption('admin');
  await ada.shown('members');
  await ben.until(async () => {
    await ben.page.getByTitle('More of this channel').click();
    const count = await ben.page.getByRole('menuitem', { name: 'Settings' }).count();
    await ben.page.keyboard.press('Escape');
    return count;
  }, (count) => count === 1, 'an admin finds the settings');
  await dialog.getByLabel('Role of Ben Okri').selectOption('member');
  await ada.closeDialog();
}));

test('names, topics and how long messages stay are set', () => world.step('settings', async () => {
  let dialog = await ada.details('about');
  await ada.fill({ Topic: 'Freeze on Tuesday, 17:00 UTC' }, dialog);
  await ada.shown('about');
  await ada.button('Save', dialog).click();
  await ben.see(ben.page.locator('.top .topic', { hasText: 'Freeze on' }));
  await ada.closeDialog();
  dialog = await ada.details('settings');
  await dialog.getByLabel('Days').fill('30');
  await ada.button('Save', dialog).click();
  await ada.see(ada.page.getByText('Messages go after 30 days.'));
  await ada.shown('channel-settings');
  await ada.closeDialog();
}));

test('whoever is removed loses sight of the channel and of what it left', () => world.step('removed', async () => {
  await ada.post('Only for the core, @ben');
  await ben.see(ben.message('Only for the core'));
  await ben.tool(ben.message('Only for the core'), 'Save');
  await ben.page.locator('.side .row', { hasText: 'Inbox' }).click();
  await ben.see(ben.page.getByRole('complementary', { name: 'Inbox' }).getByText('Only for the core'));
  const dialog = await ada.details('members');
  await ada.button('Remove Ben Okri', dialog).click();
  await ada.confirm('Remove', 'Remove Ben Okri?');
  await ben.unseen(ben.row('core'));
  await ben.until(() => ben.page.locator('body').innerText(), (text) => !text.includes('Only for the core'), 'nothing of it is on screen');
  await ben.picture('removed');
  await ben.page.locator('.side .row', { hasText: 'Saved' }).click();
  await ben.see(ben.page.getByText('You have saved nothing yet'));
  await ada.closeDialog();
}));

test('an open channel that becomes private is gone for those who only looked', () => world.step('privacy', async () => {
  await ada.makeChannel('open-house');
  await ada.post('Said in the open');
  await cleo.page.goto('/');
  await cleo.atHome();
  await cleo.browse();
  await cleo.see(cleo.dialog('Browse channels').getByText('open-house'));
  await cleo.shown('browse');
  await cleo.dialog('Browse channels').getByRole('button', { name: /^open-house/ }).click();
  await cleo.see(cleo.page.getByText('Said in the open'));
  await cleo.shown('looking-in');
  await cleo.tool(cleo.message('Said in the open'), 'Save');
  const dialog = await ada.details('settings');
  await ada.button('Make it private…', dialog).click();
  await ada.confirm('Make private', 'Make #open-house private?');
  await ada.see(ada.page.getByText('Only its members know that it exists.'));
  await ada.closeDialog();
  await cleo.until(() => cleo.page.locator('body').innerText(), (text) => !text.includes('Said in the open'), 'it is out of sight');
  await cleo.page.locator('.side .row', { hasText: 'Saved' }).click();
  await cleo.see(cleo.page.getByText('You have saved nothing yet'));
}));

test('an archived channel can be read, and taken out again', () => world.step('archive', async () => {
  let dialog = await ada.details('settings');
  await ada.button('Archive…', dialog).click();
  await ada.confirm('Archive', 'Archive #open-house?');
  await ada.see(ada.button('Take it out of the archive', dialog));
  await ada.closeDialog();
  await ada.see(ada.page.getByText('This channel is archived'));
  await ada.shown('archived');
  await ada.button('Take it out').click();
  await ada.see(ada.composer());
  dialog = await ada.details('settings');
  await ada.button('Delete…', dialog).click();
  const confirm = ada.page.locator('dialog[open]').last();
  await confirm.getByLabel('Type “open-house” to confirm').fill('open-house');
  await ada.shown('delete-channel');
  await ada.button('Delete for good', confirm).click();
  await ada.unseen(ada.row('open-house'));
}));
