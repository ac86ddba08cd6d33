/**
 * The workspace as a team has it, for the eye: what the README shows, and what stands beside the mock-ups. Each page in light, dark and on a
 * phone is written into the folder of the run (CONFAB_ARTEFACTS) as gallery-…; CONFAB_IMAGES names where the README's two are renewed as well.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { judge } from '../harness/accessibility.mjs';
import { ARTEFACTS, World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let amara;
/** @type {Record<string, Person>} */ const people = {};

before(async () => {
  world = await World.begin();
  amara = await world.owner('amara', 'Amara Okafor', 'Northwind Labs');
  for (const [name, fullName] of [['jonas', 'Jonas Weber'], ['lucia', 'Lucía Romero'], ['mei', 'Mei Tanaka'], ['priya', 'Priya Nair']]) people[name] = await world.member(name, fullName);
});
after(() => world?.end());

/** By the client's own calls, which is quicker than typing. @param {Person} person @param {string} work of `chat` and `api`, and of what was handed over @param {any} [given] */
function call(person, work, given) {
  return person.page.evaluate(async ([code, value]) => {
    const [{ chat }, { api }] = await Promise.all([/** @type {any} */ (globalThis).ours('page_chat_api.js'), /** @type {any} */ (globalThis).ours('page_api.js')]);
    const steps = /** @type {Record<string, (given:any)=>Promise<any>>} */ ({
      channel: ({ name, topic, kind = 'public' }) => chat.createChannel({ name, kind }).then(({ id }) => (topic ? chat.changeChannel(id, { topic }).then(() => id) : id)),
      join: (id) => chat.join(id),
      add: ({ channel, user }) => chat.addMember(channel, user),
      post: ({ channel, content, parent, files }) => chat.post(channel, { content, nonce: crypto.randomUUID(), ...(parent ? { parent_id: parent } : {}), ...(files ? { file_ids: files } : {}) }).then(({ id }) => id),
      react: ({ message, code: face }) => chat.react(message, face),
      upload: ({ name, bytes }) => chat.upload(new File([new Uint8Array(bytes)], name, { type: 'text/csv' }), {}).then(({ id }) => id),
      direct: (users) => chat.direct(users).then(({ id }) => id),
      star: (id) => chat.setChannelPreferences(id, { starred: true }),
      mute: (id) => chat.setChannelPreferences(id, { muted: true }),
      status: (body) => api.setStatus(body),
      lag: () => api.stats().then(({ index }) => index.lag),
      me: () => api.me().then(({ id }) => id),
    });
    return steps[code](value);
  }, [work, given]);
}

/** @type {Record<string,string>} */ const channels = {};

test('a team writes', () => world.step('gallery-words', async () => {
  const { jonas, lucia, mei, priya } = people;
  for (const [name, topic] of [['release-planning', 'Confab 0.9 ships Thursday. Freeze Tuesday 17:00 UTC.'], ['announcements', 'What everyone should know'], ['backend', 'Server, storage, queues'], ['design-reviews', ''], ['incidents', 'What is broken, and who has it']]) {
    channels[name] = await call(amara, 'channel', { name, topic });
    for (const person of Object.values(people)) await call(person, 'join', channels[name]);
  }
  channels['core-team'] = await call(amara, 'channel', { name: 'core-team', kind: 'private' });
  channels['Standup room'] = await call(amara, 'channel', { name: 'standup-room', kind: 'voice' });
  for (const name of ['jonas', 'mei']) await call(amara, 'add', { channel: channels['core-team'], user: await call(people[name], 'me') });
  const plan = channels['release-planning'];
  const post = (/** @type {Person} */ person, /** @type {string} */ content, /** @type {object} */ more = {}) => call(person, 'post', { channel: plan, content, ...more });
  const rehearsal = await post(mei, ['Migration rehearsal on the staging copy is done: **41 s for 2.3 M messages**, index rebuilt in the background.', '', '```rust', 'while let Some(batch) = rows.next_chunk(5_000).await? {', '    store.upsert_many(&batch).await?;   // one transaction per chunk', '    bar.inc(batch.len() as u64);', '}', '```'].join('\n'));
  for (const person of [jonas, lucia, priya, amara]) await call(person, 'react', { message: rehearsal, code: '🚀' });
  for (const person of [jonas, priya]) await call(person, 'react', { message: rehearsal, code: '👏' });
  for (const [person, text] of /** @type {[Person, string][]} */ ([[jonas, 'Which machine was that?'], [mei, 'The small one: two cores.'], [priya, 'Then Thursday it is.']])) await post(person, text, { parent: rehearsal });
  await post(jonas, 'Moving the freeze to **Tuesday 17:00 UTC**, so translations get one working day more. Voice stays behind a flag for 0.9.');
  await post(jonas, 'Open: who owns the upgrade notes? @lucia drafted them last time.');
  await post(priya, 'The send queue on chat-2 stands at 86 %. Looking.');
  await call(amara, 'star', plan);
  await call(amara, 'star', channels['core-team']);
  await call(amara, 'mute', channels['announcements']);
  await amara.page.goto(`/channels/${plan}`);
  await amara.see(amara.message('who owns the upgrade notes'));
  await amara.page.goto(`/channels/${channels['design-reviews']}`);
  await amara.see(amara.composer());
  await amara.composer().fill('The new empty states');
  const rows = Array.from({ length: 900 }, (_, at) => `${at},queue,${(at * 37) % 100}\n`).join('');
  const file = await call(lucia, 'upload', { name: 'load-test-results.csv', bytes: [...Buffer.from(rows)] });
  const ready = await post(lucia, '@amara upgrade notes are ready for a read. Two things need your call: the Postgres minimum, and whether we keep the old webhook path.', { files: [file] });
  await post(mei, 'Access log of the last 30 days: 2 senders still use the old path.', { parent: ready });
  await call(mei, 'react', { message: ready, code: '👀' });
  for (const [name, text] of [['backend', 'Rows are written in chunks of 5,000 now'], ['incidents', '@amara chat-2 is slow again'], ['core-team', '@amara budget for the second machine?']]) await call(jonas, 'post', { channel: channels[name], content: text });
  for (const [name, text] of [['mei', 'Could you look at the rehearsal?'], ['jonas', ''], ['priya', '']]) {
    const direct = await call(people[name], 'direct', [await call(amara, 'me')]);
    if (text) await call(people[name], 'post', { channel: direct, content: text });
  }
  await call(jonas, 'status', { status: 'busy', text: 'Freeze week' });
  await call(priya, 'status', { status: 'away', text: null });
  await call(amara, 'status', { status: 'online', text: 'Focusing until 15:00' });
}));

/** @param {string} name @param {{narrow?:boolean}} [options] */
async function shot(name, { narrow = true } = {}) {
  const { page } = amara;
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(ARTEFACTS, `gallery-${name}-${colorScheme}.png`) });
    await judge(page, `${name}, ${colorScheme}`);
  }
  if (narrow) {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(ARTEFACTS, `gallery-${name}-narrow-${colorScheme}.png`) });
    }
    await page.setViewportSize({ width: 1440, height: 1000 });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

test('the channel, with the assistant and with a thread', () => world.step('gallery-main', async () => {
  const { page } = amara;
  await amara.row('release-planning').click();
  await amara.see(amara.message('upgrade notes are ready'));
  await amara.see(page.locator('.newline'));
  // What was written is found once the index has read it.
  await amara.until(() => call(amara, 'lag', null), (lag) => lag === 0, 'the index has read everything');
  await page.keyboard.press('Control+j');
  const pane = amara.page.getByRole('complementary', { name: 'Assistant' });
  await pane.getByRole('textbox').fill('When is the freeze, and what is still open?');
  await pane.getByRole('textbox').press('Enter');
  await amara.see(pane.locator('.src'));
  await people.mei.page.goto(`/channels/${channels['release-planning']}`);
  await people.mei.atHome();
  await people.mei.composer().fill('Writing');
  await amara.see(page.getByText('is typing'));
  await amara.message('who owns the upgrade notes').hover();
  await shot('main');
  await amara.page.setViewportSize({ width: 1190, height: 740 });
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(ARTEFACTS, `${colorScheme}.png`) });
    if (process.env.CONFAB_IMAGES) await copyFile(join(ARTEFACTS, `${colorScheme}.png`), join(process.env.CONFAB_IMAGES, `${colorScheme}.png`));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1440, height: 1000 });
  await amara.message('upgrade notes are ready').locator('.thread').click();
  await amara.see(amara.thread().getByText('2 senders still use'));
  await shot('thread');
  await page.keyboard.press('Escape');
  await amara.composer().fill('/r');
  await amara.see(page.getByRole('option', { name: /roll/ }));
  await shot('composing');
  await amara.composer().fill('');
}));

test('the pages beside it', () => world.step('gallery-pages', async () => {
  const { page } = amara;
  await page.keyboard.press('Control+k');
  await page.keyboard.type('re');
  await amara.see(page.getByRole('option', { name: /release-planning/ }));
  await shot('switcher');
  await page.keyboard.press('Escape');
  for (const [name, path, sign] of [['search', '/search?q=in%3Arelease-planning%20postgres%20migration', '.strip .answer'], ['admin', '/admin', 'main h1'], ['threads', '/threads', 'main h1'], ['saved', '/saved', 'main h1'], ['later', '/later', 'main h1'], ['preferences', '/preferences', 'main h1']]) {
    await page.goto(path);
    await amara.see(page.locator(sign));
    await amara.unseen(page.getByText('Loading…'));
    if (name === 'admin') await amara.see(page.locator('.plot .line'));
    await shot(name);
  }
}));
