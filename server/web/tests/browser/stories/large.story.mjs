/** Much of everything: what is drawn stays small, whatever there is. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

/** @type {World} */ let world;
/** @type {import('../harness/person.mjs').Person} */ let ada;

before(async () => {
  world = await World.begin();
  ada = await world.owner('ada', 'Ada Lovelace');
});
after(() => world?.end());

/** Some at a time. @param {string} what @param {number} count */
function many(what, count) {
  return ada.page.evaluate(async ([kind, number]) => {
    const { chat } = await /** @type {any} */ (globalThis).ours('page_chat_api.js');
    const channelId = location.pathname.split('/')[2];
    const one = (/** @type {number} */ at) => (kind === 'channel' ? chat.createChannel({ name: `channel-${String(at).padStart(4, '0')}`, kind: 'public' }) : chat.post(channelId, { content: `message ${at} of many`, nonce: `many-${at}-${Math.random()}` }));
    for (let at = 0; at < number; at += 10) await Promise.all(Array.from({ length: Math.min(10, number - at) }, (_, next) => one(at + next)));
  }, /** @type {const} */ ([what, count]));
}

const drawn = () => ada.page.locator('.main article.msg').count();

test('of a long channel at most 300 messages are in the page', () => world.step('long', async () => {
  await ada.row('general').click();
  await many('message', 700);
  await ada.page.reload();
  await ada.atHome();
  await ada.see(ada.message('message 699 of many'));
  const log = ada.page.locator('.log');
  let most = 0;
  await ada.until(async () => {
    await log.evaluate((element) => { element.scrollTop = 0; });
    most = Math.max(most, await drawn());
    return ada.page.locator('.beginning').count();
  }, (count) => count > 0, 'the beginning comes into view');
  assert.ok(most > 150, `more pages than one were kept: ${most}`);
  assert.ok(most <= 300, `${most} messages in the page`);
  await ada.button(/Jump to newest|new$/).click();
  await ada.see(ada.message('message 699 of many'));
  // What is left is let go of, so that coming back draws a page and not the window.
  await ada.row('random').click();
  await ada.see(ada.page.locator('.top h1', { hasText: 'random' }));
  await ada.row('general').click();
  await ada.see(ada.message('message 699 of many'));
  assert.ok((await drawn()) <= 60);
}));

test('a long thread begins with its newest replies, and goes back to its first', () => world.step('thread', async () => {
  await ada.row('random').click();
  await ada.post('Who brings what?');
  await ada.page.evaluate(async () => {
    const { chat } = await /** @type {any} */ (globalThis).ours('page_chat_api.js');
    const channelId = location.pathname.split('/')[2];
    const { items } = await chat.messages(channelId);
    for (let at = 0; at < 130; at += 1) await chat.post(channelId, { content: `reply ${at} of many`, parent_id: items.at(-1).id, nonce: `reply-${at}` });
  });
  await ada.page.reload();
  await ada.atHome();
  await ada.tool(ada.message('Who brings what?'), 'Reply in thread');
  const reply = (/** @type {number} */ at) => ada.thread().getByText(`reply ${at} of many`, { exact: true });
  await ada.see(reply(129));
  await ada.see(ada.thread().getByText('Who brings what?'));
  await ada.see(ada.thread().getByText('130 replies'));
  assert.equal(await reply(0).count(), 0);
  await ada.button('Earlier replies', ada.thread()).scrollIntoViewIfNeeded();
  await ada.shown('long-thread');
  const seen = () => reply(30).evaluate((element) => element.getBoundingClientRect().top);
  const before = await seen();
  await ada.button('Earlier replies', ada.thread()).click();
  await ada.until(() => reply(0).count(), (count) => count === 1, 'the first reply comes');
  assert.ok(Math.abs((await seen()) - before) < 60, `who reads stays where they are: ${before} and ${await seen()}`);
  await ada.unseen(ada.button('Earlier replies', ada.thread()));
  await ada.thread().locator('textarea').fill('And cake');
  await ada.thread().locator('textarea').press('Enter');
  await ada.see(ada.thread().getByText('And cake'));
}));

test('of two thousand channels only those in view are in the page', () => world.step('channels', async () => {
  await many('channel', 2_000);
  await ada.page.reload();
  await ada.atHome();
  const rows = ada.page.locator('.side a.row');
  const scroller = ada.page.locator('.side-scroll');
  // The list begins where the channel on screen is.
  await ada.see(ada.row('general'));
  await ada.until(async () => {
    await scroller.evaluate((element) => { element.scrollTop = 0; });
    return ada.row('channel-0003').count();
  }, (found) => found === 1, 'the first channels come into view');
  const count = await rows.count();
  assert.ok(count < 120, `${count} rows`);
  await ada.until(async () => {
    await scroller.evaluate((element) => { element.scrollTop = element.scrollHeight; });
    return ada.row('channel-1999').count();
  }, (found) => found === 1, 'the last channel comes into view');
  assert.ok((await rows.count()) < 120);
  await ada.row('channel-1999').click();
  await ada.see(ada.page.locator('.top h1', { hasText: 'channel-1999' }));
  // By the keyboard to the one before, which is drawn though it was not in view.
  await ada.page.keyboard.press('Alt+ArrowUp');
  await ada.see(ada.page.locator('.top h1', { hasText: 'channel-1998' }));
  await ada.page.keyboard.press('Control+k');
  await ada.page.keyboard.type('channel-0815');
  await ada.see(ada.page.getByRole('option', { name: 'channel-0815' }));
  await ada.page.keyboard.press('Enter');
  await ada.see(ada.page.locator('.top h1', { hasText: 'channel-0815' }));
  await ada.until(() => ada.page.locator('.side a[aria-current="page"]').evaluateAll((links) => links.map((link) => link.getBoundingClientRect().top)), ([top]) => top > 0 && top < 900, 'the list shows where one is');
}));
