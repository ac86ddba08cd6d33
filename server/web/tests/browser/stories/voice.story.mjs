/** Two people talk: what one says into the microphone arrives at the other, and what each of them does shows. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;
/** @type {Person} */ let ben;

/** Keeps the page's connections within reach: the client tells nobody of them. @param {Person} person */
async function watchConnections(person) {
  await person.page.addInitScript(() => {
    const kept = /** @type {any} */ (window);
    kept.connections = [];
    kept.RTCPeerConnection = class extends RTCPeerConnection {
      /** @param {RTCConfiguration} [options] */
      constructor(options) {
        super(options);
        kept.connections.push(this);
      }
    };
  });
  await person.page.reload();
  await person.atHome();
}

/** The sound that reached somebody, over all connections that are open. @param {Person} person @returns {Promise<{packets:number, energy:number}>} */
function sound(person) {
  return person.page.evaluate(async () => {
    const all = { packets: 0, energy: 0 };
    for (const connection of /** @type {any} */ (window).connections) {
      if (connection.connectionState !== 'connected') continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== 'inbound-rtp' || report.kind !== 'audio') continue;
        all.packets += report.packetsReceived;
        all.energy += report.totalAudioEnergy ?? 0;
      }
    }
    return all;
  });
}

/** More and more of it. @param {Person} person */
async function hears(person) {
  const { packets, energy } = await person.until(() => sound(person), (now) => now.packets > 20 && now.energy > 0, `sound reaches ${person.name}`);
  return person.until(() => sound(person), (now) => now.packets > packets + 20 && now.energy > energy, `sound goes on reaching ${person.name}`);
}

/** @param {Person} person */
function bar(person) {
  return person.page.getByRole('region', { name: 'Voice', exact: true }).filter({ visible: true });
}

/** @param {Person} person @param {string} name */
function tile(person, name) {
  return person.page.locator('.stage .tile', { hasText: name });
}

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  ben = await world.member('ben', 'Ben Okri');
  await watchConnections(ada);
  await watchConnections(ben);
});
after(() => world?.end());

test('a voice channel is made, and shows who talks there', () => world.step('made', async () => {
  await ada.button('Create a channel', ada.page.locator('.side')).click();
  const dialog = ada.dialog('Create a channel');
  await ada.fill({ Name: 'studio' }, dialog);
  await dialog.getByLabel(/^Voice/).check();
  await ada.button('Create channel', dialog).click();
  await ada.see(ada.page.getByText('Nobody talks here at the moment.'));
  await ben.join('studio');
  await ben.shown('voice-empty');
  await ada.button('Talk in studio').click();
  await ada.see(bar(ada).getByText('You are alone'));
  await ada.see(tile(ada, 'Ada Lovelace (you)'));
  await ben.see(ben.page.locator('.side .voice', { hasText: 'Ada' }));
  // The microphone beeps, so she is seen to speak, by herself and by who looks on.
  await ada.see(ada.page.locator('.tile.speaks', { hasText: 'Ada' }));
  await ben.see(ben.page.locator('.tile.speaks', { hasText: 'Ada' }));
}));

test('two people hear each other', () => world.step('talk', async () => {
  await ben.button('Join them').click();
  await ben.see(bar(ben).getByText('Connected'));
  await ada.see(bar(ada).getByText('Connected'));
  await hears(ben);
  await hears(ada);
  await ben.shown('voice-talk');
  await ben.page.setViewportSize({ width: 390, height: 844 });
  await ben.see(bar(ben).getByText('In studio'));
  await ben.button('Open channel list').click();
  await ben.shown('voice-list', { narrow: false });
  await ben.button('Close the list').click({ position: { x: 380, y: 400 } });
  await ben.page.setViewportSize({ width: 1440, height: 1000 });
}));

test('who mutes is silent, and who silences the others hears nothing', () => world.step('mute', async () => {
  await ada.button('Mute the microphone', bar(ada)).click();
  await ben.see(tile(ben, 'Ada').getByText('Muted'));
  // What comes is silence: packets go on, their energy does not.
  let before = await sound(ben);
  await ben.until(async () => {
    const now = await sound(ben);
    const isSilent = now.packets > before.packets + 20 && now.energy - before.energy < 1e-6;
    if (now.packets > before.packets + 20) before = now;
    return isSilent;
  }, Boolean, 'silence');
  await hears(ada);
  // Where the other is silent, nothing is taken for an echo: both beep alike.
  await ada.see(ada.page.locator('.tile.speaks', { hasText: 'Ben' }));
  await ada.button('Mute the microphone', bar(ada)).click();
  await ben.unseen(tile(ben, 'Ada').getByText('Muted'));
  await hears(ben);
  await ben.button('Silence the others', bar(ben)).click();
  await ada.see(tile(ada, 'Ben').getByText('Hears nothing'));
  await ada.see(tile(ada, 'Ben').getByText('Muted'));
  await ada.shown('voice-silent');
  await ben.button('Silence the others', bar(ben)).click();
  await ada.unseen(tile(ada, 'Ben').getByText('Muted'));
}));

test('a screen is shown as long as its owner likes', () => world.step('screen', async () => {
  await ada.button('Show your screen', bar(ada)).click();
  const video = ben.page.getByLabel('The screen of Ada Lovelace');
  await ben.see(video);
  await ben.until(() => video.evaluate((element) => /** @type {HTMLVideoElement} */ (element).videoWidth), (width) => width > 0, 'the picture');
  await ben.see(tile(ben, 'Ada').getByText('Shows their screen'));
  await ben.shown('voice-screen');
  await ada.button('Show your screen', bar(ada)).click();
  await ben.unseen(video);
  await hears(ben);
}));

test('who comes back after the server was away is heard again', () => world.step('away', async () => {
  await world.server.kill();
  await ada.see(bar(ada).getByText('Reconnecting'));
  await world.server.run();
  for (const person of [ada, ben]) await person.see(bar(person).getByText('Connected'));
  await hears(ada);
  await hears(ben);
}));

test('who leaves is gone, and who is removed hears why', () => world.step('leave', async () => {
  await ben.button('Leave the voice channel', bar(ben)).click();
  await ben.unseen(bar(ben));
  await ada.see(bar(ada).getByText('You are alone'));
  await ben.see(ben.page.locator('.side .voice-t', { hasText: /: Ada$/ }));
  assert.deepEqual(await ben.page.evaluate(() => /** @type {any} */ (window).connections.map((/** @type {any} */ one) => one.connectionState).filter((/** @type {string} */ state) => state !== 'closed')), []);
  await ben.button('Talk in studio').click();
  await ben.see(bar(ben).getByText('Connected'));
  const dialog = await ada.details('members');
  await dialog.getByRole('listitem').filter({ hasText: 'Ben Okri' }).getByRole('button', { name: /Remove/ }).click();
  await ada.confirm('Remove', 'Remove Ben Okri?');
  await ben.see(ben.page.getByText('You are not a member of this channel.'));
  await ben.unseen(bar(ben));
  await ada.closeDialog();
  await ada.see(bar(ada).getByText('You are alone'));
}));
