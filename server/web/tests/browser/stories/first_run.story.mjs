/** An empty folder: the first account, signing out and in, and who comes later. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD } from '../harness/person.mjs';
import { World } from '../harness/world.mjs';

/** @type {World} */
let world;
before(async () => { world = await World.begin(); });
after(() => world?.end());

test('the set-up link makes the first account, once', () => world.step('set-up', async () => {
  const ada = await world.stranger('ada');
  await ada.page.goto('/');
  await ada.see(ada.page.getByText('Open the set-up link that the server printed'));
  await ada.shown('set-up-without-the-link');
  await ada.page.goto('about:blank');
  await ada.page.goto(world.server.setUpLink);
  await ada.see(ada.page.getByRole('heading', { name: 'Create the first account' }));
  await ada.shown('set-up');
  // A refusal stands at its field, and the words that were typed stay.
  await ada.fill({ 'Your name': 'Ada Lovelace', Username: 'ada', Email: 'ada@example.org', Password: 'password' });
  await ada.button('Create workspace').click();
  await ada.see(ada.page.locator('#password-error'));
  assert.equal(await ada.page.getByLabel('Username').inputValue(), 'ada');
  await ada.setUp(world.server.setUpLink, 'Ada Lovelace', 'Harbour & Sons');
  await ada.see(ada.page.locator('.top h1', { hasText: 'general' }));
  await ada.see(ada.page.locator('.side .name', { hasText: 'Harbour & Sons' }));

  const late = await world.stranger('late');
  await late.page.goto(world.server.setUpLink);
  await late.see(late.page.getByText('Already set up'));
}));

test('signing out ends the session, and a wrong password says so', () => world.step('sign-in', async () => {
  const [ada] = world.people;
  await ada.page.getByText('Your menu').click({ force: true });
  await ada.page.getByRole('menuitem', { name: 'Sign out' }).click();
  await ada.see(ada.page.getByRole('heading', { name: 'Sign in' }));
  await ada.shown('sign-in');
  await ada.fill({ 'Username or email': 'ada', Password: 'not that' });
  await ada.button('Sign in').click();
  await ada.see(ada.page.getByRole('alert'));
  await ada.signIn();
  // A reload keeps the session: the cookie is what it rests on.
  await ada.page.reload();
  await ada.atHome();
}));

test('others join by themselves where that is allowed', () => world.step('register', async () => {
  const ben = await world.stranger('ben');
  await ben.page.goto('/register');
  await ben.see(ben.page.getByRole('heading', { name: 'Join Harbour & Sons' }));
  await ben.shown('register');
  await ben.register('Ben Okri');
  await ben.see(ben.page.locator('.top h1', { hasText: 'general' }));
}));

test('a workspace can begin with people who talk', async () => {
  const fresh = await World.begin();
  try {
    await fresh.step('demo', async () => {
      const ada = await fresh.stranger('ada');
      await ada.page.goto(fresh.server.setUpLink);
      await ada.page.getByText('A demo workspace', { exact: true }).click();
      await ada.fill({ 'Your name': 'Ada Lovelace', Username: 'ada', Email: 'ada@example.org', Password: PASSWORD });
      await ada.button('Create workspace').click();
      // Accounts, messages, pictures: that takes a moment.
      await ada.page.getByRole('navigation', { name: 'Workspace' }).waitFor({ timeout: 300_000 });
      await ada.open('engineering');
      await ada.see(ada.page.locator('.main article.msg').first());
    });
  } finally {
    await fresh.end();
  }
});
