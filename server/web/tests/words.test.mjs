import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { addWords, languageFor, LANGUAGES, listText, t } from '../js/words.js';
import { refusalText } from '../js/refusal.js';
import { firstModules } from './first_page.mjs';

const web = new URL('../', import.meta.url);
const scripts = readdirSync(new URL('js/', web), { recursive: true }).map(String).filter((name) => name.endsWith('.js') && !name.startsWith('words/'));
const text = new Map(scripts.map((name) => [name, readFileSync(new URL(`js/${name}`, web), 'utf8')]));

/** @param {string} language */
async function catalogue(language) {
  const [first, channel, pages] = (await Promise.all(['', '_channel', '_pages'].map((part) => import(`../js/words/${language}${part}.js`)))).map((part) => part.default);
  const all = { ...first, ...channel, ...pages };
  assert.equal(Object.keys(all).length, [first, channel, pages].reduce((sum, part) => sum + Object.keys(part).length, 0), `${language}: said twice`);
  return { first, channel: { ...first, ...channel }, all };
}

/** @param {string|Record<string,string>} words */
const texts = (words) => (typeof words === 'string' ? [words] : Object.values(words));
/** @param {string} words */
const places = (words) => [...words.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test('every language says everything, with the same values and its own plural forms', async () => {
  const { all: english } = await catalogue('en');
  for (const [language] of LANGUAGES) {
    const { all } = await catalogue(language);
    assert.deepEqual(Object.keys(all).sort(), Object.keys(english).sort(), language);
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, words] of Object.entries(all)) {
      assert.equal(typeof words, typeof english[key], `${language}: ${key}`);
      if (typeof words === 'object') for (const form of forms) assert.ok(words[form], `${language}: ${key} lacks ${form}`);
      const wanted = new Set(texts(english[key]).flatMap(places));
      for (const one of texts(words)) for (const place of places(one)) assert.ok(wanted.has(place), `${language}: ${key} has {${place}}`);
      for (const place of wanted) assert.ok(place === 'count' || texts(words).every((one) => places(one).includes(place)), `${language}: ${key} lacks {${place}}`);
    }
  }
});

test('no key is missing, none is unused, and the first page needs no words of later ones', async () => {
  const { first, channel, all } = await catalogue('en');
  // Who takes no words of pages has those of the first page, and may come with it. A script says by its import which it has.
  const page = new Set(firstModules());
  const quoted = new Set([...text.values()].flatMap((script) => [...script.matchAll(/'([a-z0-9_]+)'/g)].map(([, word]) => word)));
  assert.deepEqual(Object.keys(all).filter((key) => !quoted.has(key)), [], 'unused');
  for (const [name, script] of text) {
    const keys = [...script.matchAll(/(?<![\w.])t\(([^()]*?)(?:,|\))/g)].flatMap(([, chosen]) => [...chosen.matchAll(/'([a-z0-9_]+)'/g)].map(([, key]) => key));
    const takes = (/** @type {string} */ from) => script.includes(`/${from}.js'`);
    const known = page.has(`js/${name}`) ? first : takes('page_words') ? all : takes('channel_words') ? channel : takes('words') ? first : all;
    assert.deepEqual(keys.filter((key) => !(key in known)), [], `${name}: not in its catalogue`);
  }
});

test('no view holds words of its own', () => {
  const found = [];
  for (const [name, script] of text) {
    if (!name.startsWith('views/')) continue;
    const code = script.replace(/\/\*\*?[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
    // Between two tags, and in what is read aloud.
    for (const [, words] of code.matchAll(/(?:<\/?[\w$][^<>]*?(?:"|\}|\w|\/)|<\/\$\{\w+\})>\s*([^<>{}`$]*\p{L}{3}[^<>{}`$]*)(?=<|\$\{)/gu)) if (!/^(?:Confab|Shift Enter|Enter|Esc|[\w-]+:[\w-]+|"a phrase")$/.test(words.trim()) && !/=>|;|\?|&&/.test(words)) found.push(`${name}: ${words.trim()}`);
    for (const [, attribute, words] of code.matchAll(/\b(aria-label|title|label|placeholder|alt|help|legend|lead|action|none)="([^"$]*\p{L}{2}[^"$]*)"/gu)) if (words !== 'party_parrot') found.push(`${name}: ${attribute}="${words}"`);
    for (const [, words] of code.matchAll(/\b(?:notify|setError|setRefused)\((?:'|`)([^'`]{3,})/g)) found.push(`${name}: ${words}`);
  }
  assert.deepEqual(found, []);
});

test('values find their places, numbers are written as the reader writes them, and elements stay elements', () => {
  assert.equal(t('replies_count', { count: 1 }), '1 reply');
  assert.equal(t('replies_count', { count: 2_000 }), '2,000 replies');
  assert.equal(t('download', { name: 'a {count} b' }), 'Download a {count} b');
  assert.equal(t('no_such_key'), 'no_such_key');
  const element = { type: 'b' };
  addWords({ one_element: 'in {place}, now' });
  assert.deepEqual(t('one_element', { place: element }), ['in ', element, ', now']);
  assert.equal(listText(['Ada', 'Ben', 'Cleo']), 'Ada, Ben, and Cleo');
});

test('the browser’s languages choose, and English is there for everyone else', () => {
  assert.equal(languageFor(['de-AT', 'en']), 'de');
  assert.equal(languageFor(['fr-FR', 'de']), 'de');
  assert.equal(languageFor(['en-GB', 'de']), 'en');
  assert.equal(languageFor(['fr', 'it']), 'en');
  assert.equal(languageFor([]), 'en');
});

test('what the server refuses is said by its code in other languages, and every code is one of the server’s', async () => {
  const { default: german } = await import('../js/words/de_problems.js');
  const root = new URL('../../', web);
  const rust = ['core/src/', 'server/src/', 'worker/src/'].flatMap((folder) => readdirSync(new URL(folder, root), { recursive: true }).map(String)
    .filter((name) => name.endsWith('.rs')).map((name) => readFileSync(new URL(name, new URL(folder, root)), 'utf8'))).join('\n');
  assert.deepEqual(Object.keys(german).filter((code) => !rust.includes(`"${code}"`)), []);
  assert.equal(await refusalText('busy', 'the server is busy', 'de'), german.busy);
  assert.equal(await refusalText('busy', 'the server is busy', 'en'), 'the server is busy');
  assert.equal(await refusalText('a_code_of_tomorrow', 'as it says', 'de'), 'as it says');
});
