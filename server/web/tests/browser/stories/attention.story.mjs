/** What one is told of: the inbox, levels, words, quiet hours, stars and mutes; and custom reactions. */
import { after, before, test } from 'node:test';
import { picture } from '../harness/pictures.mjs';
import { World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;
/** @type {Person} */ let ben;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
  ben = await world.member('ben', 'Ben Okri');
  await ada.makeChannel('plans');
  await ben.join('plans');
  await ben.open('general');
});
after(() => world?.end());

/** @param {Person} person */
function inbox(person) {
  return person.page.getByRole('complementary', { name: 'Inbox' });
}

/** @param {Person} person */
function bell(person) {
  return person.page.locator('.side .row', { hasText: 'Inbox' });
}

test('a mention waits in the inbox until it is seen where it stands', () => world.step('mention', async () => {
  await ada.post('Could you read the **notes**, @ben?');
  await ben.see(ben.row('plans').locator('.badge', { hasText: '1' }));
  await ben.see(bell(ben).locator('.badge', { hasText: '1' }));
  await bell(ben).click();
  await ben.see(inbox(ben).getByText('Could you read the notes, @ben?'));
  await ben.shown('inbox');
  await inbox(ben).getByRole('link').first().click();
  await ben.see(ben.message('Could you read the notes'));
  await ben.unseen(bell(ben).locator('.badge'));
  await ben.see(inbox(ben).getByText('all read'));
  await ben.button('Close the inbox').click();
}));

test('what is unread is marked with a line, and can be made unread again', () => world.step('unread', async () => {
  // What was looked at for a moment is read.
  await ben.until(() => ben.page.evaluate(() => document.title), (title) => !title.startsWith('('), 'nothing waits');
  await ben.open('general');
  await ada.post('One thing more');
  await ben.see(ben.row('plans').locator('.pip'));
  await ben.open('plans');
  await ben.see(ben.page.locator('.newline'));
  await ben.shown('new-line');
  await ben.unseen(ben.row('plans').locator('.pip'));
  await ben.act(ben.message('One thing more'), 'Mark unread from here');
  await ben.open('general');
  await ben.see(ben.row('plans').locator('.pip'));
  await ben.page.getByText('Your menu').click({ force: true });
  await ben.see(ben.page.getByRole('menu'));
  await ben.shown('menu', { narrow: false });
  await ben.page.getByRole('menuitem', { name: 'Mark everything read' }).click();
  await ben.unseen(ben.row('plans').locator('.pip'));
}));

test('words, levels and quiet hours are kept', () => world.step('preferences', async () => {
  await ben.page.goto('/preferences/notifications');
  await ben.see(ben.page.getByLabel('Words that I watch'));
  await ben.fill({ 'Words that I watch': 'heliotrope, Budget' });
  await ben.page.getByLabel('Do not disturb me at certain hours').check();
  await ben.fill({ From: '23:00', To: '07:30' });
  await ben.page.getByLabel('Sunday').uncheck();
  await ben.shown('preferences-notifications');
  await ben.button('Save').click();
  await ben.see(ben.page.getByText('Your notifications are saved.'));
  await ben.page.reload();
  await ben.until(() => ben.page.getByLabel('Words that I watch').inputValue(), (text) => text.includes('heliotrope'), 'the words are kept');
  await ben.until(() => ben.page.getByLabel('From', { exact: true }).inputValue(), (text) => text === '23:00', 'the hours are kept');
  await ben.button('For an hour').click();
  await ben.see(ben.page.getByText(/^Nothing disturbs you until/));
  await ben.button('Tell me again').click();
  await ben.see(ben.button('For an hour'));
  await ben.page.goto('/');
  await ben.atHome();
  await ada.post('The budget is agreed');
  await ben.see(bell(ben).locator('.badge'));
  await bell(ben).click();
  await ben.see(inbox(ben).getByText('used a word that you watch'));
  await ben.button('Mark all read').click();
  await ben.see(inbox(ben).getByText('all read'));
  await ben.button('Close the inbox').click();
}));

test('a star lifts a channel, a mute makes it quiet', () => world.step('tune', async () => {
  await ben.open('plans');
  await ben.page.getByTitle('More of this channel').click();
  await ben.page.getByRole('menuitem', { name: 'Star', exact: true }).click();
  await ben.see(ben.page.locator('.sec', { hasText: 'Starred' }).getByText('plans'));
  await ben.page.getByTitle('More of this channel').click();
  await ben.page.getByRole('menuitem', { name: 'Mute', exact: true }).click();
  await ben.see(ben.row('plans').getByText('Muted'));
  await ben.open('general');
  await ada.post('Quietly');
  await ben.unseen(ben.row('plans').locator('.pip'));
}));

test('a status shows to the others', () => world.step('status', async () => {
  await ben.page.getByText('Your menu').click({ force: true });
  await ben.page.getByRole('menuitem', { name: 'Set a status' }).click();
  const dialog = ben.page.locator('dialog[open]');
  await ben.fill({ 'What you are doing': 'Reading' }, dialog);
  await dialog.getByLabel('Shown as').selectOption('busy');
  await ben.shown('status');
  await ben.button('Set the status', dialog).click();
  await ben.unseen(dialog);
  const members = await ada.details('members');
  await ada.see(members.getByText('Reading'));
  await ada.closeDialog();
}));

test('reactions of one’s own can be added and used', () => world.step('custom', async () => {
  await ada.message('Quietly').hover();
  await ada.button('Add reaction', ada.message('Quietly').locator('.tools')).click();
  await ada.button('Add or take away images', ada.page.locator('.picker')).click();
  const dialog = ada.page.locator('dialog[open]');
  await ada.see(dialog);
  await dialog.locator('input[type=file]').setInputFiles({ name: 'slope.png', mimeType: 'image/png', buffer: picture(64, 64) });
  await ada.shown('custom-reactions');
  await ada.button('Add it', dialog).click();
  await ada.see(dialog.getByText(':slope:'));
  await ada.closeDialog();
  await ben.row('plans').click();
  await ben.tool(ben.message('Quietly'), 'Add reaction');
  await ben.button('slope', ben.page.locator('.picker')).click();
  await ada.see(ada.message('Quietly').locator('.react img.emoji'));
}));

test('a push shows who wrote where, when no page is looked at', () => world.step('push', async () => {
  const context = ben.page.context();
  await context.grantPermissions(['notifications']);
  await ben.page.goto('/preferences/notifications');
  await ben.button('Push to this browser').click();
  // No push service is reached from here, which is told; the worker stands all the same.
  await ben.see(ben.page.getByRole('alert'));
  await ben.picture('push-refused');
  const worker = context.serviceWorkers()[0] ?? await context.waitForEvent('serviceworker');
  const session = await context.newCDPSession(ben.page);
  const registered = new Promise((resolve) => { session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => { if (registrations.length) resolve(registrations[0].registrationId); }); });
  await session.send('ServiceWorker.enable');
  const registrationId = await registered;
  await ben.page.goto('about:blank');
  const data = JSON.stringify({ sender: 'Ada Lovelace', channel_name: 'plans', text: 'Lunch?', notification_id: 'n1', url: '/' });
  await session.send('ServiceWorker.deliverPushMessage', { origin: world.server.address, registrationId, data });
  const shown = () => worker.evaluate(async () => (await /** @type {any} */ (self).registration.getNotifications()).map((/** @type {any} */ one) => `${one.title}: ${one.body}`));
  await ben.until(shown, (list) => list.join() === 'Ada Lovelace in #plans: Lunch?', 'the notification');
}));
