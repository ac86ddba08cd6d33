#!/usr/bin/env node
/**
 * What the client takes in a browser, by the browser's own clock: `ops/bench client`. A demo of 100,000 messages in 8 channels, and a person in
 * 2,000 channels. Prints the rows of ops/bench: a table, then a line of JSON each, which --save appends to a file.
 */
import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { BINARY, BROWSER, missing, playwright } from './harness/packages.mjs';
import { Server } from './harness/server.mjs';
import { asOurs } from './harness/world.mjs';

const quick = process.argv.includes('--quick');
const saveAt = process.argv.indexOf('--save');
const MESSAGES = quick ? 5_000 : 100_000;
const CHANNELS = quick ? 200 : 2_000;
const TURNS = quick ? 10 : 40;

const lacking = missing();
if (lacking.length) {
  for (const what of lacking) console.error(`ops/bench client: missing: ${what}`);
  process.exit(1);
}

/** @type {{scenario:string, what:string, unit:string, confab:number, goal:string, met:boolean|null, more:object}[]} */
const rows = [];
/** @param {string} what @param {string} unit @param {number} confab @param {number|null} most @param {object} [more] */
function row(what, unit, confab, most, more = {}) {
  rows.push({ scenario: 'client', what, unit, confab, goal: most === null ? '' : `≤ ${most}`, met: most === null ? null : confab <= most, more });
  console.error(line(rows[rows.length - 1]));
}

/** @param {typeof rows[number]} found */
function line({ scenario, what, confab, unit, goal, met }) {
  const figure = confab >= 100 ? confab.toFixed(0) : confab >= 10 ? confab.toFixed(1) : confab.toFixed(2);
  return `${scenario.padEnd(12)} ${what.padEnd(44)} ${figure.padStart(10)} ${unit.padEnd(6)} ${''.padStart(31)} ${goal.padStart(8)} ${met === null ? '' : met ? 'yes' : 'NO'}`.trimEnd();
}

/** @param {number[]} values @param {number} share */
const quantile = (values, share) => [...values].sort((left, right) => left - right)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

const folder = await mkdtemp(join(tmpdir(), 'confab-bench-client-'));
// Without what is set for the tests: settings that Confab does not know are refused.
const { PATH = '', HOME = '' } = process.env;
execFileSync(BINARY, ['demo', '--users', '40', '--channels', '8', '--messages', String(MESSAGES), '--seed', '1'], { env: { PATH, HOME, CONFAB_DATA_DIR: join(folder, 'data') }, stdio: ['ignore', 'ignore', 'inherit'] });
const server = new Server(folder, {});
await server.run();
const { chromium } = await playwright();
const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox', '--disable-gpu'] });
const run = { at: new Date().toISOString(), cores: cpus().length, load: loadavg()[0], browser: browser.version(), messages: MESSAGES, channels: CHANNELS };

try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, baseURL: server.address, locale: 'en-GB' });
  await context.addInitScript(asOurs);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await signIn(page);
  await firstLoad(page);
  await switching(page);
  await scrolling(page);
  await sending(page);
  await manyChannels(page);
} finally {
  await browser.close();
  await server.stop();
}

const json = rows.map((found) => `${JSON.stringify({ run, floor: null, floor_name: null, ratio: null, ...found })}\n`).join('');
console.log(rows.map(line).join('\n'));
process.stdout.write(json);
if (saveAt > 0) await appendFile(process.argv[saveAt + 1], json);

/** The first account, which then joins the channels of the demo. @param {import('playwright-core').Page} page */
async function signIn(page) {
  await page.goto(server.setUpLink);
  for (const [label, value] of Object.entries({ 'Your name': 'Ada Lovelace', Username: 'measuring', Email: 'ada@example.org', Password: 'a plain sentence of five words' })) await page.getByLabel(label, { exact: true }).fill(value);
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await page.locator('.log').waitFor();
  const longest = await page.evaluate(async () => {
    const { chat } = await /** @type {any} */ (globalThis).ours('page_chat_api.js');
    const { items } = await chat.channels({ limit: 100 });
    const open = items.filter((/** @type {any} */ channel) => channel.kind === 'public');
    for (const channel of open) await chat.join(channel.id).catch(() => {});
    return open.sort((/** @type {any} */ left, /** @type {any} */ right) => right.last_seq - left.last_seq)[0].id;
  });
  await page.goto(`/channels/${longest}`);
  await page.locator('.log article').first().waitFor();
}

/** Everything anew, as for somebody who was signed in before and whose browser keeps nothing. @param {import('playwright-core').Page} page */
async function firstLoad(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const times = [];
  let sent = { bytes: 0, files: 0 };
  for (let turn = 0; turn < (quick ? 2 : 7); turn += 1) {
    await page.goto('about:blank');
    await page.goto('/', { waitUntil: 'commit' });
    times.push(await page.evaluate(() => new Promise((resolve) => {
      const look = () => { if (document.querySelector('.log article')) requestAnimationFrame(() => resolve(performance.now())); else requestAnimationFrame(look); };
      look();
    })));
    sent = await page.evaluate(() => {
      const files = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter((entry) => !/\/api\/|\.woff2|about:/.test(entry.name));
      return { bytes: files.reduce((sum, entry) => sum + /** @type {any} */ (entry).encodedBodySize, 0), files: files.length };
    });
  }
  await session.send('Network.setCacheDisabled', { cacheDisabled: false });
  row('first messages on screen, nothing cached', 'ms', quantile(times, 0.5), null, { times });
  row('sent for it, gzipped, fonts apart', 'KB', sent.bytes / 1000, null, sent);
}

/** The time from a click to the frame that shows what it asked for. @param {import('playwright-core').Page} page */
async function switching(page) {
  const measured = await page.evaluate(async (turns) => {
    const rowsOf = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.side a.row[href^="/channels/"]')]).slice(0, 4);
    const shown = (/** @type {string} */ id) => new Promise((resolve) => {
      const look = () => (location.pathname.endsWith(id) && document.querySelector('.log article, .log .beginning') && document.querySelector(`.side a[aria-current="page"][href$="${id}"]`) ? requestAnimationFrame(() => setTimeout(resolve)) : requestAnimationFrame(look));
      look();
    });
    const times = [];
    for (let turn = 0; turn < turns + 4; turn += 1) {
      const link = rowsOf()[turn % 4];
      const started = performance.now();
      link.click();
      await shown(link.pathname.split('/')[2]);
      if (turn >= 4) times.push(performance.measure('switch', { start: started }).duration); // loaded by then
      await new Promise((resolve) => { setTimeout(resolve, 120); });
    }
    return times;
  }, TURNS);
  row('to a loaded channel, median', 'ms', quantile(measured, 0.5), 50, { measured });
  row('to a loaded channel, 95 of 100', 'ms', quantile(measured, 0.95), null);
}

/** Up through the history, by a screen at a time. @param {import('playwright-core').Page} page */
async function scrolling(page) {
  const { frames, most } = await page.evaluate(async (steps) => {
    const log = /** @type {HTMLElement} */ (document.querySelector('.log'));
    const gaps = [];
    let drawn = 0;
    let last = performance.now();
    for (let step = 0; step < steps; step += 1) {
      log.scrollTop = Math.max(0, log.scrollTop - 120);
      await new Promise((resolve) => { requestAnimationFrame(resolve); });
      gaps.push(performance.now() - last);
      last = performance.now();
      drawn = Math.max(drawn, document.querySelectorAll('.log article').length);
    }
    return { frames: gaps, most: drawn };
  }, quick ? 100 : 900);
  row('scrolling up a long channel, median frame', 'ms', quantile(frames, 0.5), null);
  row('scrolling up a long channel, 99 of 100 frames', 'ms', quantile(frames, 0.99), null);
  row('messages in the page at most', '', most, 300);
}

/** From the key to the frame with the message, which the server has not seen yet. @param {import('playwright-core').Page} page */
async function sending(page) {
  const times = [];
  for (let turn = 0; turn < (quick ? 5 : 20); turn += 1) {
    await page.locator('.main .box textarea').fill(`measured ${turn}`);
    times.push(await page.evaluate((words) => new Promise((resolve) => {
      const started = performance.now();
      document.querySelector('.main .box textarea')?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
      const look = () => ([...document.querySelectorAll('.log article')].at(-1)?.textContent?.includes(words) ? setTimeout(() => resolve(performance.now() - started)) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    }), `measured ${turn}`));
  }
  row('a sent message on screen, median', 'ms', quantile(times, 0.5), null, { times });
}

/** @param {import('playwright-core').Page} page */
async function manyChannels(page) {
  await page.evaluate(async (count) => {
    const { chat } = await /** @type {any} */ (globalThis).ours('page_chat_api.js');
    for (let at = 0; at < count; at += 20) await Promise.all(Array.from({ length: 20 }, (_, next) => chat.createChannel({ name: `many-${String(at + next).padStart(4, '0')}`, kind: 'public' }).catch(() => {})));
  }, CHANNELS);
  await page.reload();
  await page.locator('.log article').first().waitFor();
  const frames = await page.evaluate(async () => {
    const list = /** @type {HTMLElement} */ (document.querySelector('.side-scroll'));
    const gaps = [];
    let last = performance.now();
    for (let step = 0; step < 300; step += 1) {
      list.scrollTop += 150;
      await new Promise((resolve) => { requestAnimationFrame(resolve); });
      gaps.push(performance.now() - last);
      last = performance.now();
    }
    return gaps;
  });
  row(`scrolling a list of ${CHANNELS} channels, median frame`, 'ms', quantile(frames, 0.5), null);
  row(`scrolling a list of ${CHANNELS} channels, 99 of 100 frames`, 'ms', quantile(frames, 0.99), null);
  await switchingAmongMany(page);
}

/** @param {import('playwright-core').Page} page */
async function switchingAmongMany(page) {
  const measured = await page.evaluate(async (turns) => {
    const times = [];
    for (let turn = 0; turn < turns; turn += 1) {
      const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll('.side a.row[href^="/channels/"]')]).slice(2, 6);
      const link = links[turn % 4];
      const started = performance.now();
      link.click();
      await new Promise((resolve) => { const look = () => (document.querySelector(`.side a[aria-current="page"][href="${link.pathname}"]`) && document.querySelector('.log') ? requestAnimationFrame(() => setTimeout(resolve)) : requestAnimationFrame(look)); look(); });
      if (turn >= 4) times.push(performance.now() - started);
      await new Promise((resolve) => { setTimeout(resolve, 150); });
    }
    return times;
  }, TURNS);
  row(`to a loaded channel among ${CHANNELS}, median`, 'ms', quantile(measured, 0.5), 50, { measured });
}
