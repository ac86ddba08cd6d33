import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const web = new URL('../', import.meta.url);

/** As server/src/web/lean.rs does it. @param {string} path @param {string} text */
function lean(path, text) {
  const comments = path.endsWith('.css') ? /\/\*[\s\S]*?\*\//g : /\/\*\*[\s\S]*?\*\//g;
  return text.replace(comments, '').split('\n').map((line) => line.trim()).filter((line) => line && !line.startsWith('//')).map((line) => `${line}\n`).join('');
}

/** What leaves the server for a file. @param {string} path */
function sent(path) {
  const file = readFileSync(new URL(path, web));
  const ours = /\.(?:js|css)$/.test(path) && !path.startsWith('vendor/');
  return gzipSync(ours ? lean(path, file.toString()) : file, { level: 9 }).length;
}

test('what a browser loads before it shows the channels stays small', () => {
  const page = readFileSync(new URL('index.html', web), 'utf8');
  const files = [...new Set([...page.matchAll(/(?:href|src)="\/assets\/([^"]+)"/g)].map(([, path]) => path))].filter((path) => !path.endsWith('.woff2'));
  const sizes = ['index.html', 'icons.svg', ...files].map((path) => ({ path, bytes: sent(path) })).sort((left, right) => right.bytes - left.bytes);
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(total <= MOST_BYTES, `${total} bytes, of which\n${sizes.slice(0, 15).map(({ path, bytes }) => `${bytes} ${path}`).join('\n')}`);
  console.log(`# first load: ${total} bytes in ${sizes.length} files`);
});

/** Gzipped, fonts apart. */
const MOST_BYTES = 117_000;

test('nothing but comments looks like one, so that they can be left out on the way', () => {
  for (const name of readdirSync(new URL('js/', web), { recursive: true }).map(String).filter((file) => file.endsWith('.js'))) {
    const text = readFileSync(new URL(`js/${name}`, web), 'utf8');
    // Without what stands between quotes on one line, the same comments are found.
    const without = text.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, '""');
    assert.equal((without.match(/\/\*\*/g) ?? []).length, (text.match(/\/\*\*/g) ?? []).length, `${name}: a quoted comment`);
  }
});
