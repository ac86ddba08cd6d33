/** Files: by the button, dropped and pasted, with their progress; pictures drawn; all of them found again. */
import assert from 'node:assert/strict';
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
  await ada.makeChannel('papers');
  await ben.join('papers');
});
after(() => world?.end());

/** What is dropped or pasted, as browsers hand it over. @param {Person} person @param {'drop'|'paste'} how @param {{name:string, type:string, bytes:Buffer}} file */
async function hand(person, how, { name, type, bytes }) {
  await person.page.evaluate(({ how: kind, name: filename, type: mime, content }) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(content), (character) => character.charCodeAt(0))], filename, { type: mime }));
    const area = /** @type {HTMLElement} */ (document.querySelector('.main .box textarea'));
    const log = /** @type {HTMLElement} */ (document.querySelector('.log'));
    if (kind === 'paste') return area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
    for (const event of ['dragenter', 'dragover', 'drop']) log.dispatchEvent(new DragEvent(event, { dataTransfer: transfer, bubbles: true, cancelable: true }));
    return true;
  }, { how, name, type, content: bytes.toString('base64') });
}

/** @param {Person} person */
function uploads(person) {
  return person.page.getByRole('list', { name: 'Files of this message' });
}

test('a picture goes up with the message, and is drawn at the other one', () => world.step('picture', async () => {
  await ada.page.locator('.main input[type=file]').setInputFiles({ name: 'slope.png', mimeType: 'image/png', buffer: picture(1200, 800) });
  await ada.see(uploads(ada).getByText('Ready'));
  await ada.composer().fill('How the slope looks');
  await ada.shown('upload-ready');
  await ada.composer().press('Enter');
  for (const person of [ada, ben]) {
    const drawn = person.message('How the slope looks').getByRole('button', { name: 'Picture slope.png, open' });
    await person.see(drawn.locator('img'));
    await person.until(() => drawn.locator('img').evaluate((image) => /** @type {HTMLImageElement} */ (image).naturalWidth), (width) => width > 0, 'the thumbnail is drawn');
    const box = await drawn.boundingBox();
    assert.ok(box && box.width <= 400 && Math.abs(box.width / box.height - 1.5) < 0.02, `in its own shape: ${JSON.stringify(box)}`);
  }
  await ben.shown('picture');
  await ben.button('Picture slope.png, open').click();
  await ben.until(() => ben.page.locator('.lightbox img').evaluate((image) => /** @type {HTMLImageElement} */ (image).naturalWidth), (width) => width === 1200, 'the whole picture');
  await ben.shown('lightbox');
  await ben.closeDialog();
}));

test('files that are dropped and pasted go with one message', () => world.step('drop', async () => {
  await hand(ben, 'drop', { name: 'minutes.txt', type: 'text/plain', bytes: Buffer.from('The heliotrope budget was agreed.\n') });
  await hand(ben, 'paste', { name: 'image.png', type: 'image/png', bytes: picture(64, 64, 20) });
  await ben.until(() => uploads(ben).getByText('Ready').count(), (count) => count === 2, 'both are there');
  await ben.button('Send message').click();
  await ben.unseen(uploads(ben));
  await ada.see(ada.page.getByText('minutes.txt'));
  await ada.see(ada.button('Picture image.png, open').locator('img'));
  const saved = ada.page.waitForEvent('download');
  await ada.button('Download minutes.txt').click();
  assert.equal((await saved).suggestedFilename(), 'minutes.txt');
}));

test('a large file goes in parts, says how far it is, and can be called off', () => world.step('large', async () => {
  /** @type {(() => void)|undefined} */
  let release;
  const held = new Promise((resolve) => { release = () => resolve(undefined); });
  let parts = 0;
  await ada.page.route('**/files/uploads/*', async (route) => {
    if (route.request().method() === 'PATCH' && (parts += 1) === 2) await held;
    await route.continue();
  });
  const buffer = Buffer.alloc(20 * 1024 * 1024, 'confab ');
  await ada.page.locator('.main input[type=file]').setInputFiles({ name: 'load.csv', mimeType: 'text/csv', buffer });
  const item = uploads(ada).getByRole('listitem');
  // The first part is there, the second one waits.
  await ada.until(() => item.getByRole('progressbar').evaluate((bar) => /** @type {HTMLProgressElement} */ (bar).position), (position) => position > 0.3 && position < 1, 'it is under way');
  assert.ok(await ada.button('Send message').isDisabled(), 'a message waits for its files');
  await ada.shown('upload-under-way');
  release?.();
  await ada.see(item.getByText('Ready'));
  assert.ok(parts >= 3);
  await ada.button('Remove load.csv').click();
  await ada.unseen(uploads(ada));

  await ada.page.unroute('**/files/uploads/*');
  await ada.page.route('**/files/uploads/*', (route) => (route.request().method() === 'PATCH' ? new Promise(() => {}) : route.continue()));
  await ada.page.locator('.main input[type=file]').setInputFiles({ name: 'load.csv', mimeType: 'text/csv', buffer });
  await ada.button('Cancel load.csv').click();
  await ada.unseen(uploads(ada));
  await ada.page.unroute('**/files/uploads/*');
}));

test('a file that is too large is refused before it leaves', () => world.step('too-large', async () => {
  await ada.page.route('**/api/v1/info', async (route) => {
    const answer = await route.fetch();
    const info = await answer.json();
    await route.fulfill({ json: { ...info, limits: { ...info.limits, upload_bytes: 1000 } } });
  });
  await ada.page.reload();
  await ada.atHome();
  await ada.page.locator('.main input[type=file]').setInputFiles({ name: 'long.txt', mimeType: 'text/plain', buffer: Buffer.alloc(2000, 'x') });
  await ada.see(uploads(ada).getByText('Larger than this server takes'));
  await ada.picture('upload-refused');
  await ada.button('Remove long.txt').click();
  await ada.page.unrouteAll({ behavior: 'ignoreErrors' });
  await ada.page.reload();
  await ada.atHome();
}));

test('files are found by their names and by the words in them', () => world.step('search', async () => {
  await ada.page.goto('/search');
  const search = ada.page.getByRole('searchbox');
  await ada.page.getByRole('tab', { name: 'Files' }).click();
  const found = ada.page.getByRole('list', { name: 'Results' }).getByText('minutes.txt');
  await ada.until(async () => {
    await ada.page.goto('/search?q=heliotrope&in=files');
    await ada.see(ada.page.getByRole('tab', { name: /^Files \d/ }));
    return found.count();
  }, Boolean, 'the words in a file are found');
  await ada.see(ada.page.locator('mark', { hasText: 'heliotrope' }));
  await ada.shown('search-files');
  await search.fill('slope');
  await search.press('Enter');
  await ada.see(ada.page.getByRole('list', { name: 'Results' }).getByText('slope.png'));
  await ada.page.getByRole('tab', { name: 'Messages' }).click();
  await ada.see(ada.page.locator('mark', { hasText: 'slope' }));
  await ada.shown('search-messages');
  await ada.page.getByRole('link', { name: /^Jump to the message/ }).first().click();
  await ada.see(ada.page.locator('article.msg', { hasText: 'How the slope looks' }));
}));
