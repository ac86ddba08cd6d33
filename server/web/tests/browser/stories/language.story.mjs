/** The page in another language: by the browser's, and by choice; and words that run from right to left. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD } from '../harness/person.mjs';
import { noonZone, World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  await ada.post('hello');
});
after(() => world?.end());

test('a browser that wants German gets German', () => world.step('german', async () => {
  const german = await world.stranger('ada', { locale: 'de-DE', timezoneId: noonZone() });
  await german.page.goto('/login');
  await german.see(german.page.getByRole('heading', { name: 'Anmelden' }));
  await german.shown('german-login');
  await german.fill({ 'Benutzername oder E-Mail': 'ada', Passwort: PASSWORD });
  await german.button('Anmelden').click();
  await german.see(german.page.getByRole('navigation', { name: 'Arbeitsbereich' }));
  await german.see(german.page.locator('.day', { hasText: 'Heute' }));
  await german.see(german.page.getByText('1 Person online'));
  assert.equal(await german.page.evaluate(() => document.documentElement.lang), 'de');
  // Files that are held over it are for it: the browser would leave the page to show them.
  await german.see(german.composer());
  const isHeld = () => german.page.evaluate(() => {
    const files = new DataTransfer();
    files.items.add(new File(['x'], 'x.txt'));
    const over = new DragEvent('dragover', { dataTransfer: files, bubbles: true, cancelable: true });
    document.querySelector('.main .box')?.dispatchEvent(over);
    return over.defaultPrevented;
  });
  await german.until(isHeld, Boolean, 'files can be dropped');
  await german.shown('german');
  for (const path of ['/preferences/notifications', '/admin/overview', '/admin/audit', '/admin/people', '/search?q=hello', '/later', '/saved', '/threads']) {
    await german.page.goto(path);
    await german.see(german.page.locator('main'));
    await german.unseen(german.page.getByText('Lädt …'));
    const beyond = await german.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(beyond <= 0, `${path} is ${beyond} px too wide`);
    await german.picture(`german${path.replace(/\W+/g, '-')}`);
  }
  await german.page.close();
}));

test('the language is chosen in the preferences, and stays chosen', () => world.step('chosen', async () => {
  await ada.page.goto('/preferences/appearance');
  await ada.page.locator('#language').selectOption('Deutsch');
  await ada.see(ada.page.getByRole('heading', { name: 'Aussehen' }));
  await ada.page.reload();
  await ada.see(ada.page.getByRole('heading', { name: 'Aussehen' }));
  await ada.page.locator('#language').selectOption('English');
  await ada.see(ada.page.getByRole('heading', { name: 'Appearance' }));
  await ada.page.getByLabel('Space between lines').selectOption('Compact');
  assert.equal(await ada.page.evaluate(() => document.documentElement.dataset.density), 'compact');
  await ada.page.goto('/');
  await ada.atHome();
  await ada.shown('compact');
}));

test('what runs from right to left runs so, and turns nothing around it', () => world.step('right-to-left', async () => {
  await ada.post('שלום לכולם, הפגישה ב-10:00');
  const words = ada.message('שלום לכולם').locator('.rendered > *').first();
  assert.equal(await words.evaluate((element) => getComputedStyle(element).direction), 'rtl');
  await ada.post('and this runs as before');
  assert.equal(await ada.message('and this runs as before').locator('.rendered > *').first().evaluate((element) => getComputedStyle(element).direction), 'ltr');
  await ada.composer().fill('مرحبا');
  assert.equal(await ada.composer().evaluate((element) => getComputedStyle(element).direction), 'rtl');
  await ada.composer().fill('');
  await ada.shown('right-to-left');
}));
