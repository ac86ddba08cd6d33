/** Every page of the preferences and the administration, the search, the assistant, the dialogs: as pictures, and judged by axe. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

/** @type {World} */ let world;
/** @type {import('../harness/person.mjs').Person} */ let ada;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  await world.member('ben', 'Ben Okri');
  await ada.post('The migration rehearsal is done: 41 s for 2.3 M messages');
});
after(() => world?.end());

for (const section of ['profile', 'appearance', 'notifications', 'security', 'sessions', 'tokens']) {
  test(`preferences: ${section}`, () => world.step(`preferences-${section}`, async () => {
    await ada.page.goto(`/preferences/${section}`);
    await ada.see(ada.page.locator('main h1'));
    await ada.unseen(ada.page.getByText('Loading…'));
    await ada.shown(`preferences-${section}`);
  }));
}

for (const section of ['overview', 'people', 'roles', 'channels', 'webhooks', 'assistant', 'index', 'invitations', 'audit', 'policy', 'server', 'transfers']) {
  test(`administration: ${section}`, () => world.step(`admin-${section}`, async () => {
    await ada.page.goto(`/admin/${section}`);
    await ada.see(ada.page.locator('main h1'));
    await ada.unseen(ada.page.getByText('Loading…'));
    await ada.shown(`admin-${section}`);
  }));
}

test('search, with an answer', () => world.step('search', async () => {
  await ada.page.goto('/search');
  await ada.see(ada.page.getByRole('searchbox'));
  await ada.shown('search-empty');
  const found = ada.page.locator('.hit mark');
  await ada.until(async () => {
    await ada.page.goto('/search?q=rehearsal');
    await ada.see(ada.page.locator('.hit, .page-note').filter({ hasNotText: /Searching…|Loading…/ }));
    return found.count();
  }, (count) => count > 0, 'the message is found');
  await ada.button('Ask the assistant “rehearsal”').click();
  await ada.see(ada.page.locator('.strip .answer'));
  await ada.shown('search-answer');
  await ada.page.goto('/search?q=nothingofthekind');
  await ada.see(ada.page.getByText('Nothing you can read matches'));
  await ada.shown('search-nothing');
  await ada.page.goto('/search?q=general');
  await ada.page.getByRole('tab', { name: 'Channels' }).click();
  await ada.see(ada.page.locator('.hit').filter({ hasText: 'general' }).first());
  await ada.shown('search-channels');
  await ada.page.goto('/search?q=ada&in=people');
  await ada.see(ada.page.locator('.hit').filter({ hasText: '@ada' }));
  await ada.shown('search-people');
}));

test('a search shows its filters, counts what there is, answers and puts the newest first', () => world.step('search-filters', async () => {
  const box = ada.page.getByRole('searchbox');
  await ada.page.goto('/');
  await ada.atHome();
  await ada.post('The rehearsal of the second migration begins at nine');
  await ada.until(async () => {
    await ada.page.goto('/search?q=migration%20rehearsal');
    // Its count says that the search has ended; before, the page may not even have begun.
    await ada.see(ada.page.getByRole('tab', { name: /^Messages \d/ }));
    return ada.page.locator('.hit').count();
  }, (count) => count === 2, 'both are found');
  await ada.see(ada.page.getByRole('tab', { name: 'Messages 2' }));
  await ada.see(ada.page.getByRole('tab', { name: 'People 0' }));
  // Quotations cost nothing: they stand there without being asked for.
  await ada.see(ada.page.locator('.strip .answer .cite').first());
  await box.press('End');
  await box.pressSequentially(' in:general ');
  await ada.see(ada.button('Take away in:general'));
  assert.equal(await box.inputValue(), 'migration rehearsal ');
  await box.press('Enter');
  await ada.see(ada.page.locator('.hit').first());
  await ada.button('Last 30 days').click();
  await ada.until(() => ada.page.locator('.op').count(), (count) => count === 2, 'two filters stand in the box');
  await ada.button('Sort: most relevant').click();
  await ada.see(ada.button('Sort: newest'));
  await ada.see(ada.page.locator('.hit').first().filter({ hasText: 'second migration' }));
  await ada.shown('search-filters');
  await ada.button('From anyone').click();
  await ada.page.getByRole('dialog').getByRole('searchbox').fill('ben');
  await ada.button('Choose Ben Okri').click();
  await ada.see(ada.page.getByText('Nothing you can read matches'));
  await ada.button('Take away from:ben').click();
  await ada.see(ada.page.locator('.hit').first());
  // By keyboard: the last filter becomes words again.
  await box.press('Home');
  await box.press('Backspace');
  await ada.until(() => ada.page.locator('.op').count(), (count) => count === 1, 'one filter is left');
  await ada.page.goto('/search?q=migration%20rehearsal');
  await ada.button('Ask a follow-up').click();
  const pane = ada.page.getByRole('complementary', { name: 'Assistant' });
  await ada.see(pane.locator('.src mark').first());
  await ada.button('Close assistant').click();
}));

test('the assistant answers with its sources', () => world.step('assistant', async () => {
  await ada.page.goto('/');
  await ada.atHome();
  await ada.button('Assistant').first().click();
  const pane = ada.page.getByRole('complementary', { name: 'Assistant' });
  await ada.shown('assistant-start');
  await pane.getByRole('textbox').fill('Is the migration rehearsal done?');
  await pane.getByRole('textbox').press('Enter');
  await ada.see(pane.locator('.answer'));
  await ada.see(pane.locator('.src'));
  await ada.shown('assistant');
  await pane.locator('.src').first().click();
  await ada.see(ada.page.locator('.msg.is-cited'));
  await ada.button('Close assistant').click();
}));

test('jumping by the keyboard', () => world.step('switcher', async () => {
  await ada.page.keyboard.press('Control+k');
  await ada.see(ada.dialog('Jump to'));
  await ada.page.keyboard.press('Escape');
  await ada.page.locator('dialog.switcher').waitFor({ state: 'detached' });
  // Keys follow one another faster than frames: the next one must find the dialog open.
  assert.equal(await ada.page.evaluate(async () => {
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }));
    await Promise.resolve().then(() => {});
    return document.activeElement?.getAttribute('aria-label');
  }), 'Jump to');
  await ada.page.keyboard.type('ran');
  await ada.see(ada.page.getByRole('option', { name: /random/ }));
  await ada.shown('switcher');
  await ada.page.keyboard.press('Control+Enter');
  await ada.see(ada.page.getByRole('searchbox'));
  assert.equal(await ada.page.getByRole('searchbox').inputValue(), 'ran');
  await ada.page.goBack();
  await ada.atHome();
  await ada.page.keyboard.press('Control+k');
  await ada.page.keyboard.type('ran');
  await ada.see(ada.page.getByRole('option', { name: /random/ }));
  await ada.page.keyboard.press('Enter');
  await ada.see(ada.page.locator('.top h1', { hasText: 'random' }));
  await ada.page.keyboard.press('Alt+ArrowUp');
  await ada.see(ada.page.locator('.top h1', { hasText: 'general' }));
}));

test('the list of keys, an invitation, commands', () => world.step('dialogs', async () => {
  await ada.begin('Invite people');
  await ada.see(ada.dialog('Invite people'));
  await ada.shown('invite');
  await ada.closeDialog();
  await ada.page.locator('.log').focus();
  await ada.page.keyboard.press('?');
  await ada.see(ada.dialog(/Keyboard|Keys/));
  await ada.shown('keys');
  await ada.closeDialog();
  await ada.composer().fill('/ro');
  await ada.see(ada.page.getByRole('option', { name: /roll/ }));
  await ada.shown('commands');
  await ada.composer().fill('/roll 2d6');
  await ada.composer().press('Enter');
  await ada.see(ada.page.locator('article', { hasText: /dice|roll/i }).last());
  await ada.composer().fill('@be');
  await ada.see(ada.page.getByRole('option', { name: /Ben/ }));
  await ada.shown('mention');
  await ada.composer().fill('');
}));

test('an address that is nothing, and a channel that is not there', () => world.step('missing', async () => {
  await ada.page.goto('/channels/00000000-0000-7000-8000-000000000000');
  await ada.see(ada.page.getByRole('heading', { name: 'Not here' }));
  await ada.shown('not-here');
}));
