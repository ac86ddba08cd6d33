/** Without a pointer, at twice the size, and on a phone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PASSWORD } from '../harness/person.mjs';
import { World } from '../harness/world.mjs';

/** @type {World} */ let world;
/** @type {import('../harness/person.mjs').Person} */ let ada;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  for (const text of ['first', 'second', 'third']) await ada.post(text);
});
after(() => world?.end());

/** Presses Tab until something of that name has the focus. @param {string} name */
async function tabTo(name) {
  for (let presses = 0; presses < 80; presses += 1) {
    await ada.page.keyboard.press('Tab');
    const focused = await ada.page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute('aria-label') || element?.textContent?.trim() || '';
    });
    if (focused === name) return;
  }
  assert.fail(`Tab never came to ${name}`);
}

test('a channel is made, written in and left by the keyboard alone', () => world.step('keyboard', async () => {
  const { keyboard } = ada.page;
  await ada.page.locator('body').press('Escape');
  await tabTo('Create a channel');
  await keyboard.press('Enter');
  await ada.see(ada.dialog('Create a channel'));
  await keyboard.type('by-keyboard');
  await keyboard.press('Enter');
  await ada.see(ada.page.locator('.top h1', { hasText: 'by-keyboard' }));
  await ada.until(() => ada.page.evaluate(() => document.activeElement?.tagName), (tag) => tag === 'TEXTAREA', 'one writes at once');
  await keyboard.type('typed **here**');
  await keyboard.press('Enter');
  await ada.see(ada.message('typed here').locator('strong'));
  await keyboard.press('ArrowUp');
  await keyboard.type(' and changed');
  await keyboard.press('Enter');
  await ada.see(ada.message('and changed').locator('.edited'));
  await keyboard.press('Control+k');
  await keyboard.type('gene');
  await ada.see(ada.page.getByRole('option', { name: 'general' }));
  await keyboard.press('Enter');
  await ada.see(ada.page.locator('.top h1', { hasText: 'general' }));
  await ada.focused(ada.composer());
}));

test('arrows move between messages, letters act on them', () => world.step('messages', async () => {
  const { keyboard } = ada.page;
  await ada.page.locator('.log').focus();
  await keyboard.press('ArrowUp');
  await keyboard.press('ArrowUp');
  const focused = () => ada.page.evaluate(() => document.activeElement?.textContent ?? '');
  assert.match(await focused(), /second/);
  await keyboard.press('s');
  await ada.see(ada.message('second').getByText('Saved', { exact: true }));
  await keyboard.press('t');
  await ada.see(ada.thread());
  await ada.focused(ada.thread().locator('textarea'));
  await keyboard.type('answered by keys');
  await keyboard.press('Enter');
  await ada.see(ada.thread().getByText('answered by keys'));
  await keyboard.press('Escape');
  await ada.unseen(ada.thread());
}));

test('a menu gives the focus back', () => world.step('menu', async () => {
  const button = ada.page.getByTitle('More of this channel');
  await button.focus();
  await ada.page.keyboard.press('Enter');
  await ada.see(ada.page.getByRole('menu'));
  await ada.page.keyboard.press('End');
  await ada.page.keyboard.press('Escape');
  assert.ok(await button.evaluate((element) => element === document.activeElement));
}));

test('bold is bold', () => world.step('bold', async () => {
  await ada.composer().fill('loud');
  await ada.composer().press('Control+a');
  await ada.composer().press('Control+b');
  assert.equal(await ada.composer().inputValue(), '**loud**');
  await ada.composer().press('Enter');
  await ada.see(ada.message('loud').locator('strong'));
}));

test('from signing in to signing out without a pointer', () => world.step('journey', async () => {
  const person = await world.stranger('ada');
  const { page } = person;
  const { keyboard } = page;
  const focused = () => page.evaluate(() => (document.activeElement?.matches('a, button, input, textarea') ? document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '' : ''));
  const tab = async (/** @type {RegExp} */ name) => {
    for (let presses = 0; presses < 80; presses += 1) {
      await keyboard.press('Tab');
      if (name.test(await focused())) return;
    }
    assert.fail(`Tab never came to ${name}`);
  };
  await page.goto('/login');
  await person.focused(page.getByLabel('Username or email'));
  await keyboard.type('ada');
  await keyboard.press('Tab');
  await keyboard.type(PASSWORD);
  await keyboard.press('Enter');
  await person.atHome();
  // Found by its words, and gone to where it stands.
  await person.until(async () => {
    await page.goto('/');
    await person.atHome();
    await keyboard.press('Control+k');
    await person.see(person.dialog('Jump to'));
    await keyboard.type('second');
    await person.see(page.getByRole('option', { name: /Search messages for/ }));
    await keyboard.press('Enter');
    await person.see(page.locator('.hit, .page-note').filter({ hasNotText: /Searching…|Loading…/ }));
    return page.locator('.hit').count();
  }, (count) => count > 0, 'the message is found');
  await tab(/^Jump to the message/);
  await keyboard.press('Enter');
  await person.until(() => page.evaluate(() => document.activeElement?.matches('article.msg') && document.activeElement.textContent), (text) => /second/.test(String(text)), 'the message has the focus');
  await keyboard.press('+');
  await person.see(page.locator('.picker'));
  await keyboard.type('rocket');
  await keyboard.press('Enter');
  await person.see(person.message('second').locator('.react', { hasText: '🚀' }));
  await keyboard.press('p');
  await person.see(person.message('second').getByText('Pinned', { exact: true }));
  await tab(/Your menu/);
  await keyboard.press('Enter');
  await person.see(page.getByRole('menu'));
  await keyboard.press('End');
  await keyboard.press('Enter');
  await person.see(page.getByRole('heading', { name: 'Sign in' }));
  await page.close();
}));

test('at twice the size everything is there', () => world.step('zoom', async () => {
  const large = await world.stranger('ada', { viewport: { width: 720, height: 500 }, deviceScaleFactor: 2 });
  await large.page.goto('/login');
  await large.fill({ 'Username or email': 'ada', Password: 'a plain sentence of five words' });
  await large.button('Sign in').click();
  await large.see(large.composer());
  await large.picture('zoomed');
  for (const path of ['/', '/search?q=second', '/saved', '/later', '/threads', '/preferences/notifications', '/admin/people', '/admin/audit']) {
    await large.page.goto(path);
    await large.see(large.page.locator('main'));
    await large.unseen(large.page.getByText('Loading…'));
    const beyond = await large.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(beyond <= 0, `${path} is ${beyond} px too wide`);
  }
  await large.page.close();
}));

test('on a phone one finds the way by touch', () => world.step('phone', async () => {
  const phone = await world.stranger('ada', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
  await phone.page.goto('/login');
  await phone.fill({ 'Username or email': 'ada', Password: 'a plain sentence of five words' });
  await phone.button('Sign in').tap();
  await phone.see(phone.composer());
  await phone.button('Open channel list').tap();
  await phone.see(phone.row('by-keyboard'));
  await phone.shown('phone-list', { narrow: false });
  await phone.row('by-keyboard').tap();
  await phone.see(phone.page.locator('.top h1', { hasText: 'by-keyboard' }));
  await phone.unseen(phone.page.locator('.side-scrim'));
  await phone.message('typed here').tap();
  await phone.see(phone.message('typed here').locator('.tools'));
  await phone.shown('phone-tools', { narrow: false });
  await phone.message('typed here').getByRole('button', { name: 'Add reaction' }).last().tap();
  const picker = phone.page.locator('.picker');
  await phone.see(picker);
  const box = await picker.boundingBox();
  assert.ok(box && box.x >= 0 && box.x + box.width <= 390 && box.y >= 0 && box.y + box.height <= 844, `the picker is on the screen: ${JSON.stringify(box)}`);
  await phone.shown('phone-picker', { narrow: false });
  await phone.button('rocket', picker).tap();
  await phone.see(phone.message('typed here').locator('.react', { hasText: '🚀' }));
  await phone.message('typed here').tap();
  await phone.message('typed here').getByRole('button', { name: 'Reply in thread' }).tap();
  await phone.see(phone.thread().locator('textarea'));
  await phone.thread().locator('textarea').fill('from the phone');
  await phone.button('Send reply').tap();
  await phone.see(phone.thread().getByText('from the phone'));
  await phone.shown('phone-thread', { narrow: false });
  await phone.button('Close thread').tap();
  await phone.see(phone.message('typed here').getByText('1 reply'));
  // What can be hit by a finger is large enough to be hit.
  const small = await phone.page.locator('button:visible, a.row:visible').evaluateAll((elements) => elements.map((element) => ({ name: element.getAttribute('aria-label') || element.textContent, ...element.getBoundingClientRect().toJSON() })).filter(({ width, height }) => width < 24 || height < 24).map(({ name, width, height }) => `${name}: ${width} x ${height}`));
  assert.deepEqual(small, []);
}));
