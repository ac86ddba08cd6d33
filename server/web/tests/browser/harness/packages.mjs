/** What the stories need beside the source: each missing thing is named with the package that brings it. */
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const CACHE = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
/** Where `ops/install` puts what package-lock.json names, so that no node_modules stands in the source. */
export const INSTALLED = join(CACHE, 'confab-test', 'browser');
const ROOT = new URL('../../../../../', import.meta.url).pathname;

/** The server under test: the debug build, which reads the client from the source, or whatever CONFAB_BINARY names. */
export const BINARY = process.env.CONFAB_BINARY || join(process.env.CARGO_TARGET_DIR || join(ROOT, 'target'), 'debug', 'confab');
export const BROWSER = process.env.CONFAB_BROWSER || ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync) || '';

/** @param {string} path */
function runs(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @returns {string[]} what is missing, in words that say where it comes from */
export function missing() {
  const installed = (/** @type {string} */ name) => existsSync(join(INSTALLED, 'node_modules', name, 'package.json'));
  return [
    !BROWSER && 'a browser: install the Debian package chromium, or name one in CONFAB_BROWSER (ops/install does the former)',
    !installed('playwright-core') && 'the npm package playwright-core: run ops/install',
    !installed('axe-core') && 'the npm package axe-core: run ops/install',
    !runs(BINARY) && `the server ${BINARY}: run cargo build --package confab-server --bins, or name one in CONFAB_BINARY`,
  ].filter((one) => one !== false);
}

const require = createRequire(join(INSTALLED, 'package.json'));

/** @returns {Promise<typeof import('playwright-core')>} */
export async function playwright() {
  const module = await import(pathToFileURL(require.resolve('playwright-core')).href);
  return module.default ?? module;
}

/** The file of axe, which runs in the page. */
export function axePath() {
  return require.resolve('axe-core/axe.min.js');
}
