/** Two people in one channel: what one writes, changes and takes away, the other sees at once. */
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
  await ada.makeChannel('plans');
  await ben.join('plans');
});
after(() => world?.end());

const MARKDOWN = ['**Freeze** moves to *Tuesday* for @ben, see `CHANGELOG` and https://example.org/notes',
  '', '- upgrade notes', '- ~~voice~~', '', '> who owns it?', '', '| part | state |', '|---|---|', '| web | done |', '', '```rust', 'let batch = rows.next_chunk(5_000).await?;', '```'].join('\n');

test('Markdown is shown as the server rendered it, to both', () => world.step('markdown', async () => {
  await ada.composer().fill(MARKDOWN);
  await ada.composer().press('Enter');
  for (const person of [ada, ben]) {
    const message = person.message('Freeze moves');
    await person.see(message.locator('strong', { hasText: 'Freeze' }));
    for (const part of ['em', 'li', 'blockquote', 'table td', 'pre code', 'del', '.mention']) await person.see(message.locator(part));
    assert.equal(await message.locator('a[href="https://example.org/notes"]').getAttribute('rel'), 'noopener noreferrer nofollow');
  }
  assert.equal(await ben.message('Freeze moves').locator('.mention.you').count(), 1);
  assert.equal(await ada.message('Freeze moves').locator('.mention.you').count(), 0);
  await ben.shown('markdown');
}));

test('no picture is fetched from elsewhere, so that nobody learns who reads', () => world.step('remote', async () => {
  const asked = [];
  ben.page.on('request', (request) => { if (!request.url().startsWith(world.server.address) && !/^(?:data|blob):/.test(request.url())) asked.push(request.url()); });
  // On two lines: what stands in the first is how it is found again.
  await ada.post('a spy\n![pixel](https://example.org/pixel.png) <img src="https://example.org/other.png">');
  await ben.see(ben.message('a spy').getByText('pixel'));
  assert.equal(await ben.page.locator('.log img[src^="http"]').count(), 0);
  assert.deepEqual(asked, []);
}));

test('what is not yet stored looks as it will', () => world.step('pending', async () => {
  // The server is slow to answer: what was sent waits in view.
  await ada.page.route('**/messages', (route) => (route.request().method() === 'POST' ? new Promise(() => {}) : route.continue()));
  await ada.page.evaluate(() => { const { send } = WebSocket.prototype; WebSocket.prototype.send = function held(text) { if (!String(text).includes('"op":"send"')) send.call(this, text); }; });
  await ada.composer().fill('**bold** and a list\n- one\n- <b>two</b>');
  await ada.composer().press('Enter');
  const pending = ada.page.locator('.msg.is-pending');
  await ada.see(pending);
  await ada.see(pending.getByText('bold'));
  await ada.picture('pending');
  await ada.page.unroute('**/messages');
  await ada.page.reload();
  await ada.atHome();
}));

test('an edit is seen, and what it said before is kept', () => world.step('edit', async () => {
  await ada.post('The freze is on Tuesday');
  await ben.see(ben.message('The freze is on Tuesday'));
  await ada.act(ada.message('The freze'), 'Edit');
  const editor = ada.page.locator('article .edit textarea, article textarea');
  await editor.fill('The freeze is on **Tuesday**');
  await editor.press('Enter');
  await ben.see(ben.message('The freeze is on Tuesday').locator('strong'));
  await ben.see(ben.message('The freeze is on Tuesday').locator('.edited'));
  await ben.act(ben.message('The freeze is on Tuesday'), 'Edit history');
  await ben.see(ben.dialog('Edit history').getByText('The freze is on Tuesday'));
  await ben.shown('edit-history');
  await ben.closeDialog();
}));

test('a deleted message is gone for both', () => world.step('delete', async () => {
  await ada.post('said by mistake');
  await ben.see(ben.message('said by mistake'));
  ada.page.once('dialog', (dialog) => void dialog.accept());
  await ada.act(ada.message('said by mistake'), 'Delete');
  for (const person of [ada, ben]) await person.until(() => person.page.locator('body').innerText(), (text) => !text.includes('said by mistake'), 'the message is gone');
}));

test('reactions are counted, named and taken back', () => world.step('react', async () => {
  await ben.tool(ben.message('The freeze is on'), 'React with thumbs up');
  const seen = ada.message('The freeze is on').locator('.react', { hasText: '👍' });
  await ada.see(seen);
  await seen.click();
  await ada.until(() => seen.innerText(), (text) => text.includes('2'), 'two thumbs');
  await ben.until(() => ben.message('The freeze is on').locator('.react', { hasText: '👍' }).innerText(), (text) => text.includes('2'), 'two thumbs');
  await ada.button('Who reacted', ada.message('The freeze is on')).click();
  await ada.see(ada.dialog('Reactions').getByText('Ben Okri'));
  await ada.shown('reactors');
  await ada.closeDialog();
  await ben.tool(ben.message('The freeze is on'), 'Add reaction');
  await ben.see(ben.page.locator('.picker'));
  await ben.shown('emoji-picker');
  await ben.page.keyboard.press('Escape');
  await ben.message('The freeze is on').locator('.react', { hasText: '👍' }).click();
  await ada.until(() => seen.innerText(), (text) => text.includes('1'), 'one thumb left');
}));

test('a reply arrives in the open thread, and is counted at its root', () => world.step('thread', async () => {
  await ada.tool(ada.message('The freeze is on'), 'Reply in thread');
  await ben.tool(ben.message('The freeze is on'), 'Reply in thread');
  const write = async (/** @type {Person} */ person, /** @type {string} */ text) => {
    await person.thread().locator('textarea').fill(text);
    await person.thread().locator('textarea').press('Enter');
  };
  await write(ada, 'Who tells the translators?');
  await ben.see(ben.thread().getByText('Who tells the translators?'));
  await ben.see(ben.message('The freeze is on').getByText('1 reply'));
  await Promise.all([ada.see(ada.thread().getByText(/Ben.* typing/)), ben.thread().locator('textarea').pressSequentially('I do')]);
  await ben.thread().locator('textarea').press('Enter');
  await ada.see(ada.thread().getByText('I do', { exact: true }));
  await ada.see(ada.message('The freeze is on').getByText('2 replies'));
  await ada.shown('thread');
  // Whoever closed it is told.
  await ada.button('Close thread').click();
  await write(ben, 'Done, @ada');
  await ada.see(ada.page.locator('.side .row', { hasText: 'Threads' }).locator('.badge'));
  await ada.page.locator('.side .row', { hasText: 'Threads' }).click();
  await ada.see(ada.page.getByText('mentions you'));
  await ada.shown('threads');
  await ada.page.getByRole('link', { name: 'Open', exact: true }).click();
  await ada.see(ada.thread().getByText('Done, @ada'));
  await ada.until(() => ada.page.locator('.side .row', { hasText: 'Threads' }).locator('.badge').count(), (count) => count === 0, 'the thread is read');
  await ada.button('Close thread').click();
  await ben.button('Close thread').click();
}));

test('pins and saved messages are listed with what they say', () => world.step('pins', async () => {
  await ben.act(ben.message('Freeze moves'), 'Pin to the channel');
  await ada.button('Pinned messages').click();
  const pane = ada.page.getByRole('complementary', { name: 'Pinned messages' });
  await ada.see(pane.locator('strong', { hasText: 'Freeze' }));
  await ada.shown('pins');
  await ben.act(ben.message('Freeze moves'), 'Take the pin away');
  await ada.see(pane.getByText('Nothing is pinned here'));
  await ada.button('Close the pinned messages').click();

  await ada.tool(ada.message('Freeze moves'), 'Save');
  await ada.page.locator('.side .row', { hasText: 'Saved' }).click();
  await ada.see(ada.page.locator('.listed strong', { hasText: 'Freeze' }));
  await ada.shown('saved');
  await ada.button('No longer save').click();
  await ada.see(ada.page.getByText('You have saved nothing yet'));
  await ada.open('plans');
}));

test('a quote and a forward carry the words', () => world.step('quote', async () => {
  await ben.act(ben.message('The freeze is on'), 'Quote');
  await ben.post('That is settled');
  await ada.see(ada.message('That is settled').locator('.quoted', { hasText: 'The freeze is on' }));
  await ada.act(ada.message('The freeze is on'), 'Forward…');
  await ada.see(ada.dialog('Forward'));
  await ada.shown('forward');
  await ada.closeDialog();
}));

test('a direct conversation says when it was read', () => world.step('direct', async () => {
  await ada.button('New direct message').click();
  const dialog = ada.page.locator('dialog[open]');
  await dialog.getByRole('searchbox').or(dialog.getByRole('textbox')).first().fill('ben');
  await ada.see(dialog.getByText('@ben'));
  await ada.shown('new-direct');
  await dialog.getByRole('listitem').filter({ hasText: '@ben' }).getByRole('button').first().click();
  await ada.button('Start the conversation').click();
  await ada.see(ada.page.locator('.top h1', { hasText: 'Ben Okri' }));
  await ada.post('Lunch?');
  await ben.see(ben.row('Ada Lovelace').locator('.badge'));
  await ben.open('Ada Lovelace');
  await ben.see(ben.message('Lunch?'));
  await ada.see(ada.page.locator('.seen'));
  await ada.shown('direct');
}));

test('what is said in a thread and in the channel too stands there beside what it answers', () => world.step('also', async () => {
  await ada.open('plans');
  await ada.post('Where are the notes?');
  await ada.tool(ada.message('Where are the notes?'), 'Reply in thread');
  await ada.thread().getByLabel('Also send to channel').check();
  await ada.thread().locator('textarea').fill('They are in the wiki');
  await ada.thread().locator('textarea').press('Enter');
  await ada.see(ada.thread().getByText('They are in the wiki'));
  await ada.see(ada.message('They are in the wiki').locator('.quoted', { hasText: 'Where are the notes?' }));
  assert.equal(await ada.thread().getByLabel('Also send to channel').isChecked(), false);
}));
