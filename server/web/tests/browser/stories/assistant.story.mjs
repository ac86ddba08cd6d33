/** The assistant with a language model, which is a script here: its steps, its sentences as they come, its sources, stopping, summing up. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { World } from '../harness/world.mjs';

/** @typedef {import('../harness/person.mjs').Person} Person */
/** @type {World} */ let world;
/** @type {Person} */ let ada;
/** @type {import('node:http').Server} */ let model;
/** What the model says, and where it waits for the story. */
let says = '';
let waitsAfter = '';
let goOn = () => {};
let abandoned = 0;
/** A tool that the model asks for first. @type {{name:string, arguments:object}|null} */
let calls = null;

/** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
async function answer(request, response) {
  let body = '';
  for await (const part of request) body += part;
  const told = JSON.parse(body).messages.filter((/** @type {any} */ { role }) => role === 'tool').at(-1)?.content ?? '';
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.on('close', () => { if (!response.writableEnded) abandoned += 1; });
  if (calls) {
    const { name, arguments: values } = calls;
    calls = null;
    const call = { index: 0, id: 'call-1', type: 'function', function: { name, arguments: JSON.stringify(values) } };
    response.end(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [call] } }] })}\n\ndata: [DONE]\n\n`);
    return;
  }
  const say = (/** @type {string} */ text) => { for (const word of text.split(/(?<= )/)) response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: word } }] })}\n\n`); };
  // What the tool answered has the number that it begins with.
  says = says.replace('{tool}', told.slice(1, told.indexOf(']')));
  const [first, rest] = waitsAfter && says.includes(waitsAfter) ? [says.slice(0, says.indexOf(waitsAfter) + waitsAfter.length), says.slice(says.indexOf(waitsAfter) + waitsAfter.length)] : [says, ''];
  say(first);
  if (rest) {
    // A model that has begun and says nothing for 5 s is given up, and pictures of the page may take longer.
    const usage = JSON.stringify({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } });
    const beat = setInterval(() => response.write(`data: ${usage}\n\n`), 1_000);
    // Who is stopped goes on no more.
    response.on('close', () => clearInterval(beat));
    await new Promise((resolve) => { goOn = () => resolve(undefined); });
    clearInterval(beat);
    say(rest);
  }
  response.end('data: [DONE]\n\n');
}

before(async () => {
  model = createServer((request, response) => void answer(request, response));
  await new Promise((resolve) => { model.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const { port } = /** @type {import('node:net').AddressInfo} */ (model.address());
  world = await World.begin({ CONFAB_LLM_BASE_URL: `http://127.0.0.1:${port}/v1`, CONFAB_LLM_MODEL: 'parrot-1' });
  ada = await world.owner('ada', 'Ada Lovelace');
  await ada.makeChannel('harbour');
  await ada.post('The harbour office opens at seven in the morning.');
  await ada.post('Bring your papers when you come to the harbour office.');
  // Found once it is in the index.
  await ada.until(async () => {
    await ada.page.goto('/search?q=papers');
    await ada.see(ada.page.locator('.hit, .page-note').filter({ hasNotText: /Searching…|Loading…/ }));
    return ada.page.locator('.hit mark').count();
  }, (count) => count > 0, 'the message is found');
  await ada.page.goto('/');
  await ada.atHome();
  await ada.open('harbour');
});
after(async () => {
  await world?.end();
  model?.closeAllConnections();
  model?.close();
});

function pane() {
  return ada.page.getByRole('complementary', { name: 'Assistant' });
}

/** @param {string} question */
async function ask(question) {
  await pane().getByRole('textbox').fill(question);
  await pane().getByRole('textbox').press('Enter');
}

test('an answer comes sentence by sentence, with its steps and its sources', () => world.step('streaming', async () => {
  says = 'The harbour office opens at seven in the morning [1]. The moon is made of cheese [1]. Bring your papers when you come [2].';
  waitsAfter = '[1]. The moon';
  await ada.button('Assistant').first().click();
  await ask('When does the harbour office open, and what do I bring?');
  await ada.see(pane().locator('.answer', { hasText: 'opens at seven' }));
  await ada.see(pane().locator('.steps', { hasText: /Searched (\d+ messages|what) you can read/ }));
  await ada.see(pane().getByRole('button', { name: 'Stop' }));
  await ada.unseen(pane().locator('.answer', { hasText: 'papers' }));
  await ada.shown('assistant-writing');
  goOn();
  await ada.see(pane().locator('.answer', { hasText: 'Bring your papers' }));
  await ada.see(pane().locator('.ai-foot', { hasText: 'parrot-1' }));
  await ada.unseen(pane().locator('.answer', { hasText: 'cheese' }));
  assert.equal(await pane().locator('.src').count(), 2);
  await ada.shown('assistant-written');
  // A number in the text leads to the message, and marks it.
  await pane().locator('.answer .cite').first().click();
  await ada.see(ada.page.locator('.msg.is-cited', { hasText: 'opens at seven' }));
}));

test('what an answer took from its sources is marked; one says whether it helped, and administrators see how many did', () => world.step('rating', async () => {
  await ada.see(pane().locator('.src', { hasText: 'papers' }).locator('mark', { hasText: 'Bring' }));
  await ada.see(pane().locator('.steps', { hasText: 'from 1 channel' }));
  const helped = pane().getByRole('button', { name: 'This helped' });
  await helped.click();
  await ada.see(pane().locator('.thumb[aria-pressed="true"]'));
  const figures = () => ada.page.evaluate(async () => {
    const { api } = await /** @type {any} */ (globalThis).ours('page_api.js');
    const { helpful_answers: well, unhelpful_answers: badly } = await api.serverAssistant();
    return [well, badly];
  });
  assert.deepEqual(await figures(), [1, 0]);
  await pane().getByRole('button', { name: 'This did not help' }).click();
  await ada.until(figures, ([well, badly]) => well === 0 && badly === 1, 'the last word counts');
}));

test('an answer is told to others as one’s own message, seen before it is sent', () => world.step('share', async () => {
  await pane().getByRole('button', { name: 'Share the answer' }).click();
  const dialog = ada.dialog('Share the answer');
  const words = dialog.getByLabel('This is what everyone in #harbour will read');
  assert.match(await words.inputValue(), /opens at seven[\s\S]*\[1\] Ada Lovelace, #harbour: http/);
  await ada.shown('share-answer');
  await dialog.getByRole('radio', { name: 'general' }).check();
  await ada.see(dialog.getByLabel('This is what everyone in #general will read'));
  await ada.button('Post it', dialog).click();
  await ada.see(ada.page.getByText('The answer is posted in #general.'));
  await ada.open('general');
  await ada.see(ada.message('Bring your papers when you come'));
  await ada.open('harbour');
}));

test('what is offered next is about what was cited', () => world.step('next', async () => {
  waitsAfter = '';
  says = 'The harbour office opens at seven in the morning [1].';
  await pane().getByRole('button', { name: 'Sum up #harbour' }).first().click();
  await ada.see(pane().locator('.turn').last().locator('.answer', { hasText: 'opens at seven' }));
  assert.equal(await pane().locator('.turn').count(), 2);
}));

test('an answer can be stopped', () => world.step('stop', async () => {
  says = 'The harbour office opens at seven in the morning [1]. The moon is made of cheese [1].';
  waitsAfter = '[1]. The moon';
  const before = abandoned;
  await ask('When does the harbour office open again?');
  await ada.see(pane().locator('.turn').last().locator('.answer', { hasText: 'opens at seven' }));
  await pane().getByRole('button', { name: 'Stop' }).click();
  await ada.see(pane().getByText('Stopped.'));
  await ada.until(async () => abandoned, (count) => count > before, 'the model is told');
  await ada.see(pane().getByRole('button', { name: 'Ask', exact: true }));
}));

test('a thread and a channel are summed up', () => world.step('summary', async () => {
  waitsAfter = '';
  says = 'The harbour office opens at seven in the morning [1].';
  await pane().getByRole('button', { name: 'New conversation' }).click();
  await ada.button('More of this channel').click();
  await ada.page.getByRole('menuitem', { name: 'Sum up the channel' }).click();
  await ada.see(pane().locator('.answer', { hasText: 'opens at seven' }));
  await ada.see(pane().locator('.src'));
}));

test('a plugin’s tool is cited, and one that changes something waits for a yes', () => world.step('tools', async () => {
  const probe = new URL('../../../../../plugins/host/tests/', import.meta.url).pathname;
  await ada.page.goto('/admin/plugins');
  await ada.button('Install a plugin').first().click();
  await ada.page.getByLabel(/Manifest/).setInputFiles(`${probe}probe.toml`);
  await ada.page.getByLabel(/Component/).setInputFiles(`${probe}probe.wasm`);
  await ada.button('Look at it').click();
  await ada.button('Install', ada.page.getByRole('dialog')).click();
  await ada.see(ada.page.getByText('The plugin is installed.'));
  await ada.page.goto('/');
  await ada.atHome();
  await ada.open('harbour');
  await ada.button('Assistant').first().click();
  const level = { name: 'chat_confab_probe__stock-level', arguments: { thing: 'anchors' } };
  const order = { name: 'chat_confab_probe__order-stock', arguments: { thing: 'anchors', count: 3 } };
  calls = level;
  says = 'There are 7 anchors in stock [{tool}].';
  await ask('How many anchors are in stock?');
  await ada.see(pane().locator('.src', { hasText: 'Probe' }));
  await ada.see(pane().locator('.src', { hasText: 'There are 7 anchors in stock.' }));
  calls = order;
  says = 'I ordered anchors.';
  await ask('Please order three anchors.');
  const waits = pane().locator('.confirm').last();
  await ada.see(waits.getByText('Probe waits for your yes'));
  await ada.see(waits.getByText('order-stock'));
  await ada.see(waits.locator('dd', { hasText: '3' }));
  await ada.shown('assistant-confirm');
  await waits.getByRole('button', { name: 'Leave it' }).click();
  await ada.see(waits.getByText('Left undone.'));
  calls = order;
  await ask('Please order three anchors now.');
  await ada.until(() => pane().locator('.confirm').count(), (count) => count === 2, 'a second question');
  await waits.getByRole('button', { name: 'Do it' }).click();
  await ada.see(waits.getByText('ada ordered anchors.'));
  await ada.unseen(waits.getByRole('button'));
}));

test('the assistant can be switched off for a channel, for oneself and for everybody', () => world.step('off', async () => {
  await ada.button('Close assistant').click();
  await ada.button('More of this channel').click();
  await ada.page.getByRole('menuitem', { name: 'Settings' }).click();
  const check = ada.page.getByRole('checkbox', { name: 'The assistant may read this channel' });
  // It shows the new state once the server has said so.
  await check.click();
  await ada.see(ada.page.getByText('The assistant is off.').first());
  await ada.shown('channel-assistant');
  await check.click();
  await ada.see(ada.page.getByText('The assistant is on.').first());
  await ada.closeDialog();
  await ada.page.goto('/preferences/security');
  await ada.see(ada.page.getByRole('checkbox', { name: 'The assistant may read what I write' }));
  await ada.page.goto('/admin/assistant');
  await ada.see(ada.page.getByText('Its answers are written by parrot-1.'));
  await ada.see(ada.page.getByRole('table', { name: 'Tokens by person' }));
  await ada.shown('admin-assistant');
  await ada.page.getByRole('checkbox', { name: 'Everyone may ask the assistant' }).click();
  await ada.see(ada.page.getByText('The assistant is off.').first());
  await ada.page.getByRole('checkbox', { name: 'Everyone may ask the assistant' }).click();
  await ada.see(ada.page.getByText('The assistant is on.').first());
}));
