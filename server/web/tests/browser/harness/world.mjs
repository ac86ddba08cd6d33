/** A server, a browser, and people in it, each with a window of their own. Everything ends with the world. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BROWSER, missing, playwright } from './packages.mjs';
import { Person } from './person.mjs';
import { Server } from './server.mjs';

/** Pictures of what was seen, and of the window in which something failed. */
export const ARTEFACTS = process.env.CONFAB_ARTEFACTS || join(tmpdir(), 'confab-browser-artefacts');
/** A condition that does not hold by then never will. */
const PATIENCE_MS = 60_000;
// The browser calls nobody but the server under test, and needs no sandbox around the pages that we wrote.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  // A microphone that beeps and a screen that changes, both allowed without asking; a machine without a network talks to itself.
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--allow-loopback-in-peer-connection'];

/** A time zone in which midnight is far: what is of today stays so. */
export function noonZone() {
  const ahead = 12 - new Date().getUTCHours();
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

export class World {
  /** @param {Server} server @param {import('playwright-core').Browser} browser */
  constructor(server, browser) {
    this.server = server;
    this.browser = browser;
    /** @type {Person[]} */
    this.people = [];
  }

  /** @param {Record<string,string>} [settings] of the server */
  static async begin(settings) {
    const lacking = missing();
    assert.deepEqual(lacking, [], 'something that the browser stories need is missing');
    await mkdir(ARTEFACTS, { recursive: true });
    const { chromium } = await playwright();
    const server = await Server.start(settings);
    try {
      return new World(server, await chromium.launch({ executablePath: BROWSER, args: FLAGS }));
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** A window of its own, of somebody who is not signed in. @param {string} name @param {import('playwright-core').BrowserContextOptions} [options] */
  async stranger(name, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 1000 }, locale: 'en-GB', timezoneId: 'Europe/Berlin', colorScheme: 'light', reducedMotion: 'reduce', baseURL: this.server.address, ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(asOurs);
    const person = new Person(name, await context.newPage(), this);
    this.people.push(person);
    return person;
  }

  /** The first person, by the set-up link. @param {string} name @param {string} fullName @param {string} [workspace] what it is called */
  async owner(name, fullName, workspace) {
    const person = await this.stranger(name);
    await person.setUp(this.server.setUpLink, fullName, workspace);
    return person;
  }

  /** Somebody with an account. @param {string} name @param {string} fullName @param {import('playwright-core').BrowserContextOptions} [options] */
  async member(name, fullName, options) {
    const person = await this.stranger(name, options);
    await person.register(fullName);
    return person;
  }

  /** Ends everything, and tells of what went wrong unseen. */
  async end() {
    await this.browser.close();
    await this.server.stop();
    assert.deepEqual(this.people.flatMap((person) => person.faults), [], 'the pages complained');
  }

  /** One step of a story: what stood on the screens when it failed is kept. @param {string} name @param {() => Promise<void>} work */
  async step(name, work) {
    try {
      await work();
    } catch (error) {
      for (const person of this.people) await person.picture(`failed-${name.replace(/\W+/g, '-').slice(0, 60)}`).catch(() => {});
      throw error;
    }
  }
}

/** In the page: a module of the client, the very one that runs there. Its address has the version's name in it. */
export function asOurs() {
  /** @type {any} */ (globalThis).ours = (/** @type {string} */ name) => import(/** @type {HTMLScriptElement} */ (document.querySelector('script[type="module"]')).src.replace('first.js', `js/${name}`));
}

/** A folder for files that a story makes. @template T @param {(folder:string)=>Promise<T>} work @returns {Promise<T>} */
export async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), 'confab-browser-files-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
