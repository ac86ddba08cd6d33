/** A page sleeps for a day: its socket is gone without a word, its token is over, and yet it wakes up correct, without a reload. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noonZone, World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;
/** @type {Person} */ let ben;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  ben = await world.member('ben', 'Ben Okri', { timezoneId: noonZone() });
});
after(() => world?.end());

test('after a day of sleep everything is as it is', () => world.step('wake', async () => {
  await ada.post('Before the night');
  await ada.post('Taken back in the night');
  await ben.page.clock.install();
  await ben.page.reload();
  await ben.atHome();
  await ben.see(ben.message('Taken back in the night'));
  await ben.see(ben.page.locator('.day', { hasText: 'Today' }));
  await ben.page.evaluate(() => { /** @type {any} */ (globalThis).sameAsBefore = true; });
  // Whatever stood between has forgotten the connection: nothing comes, and nobody says so.
  await ben.page.evaluate(async () => {
    const live = (await /** @type {any} */ (globalThis).ours('live.js')).live.value;
    live.socket.onmessage = null;
    live.heartbeat.stop();
  });
  await ada.act(ada.message('Before the night'), 'Pin to the channel');
  ada.page.once('dialog', (question) => question.accept());
  await ada.act(ada.message('Taken back in the night'), 'Delete');
  await ada.post('Said in the night, @ben');
  assert.equal(await ben.message('Said in the night').count(), 0);
  await ben.page.clock.fastForward('24:00:00');
  await ben.page.clock.runFor(8_000);
  await ben.see(ben.message('Said in the night'));
  await ben.unseen(ben.page.getByText('Taken back in the night'));
  await ben.see(ben.message('Before the night').getByText('Pinned'));
  await ben.see(ben.page.locator('.day', { hasText: 'Yesterday' }));
  assert.equal(await ben.page.locator('.day', { hasText: 'Today' }).count(), 0);
  assert.ok(await ben.page.evaluate(() => /** @type {any} */ (globalThis).sameAsBefore), 'without a reload');
  await ben.composer().fill('Good morning');
  await ben.composer().press('Enter');
  await ada.see(ada.message('Good morning'));
}));
