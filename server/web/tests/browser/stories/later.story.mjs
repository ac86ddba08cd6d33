/** Drafts on two devices, messages for later, reminders. */
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
  await ada.makeChannel('plans');
  await ben.join('plans');
});
after(() => world?.end());

/** @param {Person} person */
async function openLater(person) {
  await person.row('Saved').click();
  await person.page.getByRole('link', { name: 'Drafts and later' }).click();
  await person.see(person.page.getByRole('heading', { name: 'Drafts and later' }));
}

test('what was begun on one device goes on at the other', () => world.step('drafts', async () => {
  const phone = await world.stranger('ada', { viewport: { width: 390, height: 844 } });
  await phone.page.goto('/login');
  await phone.fill({ 'Username or email': 'ada', Password: 'a plain sentence of five words' });
  await phone.button('Sign in').click();
  await phone.see(phone.page.locator('.top h1'));
  await ada.composer().fill('Half a sentence');
  await phone.button('Open channel list').click();
  await phone.see(phone.page.locator('.side .row', { hasText: 'plans' }).getByText('Draft'));
  await phone.picture('phone-channel-list');
  await phone.row('plans').click();
  await phone.until(() => phone.composer().inputValue(), (text) => text === 'Half a sentence', 'the draft is there');
  await phone.composer().fill('Half a sentence, and the other half');
  await ada.until(() => ada.composer().inputValue(), (text) => text.endsWith('other half'), 'what the phone wrote');
  await openLater(ada);
  await ada.see(ada.page.getByText('Half a sentence, and the other half'));
  await ada.button('Throw away').click();
  await phone.until(() => phone.composer().inputValue(), (text) => text === '', 'thrown away on both');
}));

test('a message for later is changed, and comes when it is told to', () => world.step('scheduled', async () => {
  await ada.open('plans');
  await ada.composer().fill('Good morning, all');
  await ada.page.getByTitle('Send later', { exact: true }).click();
  await ada.page.getByRole('menuitem', { name: 'Send later…' }).click();
  const dialog = ada.dialog('Send later');
  await ada.see(dialog);
  await ada.shown('send-later');
  await dialog.getByRole('button', { name: /^Choose: Tomorrow/ }).first().click();
  await ada.unseen(dialog);
  await ada.until(() => ada.composer().inputValue(), (text) => text === '', 'the composer is free');
  await openLater(ada);
  await ada.see(ada.page.getByText('Good morning, all'));
  await ada.button('Change').click();
  await ada.page.getByLabel('Message', { exact: true }).fill('Good morning, everyone');
  await ada.button('Save', ada.page.locator('dialog[open]')).click();
  await ada.see(ada.page.getByText('Good morning, everyone'));
  await ada.shown('later');
  await ada.button('Send now').click();
  await ben.see(ben.message('Good morning, everyone'));
  await ada.see(ada.page.getByText('None waits.'));
}));

test('a message whose time has come is sent by the server', () => world.step('due', async () => {
  await ada.open('plans');
  await ada.composer().fill('Sent by the clock');
  await ada.page.getByTitle('Send later', { exact: true }).click();
  await ada.page.getByRole('menuitem', { name: 'Send later…' }).click();
  // The field knows minutes; the call is given a time that is a second away.
  await ada.page.route('**/scheduled-messages', (route) => {
    const body = route.request().postDataJSON();
    return body ? route.continue({ postData: JSON.stringify({ ...body, send_at: new Date(Date.now() + 1_500).toISOString() }) }) : route.continue();
  });
  await ada.dialog('Send later').getByRole('button', { name: /^Choose: Tomorrow/ }).first().click();
  for (const person of [ada, ben]) await person.see(person.message('Sent by the clock'));
  await ada.page.unroute('**/scheduled-messages');
}));

test('a reminder comes into the inbox', () => world.step('reminder', async () => {
  await ben.act(ben.message('Good morning'), 'Remind me…');
  const dialog = ben.dialog('Remind me');
  await ben.see(dialog);
  await ben.shown('remind-me');
  await ben.page.route('**/reminders', (route) => {
    const body = route.request().postDataJSON();
    return body ? route.continue({ postData: JSON.stringify({ ...body, remind_at: new Date(Date.now() + 1_500).toISOString() }) }) : route.continue();
  });
  await ben.fill({ 'A note (optional)': 'Answer this' }, dialog);
  await dialog.getByRole('button', { name: /^Choose:/ }).first().click();
  await ben.see(ben.page.locator('.side .row', { hasText: 'Inbox' }).locator('.badge'));
  await ben.page.locator('.side .row', { hasText: 'Inbox' }).click();
  await ben.see(ben.page.getByRole('complementary', { name: 'Inbox' }).getByText('Answer this'));
  await ben.shown('inbox-reminder');
  await ben.page.unroute('**/reminders');
  await openLater(ben);
  await ben.see(ben.page.getByText('Nothing waits.'));
  await ben.button('New reminder').click();
  await ben.fill({ 'What it is about': 'Water the plants' });
  await ben.dialog('Remind me').getByRole('button', { name: /^Choose: Tomorrow/ }).first().click();
  await ben.see(ben.page.getByText('Water the plants'));
  await ben.button('Do not remind').click();
  await ben.see(ben.page.getByText('Nothing waits.'));
}));
