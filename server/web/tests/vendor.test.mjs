import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';

const web = new URL('../', import.meta.url);

test('every vendored file is the one VENDOR.md names', () => {
  const table = readFileSync(new URL('vendor/VENDOR.md', web), 'utf8');
  const rows = [...table.matchAll(/^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$/gm)].map(([, file, digest]) => [file, digest]);
  const files = readdirSync(new URL('vendor/', web)).filter((name) => statSync(new URL(`vendor/${name}`, web)).isFile() && name !== 'VENDOR.md');
  assert.deepEqual(rows.map(([file]) => file).sort(), files.sort());
  for (const [file, digest] of rows) assert.equal(createHash('sha256').update(readFileSync(new URL(`vendor/${file}`, web))).digest('hex'), digest, file);
});

test('scripts import relative paths only, and only one place writes markup', () => {
  const scripts = readdirSync(new URL('js/', web), { recursive: true }).filter((name) => String(name).endsWith('.js'));
  assert.ok(scripts.length > 20);
  for (const name of scripts) {
    const text = readFileSync(new URL(`js/${name}`, web), 'utf8');
    for (const [, from] of text.matchAll(/^(?:import|export)\b(?:[^'";=(]*?\bfrom)?\s*['"]([^'"]+)['"]/gm)) assert.match(from, /^\.{1,2}\//, `${name} imports ${from}`);
    // Messages come as HTML that the server made: one statement, behind one policy.
    if (name === 'views/rendered.js') assert.equal(text.match(/innerHTML = policy\.createHTML\(/g)?.length, 1);
    assert.doesNotMatch(name === 'views/rendered.js' ? text.replace('innerHTML = policy', '') : text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/i, String(name));
  }
});

test('the page needs nothing that the content security policy refuses', () => {
  const page = readFileSync(new URL('index.html', web), 'utf8');
  assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|<style|https?:\/\//i);
});
