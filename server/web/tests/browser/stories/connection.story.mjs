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
  await ben.page.evaluate(async () => { (await /** @type {any} */ (globalThis).ours('workspace.js')).live.handlers.event = () => {}; });
  await world.member('cleo', 'Cleo Ash');
  await ben.page.evaluate(async () => {
    const { live } = await /** @type {any} */ (globalThis).ours('workspace.js');
    live.cursor.epoch = 'another';
    live.socket.close();
  });
  await ben.see((await ben.details('members')).getByText('@cleo'));
  await ben.closeDialog();
}));
