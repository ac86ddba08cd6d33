/** Somebody at a browser: what people do here, by the words that they see. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { judge } from './accessibility.mjs';
import { ARTEFACTS } from './world.mjs';

/** One for everybody: what is tested is not the guessing of it. */
export const PASSWORD = 'a plain sentence of five words';
/** @typedef {import('playwright-core').Locator} Locator */

/** What browsers write into the console when a call is refused, the server is away, or nobody is to be pushed to; and Chromium where a screen is shown, though nobody asked for a camera. */
const EXPECTED = [/Permissions policy violation: camera/, /Failed to load resource/, /WebSocket connection to .* failed/, /net::ERR_/, /does not support the Push API in incognito/];

export class Person {
  /** @param {string} name @param {import('playwright-core').Page} page @param {import('./world.mjs').World} world */
  constructor(name, page, world) {
    this.name = name;
    this.page = page;
    this.world = world;
    /** What the page complained of: scripts that failed, what its policy forbade. @type {string[]} */
    this.faults = [];
    page.on('pageerror', (error) => this.faults.push(`${name}: ${error.stack ?? error}`));
    page.on('console', (line) => {
      if (line.type() === 'error' && !EXPECTED.some((words) => words.test(line.text()))) this.faults.push(`${name}: ${line.text()}`);
    });
  }

  /** @param {string} link @param {string} fullName */
  async setUp(link, fullName, workspace = '') {
    await this.page.goto(link);
    if (workspace) await this.fill({ 'Workspace name': workspace });
    await this.account(fullName, 'Create workspace');
  }

  /** @param {string} fullName */
  async register(fullName) {
    await this.page.goto('/register');
    await this.account(fullName, 'Create account');
  }

  /** @private @param {string} fullName @param {string} action */
  async account(fullName, action) {
    await this.fill({ 'Your name': fullName, Username: this.name, Email: `${this.name}@example.org`, Password: PASSWORD });
    await this.button(action).click();
    await this.atHome();
  }

  async signIn() {
    await this.page.goto('/login');
    await this.fill({ 'Username or email': this.name, Password: PASSWORD });
    await this.button('Sign in').click();
    await this.atHome();
  }

  /** The workspace is there, and what happens in it arrives. */
  async atHome() {
    await this.see(this.page.getByRole('navigation', { name: 'Workspace' }));
    await this.see(this.page.locator('.ws .sub', { hasText: /online|Connected/ }));
  }

  /** @param {Record<string,string>} values by label */
  async fill(values, inside = /** @type {any} */ (this.page)) {
    for (const [label, value] of Object.entries(values)) await inside.getByLabel(label, { exact: true }).fill(value);
  }

  /** @param {string|RegExp} name @param {any} [inside] */
  button(name, inside = this.page) {
    return inside.getByRole('button', { name, exact: typeof name === 'string' });
  }

  /** @param {string} title */
  dialog(title) {
    return this.page.getByRole('dialog', { name: title });
  }

  /** @param {string} name of the channel in the list */
  row(name) {
    return this.page.locator('.side a.row', { has: this.page.locator('.t', { hasText: new RegExp(`^${name}`) }) });
  }

  /** @param {string} channel */
  async open(channel) {
    await this.row(channel).click();
    await this.see(this.page.locator('.top h1', { hasText: channel }));
    await this.see(this.page.locator('.log'));
  }

  /** @param {string} name @param {{isPrivate?:boolean}} [options] */
  async makeChannel(name, { isPrivate = false } = {}) {
    await this.button('Create a channel', this.page.locator('.side')).click();
    const dialog = this.dialog('Create a channel');
    await this.fill({ Name: name }, dialog);
    if (isPrivate) await dialog.getByLabel(/^Private/).check();
    await this.button('Create channel', dialog).click();
    await this.see(this.page.locator('.top h1', { hasText: name }));
  }

  /** @param {string} item of the list behind the plus at the top */
  async begin(item) {
    await this.button('New message or channel').click();
    await this.page.getByRole('menuitem', { name: item }).click();
  }

  /** The directory of channels. */
  browse() {
    return this.begin('Browse channels');
  }

  /** Into a public channel, by the directory. @param {string} name */
  async join(name) {
    await this.browse();
    await this.button(`Join ${name}`, this.dialog('Browse channels')).click();
    await this.see(this.page.locator('.top h1', { hasText: name }));
    await this.see(this.composer());
  }

  composer() {
    return this.page.locator('.main .box textarea');
  }

  /** @param {string} text */
  async post(text) {
    await this.composer().fill(text);
    await this.composer().press('Enter');
    await this.see(this.message(text.split('\n')[0].replace(/[*_`#]/g, '').trim()));
    await this.unseen(this.page.locator('.msg.is-pending'));
  }

  /** A message of the channel on screen, as the server has it. @param {string|RegExp} text */
  message(text) {
    return this.page.locator('.main article.msg[data-id]', { hasText: text }).last();
  }

  /** @param {Locator} message @param {string} name of something in its tools */
  async tool(message, name) {
    await message.hover();
    await this.button(name, message.locator('.tools')).click();
  }

  /** @param {Locator} message @param {string} item of the menu of its tools */
  async act(message, item) {
    await message.hover();
    await message.getByTitle('More actions').click();
    await this.page.getByRole('menuitem', { name: item }).click();
  }

  thread() {
    return this.page.getByRole('complementary', { name: 'Thread' });
  }

  /** @param {'members'|'settings'|'about'|'invitations'} tab @returns {Promise<Locator>} the dialog */
  async details(tab) {
    const names = { members: 'Members', settings: 'Settings', about: 'Notifications and details', invitations: 'Invite with a code' };
    await this.page.getByTitle('More of this channel').click();
    await this.page.getByRole('menuitem', { name: names[tab] }).click();
    const dialog = this.page.locator('dialog[open]');
    await this.see(dialog);
    return dialog;
  }

  /** Says yes to a question over another dialog. It is gone when this returns: a key pressed earlier would close the question, and not what lies under it. @param {string} action @param {string} title of the question */
  async confirm(action, title) {
    const question = this.dialog(title);
    await this.button(action, question).click();
    await this.unseen(question);
  }

  async closeDialog() {
    await this.page.keyboard.press('Escape');
    await this.unseen(this.page.locator('dialog[open]'));
  }

  /** @param {Locator} place */
  async see(place) {
    await place.first().waitFor({ state: 'visible' });
  }

  /** It has the focus: that may come a frame after it is drawn, and keys go where the focus is. @param {Locator} place */
  async focused(place) {
    await this.until(() => place.first().evaluate((element) => element === document.activeElement), Boolean, 'it has the focus');
  }

  /** @param {Locator} place */
  async unseen(place) {
    for (let first = place.first(); await place.count(); first = place.first()) {
      await first.waitFor({ state: 'hidden' });
      if (!(await place.filter({ visible: true }).count())) return;
    }
  }

  /** Something becomes so. @template T @param {() => Promise<T>} look @param {(value:T)=>boolean} holds @param {string} what */
  async until(look, holds, what) {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const value = await look();
      if (holds(value)) return value;
      assert.ok(Date.now() < deadline, `${what}: still ${JSON.stringify(value)}`);
      await this.page.waitForTimeout(50);
    }
  }

  /** @param {string} name */
  async picture(name) {
    await this.page.screenshot({ path: join(ARTEFACTS, `${name}-${this.name}.png`) });
  }

  /** The page as it stands: in both themes, wide, on a tablet and on a phone, each judged; the widest and the phone's are kept as pictures. @param {string} name @param {{narrow?:boolean}} [options] */
  async shown(name, { narrow = true } = {}) {
    const { page } = this;
    const size = page.viewportSize();
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme });
      await this.picture(`${name}-${colorScheme}`);
      await judge(page, `${name}, ${colorScheme}`);
    }
    for (const [width, height, called] of narrow ? /** @type {const} */ ([[768, 1024, 'tablet'], [390, 844, 'narrow']]) : []) {
      await page.setViewportSize({ width, height });
      for (const colorScheme of /** @type {const} */ (['dark', 'light'])) {
        await page.emulateMedia({ colorScheme });
        if (called === 'narrow') await this.picture(`${name}-narrow${colorScheme === 'dark' ? '-dark' : ''}`);
        await judge(page, `${name}, ${width} px wide, ${colorScheme}`);
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} px wider than ${width} px`);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    if (size) await page.setViewportSize(size);
  }
}
