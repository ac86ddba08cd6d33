/** The server is killed and comes back: nothing that was written is lost, nothing comes twice. */
import assert from 'node:assert/strict';
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
});
after(() => world?.end());

test('what was written while the server was away goes out once', () => world.step('killed', async () => {
  await ada.post('Before');
  await ben.see(ben.message('Before'));
  await world.server.kill();
  await ada.see(ada.page.getByText('Connection lost.'));
  await ada.composer().fill('Written without a server');
  await ada.composer().press('Enter');
  await ada.see(ada.page.locator('.msg.is-failed, .msg.is-pending', { hasText: 'Written without a server' }));
  await ada.see(ada.page.getByText('1 message waits to be sent'));
  await ada.shown('connection-lost');
  await world.server.run();
  for (const person of [ada, ben]) {
    await person.see(person.message('Written without a server'));
    await person.unseen(person.page.getByText('Connection lost.'));
  }
  await ben.post('After');
  await ada.see(ada.message('After'));
  for (const person of [ada, ben]) {
    for (const text of ['Before', 'Written without a server', 'After']) assert.equal(await person.page.locator('.main article.msg', { hasText: text }).count(), 1, `${text}, once at ${person.name}`);
  }
}));

test('what waits outlives a page that is loaded again, and a thread that is closed', () => world.step('reloaded', async () => {
  await ada.tool(ada.message('Before'), 'Reply in thread');
  await ada.see(ada.thread().locator('textarea'));
  await world.server.kill();
  await ada.see(ada.page.getByText('Connection lost.'));
  await ada.thread().locator('textarea').fill('A reply without a server');
  await ada.thread().locator('textarea').press('Enter');
  await ada.see(ada.thread().locator('.msg.is-failed', { hasText: 'A reply without a server' }));
  await ada.button('Close thread').click();
  await ada.composer().fill('Kept over the reload');
  await ada.composer().press('Enter');
  await ada.see(ada.page.getByText('2 messages wait to be sent'));
  await world.server.run();
  await ada.page.reload();
  await ada.atHome();
  for (const person of [ada, ben]) {
    await person.see(person.message('Kept over the reload'));
    await person.see(person.message('Before').getByText('1 reply'));
  }
  await ada.until(() => ada.page.evaluate(() => sessionStorage.getItem('confab-unsent')), (kept) => kept === null, 'nothing waits');
  await ben.tool(ben.message('Before'), 'Reply in thread');
  await ben.see(ben.thread().getByText('A reply without a server'));
  await ben.page.keyboard.press('Escape');
}));

test('what did not come with the page comes with the connection', () => world.step('lazy', async () => {
  const late = /\/views\/composer\.js$/;
  await ben.page.route(late, (route) => route.abort());
  await ben.page.reload();
  await ben.see(ben.button('Reload'));
  await ben.see(ben.message('Before'));
  assert.equal(await ben.composer().count(), 0);
  await world.server.kill();
  await ben.see(ben.page.getByText('Connection lost.'));
  await ben.page.unroute(late);
  await world.server.run();
  await ben.post('Written by a composer that came late');
  await ada.see(ada.message('Written by a composer that came late'));
}));

test('what could not be read is read with the connection', () => world.step('unread', async () => {
  const list = '**/api/v1/channels/me*';
  await ben.page.route(list, (route) => route.abort());
  await ben.page.reload();
  await ben.see(ben.page.getByText('The server could not be reached').or(ben.page.getByText('Loading…')));
  await ben.see(ben.page.locator('.ws .sub', { hasText: /online|Connected/ }));
  assert.equal(await ben.row('general').count(), 0);
  await world.server.kill();
  await ben.see(ben.page.getByText('Connection lost.'));
  await ben.page.unroute(list);
  await world.server.run();
  await ben.see(ben.row('general'));
  await ben.see(ben.message('Before'));
}));

test('what is said while the channels are read is counted', () => world.step('counted', async () => {
  const list = '**/api/v1/channels/me*';
  /** @type {(value?:unknown) => void} */ let goOn = () => {};
  const held = new Promise((resolve) => { goOn = resolve; });
  let asked = 0;
  await ben.page.route(list, async (route) => {
    const response = await route.fetch();
    asked += 1;
    await held;
    await route.fulfill({ response });
  });
  await ben.page.reload();
  const heardTo = () => ben.page.evaluate(async () => (await /** @type {any} */ (globalThis).ours('live.js')).live.value?.cursor?.pos ?? 0);
  await ben.until(async () => asked, (count) => count > 0, 'the list is read');
  const before = await ben.until(heardTo, (pos) => pos > 0, 'a position');
  await ada.open('random');
  await ada.post('Said beside the list');
  await ben.until(heardTo, (pos) => pos > before, 'the news');
  goOn();
  await ben.see(ben.row('random').locator('.pip'));
  await ben.page.unrouteAll({ behavior: 'ignoreErrors' });
  await ada.open('general');
  await ben.open('random');
  await ben.unseen(ben.row('random').locator('.pip'));
  await ben.open('general');
}));

test('nobody reads a command that was typed before the list of them came', () => world.step('commands', async () => {
  /** @type {(value?:unknown) => void} */ let goOn = () => {};
  const held = new Promise((resolve) => { goOn = resolve; });
  await ben.page.route('**/api/v1/commands', async (route) => { await held; await route.continue(); });
  await ben.page.reload();
  await ben.atHome();
  await ben.composer().fill('/nobody knows this one');
  await ben.composer().press('Enter');
  await ben.composer().press('Enter');
  await ada.post('Said beside it');
  await ben.see(ben.message('Said beside it'));
  assert.equal(await ada.message('/nobody knows').count(), 0);
  goOn();
  // It is none, so it is a message, once.
  await ada.see(ada.message('/nobody knows'));
  await ben.unseen(ben.page.locator('.msg.is-pending'));
  assert.equal(await ada.page.locator('.main article.msg', { hasText: '/nobody knows' }).count(), 1);
  await ben.page.unrouteAll({ behavior: 'ignoreErrors' });
}));

test('a page that was away hears what it missed', () => world.step('missed', async () => {
  await ben.page.context().setOffline(true);
  await ben.page.evaluate(() => dispatchEvent(new Event('offline')));
  await ada.post('Said while ben was away');
  await ben.page.context().setOffline(false);
  await ben.see(ben.message('Said while ben was away'));
}));

test('a page that was away too long asks again who is in the channel', () => world.step('anew', async () => {
  await ben.see((await ben.details('members')).getByText('@ada'));
  await ben.closeDialog();
  // It hears nothing, and then what the server says to a position of another log.
  await ben.page.evaluate(async () => { (await /** @type {any} */ (globalThis).ours('live.js')).live.value.handlers.event = () => {}; });
  await world.member('cleo', 'Cleo Ash');
  await ben.page.evaluate(async () => {
    const live = (await /** @type {any} */ (globalThis).ours('live.js')).live.value;
    live.cursor.epoch = 'another';
    live.socket.close();
  });
  await ben.see((await ben.details('members')).getByText('@cleo'));
  await ben.closeDialog();
}));
