import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const web = new URL('../', import.meta.url);
const STATIC_IMPORT = /(?:^|[;}])\s*(?:import|export)\b(?:[^'"();=]*?\bfrom)?\s*["']([^"']+)["']/gm;

/** What a module needs before it runs, itself first. @param {URL} from @param {Set<string>} [met] */
function needed(from, met = new Set()) {
  if (met.has(from.href)) return met;
  met.add(from.href);
  for (const [, path] of readFileSync(from, 'utf8').matchAll(STATIC_IMPORT)) needed(new URL(path, from), met);
  return met;
}

test('the page names every module that it begins with, so that none waits for another to be read', () => {
  const page = readFileSync(new URL('index.html', web), 'utf8');
  const listed = [...page.matchAll(/^<link rel="modulepreload" href="\/assets\/([^"]+)">$/gm)].map(([, path]) => path);
  const [app, ...modules] = [...needed(new URL('js/app.js', web))].map((href) => href.slice(web.href.length));
  assert.match(page, new RegExp(`<script type="module" src="/assets/${app}"></script>`));
  assert.equal(page.match(/modulepreload/g)?.length, listed.length);
  assert.deepEqual(listed, modules.sort(), `index.html should list:\n${modules.map((path) => `<link rel="modulepreload" href="/assets/${path}">`).join('\n')}`);
  assert.ok(!modules.includes('js/views/preferences.js'), 'what comes when it is opened is not fetched before');
});
