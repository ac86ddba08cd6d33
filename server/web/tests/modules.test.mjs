import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { firstModules, imports } from './first_page.mjs';

const web = new URL('../', import.meta.url);
const first = firstModules();

test('no module of the first page waits for itself: in one script each stands after what it needs', () => {
  const before = new Set();
  for (const path of first) {
    for (const href of imports(new URL(path, web).href)) assert.ok(before.has(href), `${path} and ${href.slice(web.href.length)} need each other`);
    before.add(new URL(path, web).href);
  }
});

test('modules of the first page name what they take and give: in one script there is no object of a module', () => {
  for (const path of first) assert.doesNotMatch(readFileSync(new URL(path, web), 'utf8'), /^(?:export|import) \*/m, path);
});

test('everything that is imported from a module is there', () => {
  const exported = (/** @type {string} */ text) => new Set([...text.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm)].map(([, name]) => name)
    .concat([...text.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names]) => names.split(',').map((name) => name.trim().split(' as ').pop() ?? ''))));
  for (const path of first.filter((name) => name.startsWith('js/'))) {
    const text = readFileSync(new URL(path, web), 'utf8');
    for (const [, names, from] of text.matchAll(/^import \{([^}]*)\} from '([^']+)';$/gm)) {
      const target = new URL(from, new URL(path, web));
      if (target.pathname.includes('/vendor/')) continue;
      const known = exported(readFileSync(target, 'utf8'));
      for (const name of names.split(',').map((one) => one.trim().split(' as ')[0]).filter(Boolean)) assert.ok(known.has(name), `${path}: ${name} of ${from}`);
    }
  }
});

test('pages, dialogs and what one writes with come when they are wanted', () => {
  for (const later of ['js/views/preferences.js', 'js/views/search.js', 'js/views/composer.js', 'js/views/thread.js', 'js/page_words.js', 'js/page_api.js', 'js/format.js', 'js/uploads.js']) assert.ok(!first.includes(later), later);
});
