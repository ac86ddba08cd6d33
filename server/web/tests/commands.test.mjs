import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { typedOption, writtenValue } from '../js/command_options.js';
import { suggested, turns } from '../js/command_suggestions.js';

const WHAT = { name: 'what', type: 'choice', required: true, choices: ['open', 'open-private', 'close'] };
const HOURS = { name: 'hours', type: 'integer' };
const TEXT = { name: 'text', type: 'text' };

/** @param {any[]} options @param {string} rest */
const at = (options, rest) => {
  const typed = typedOption(options, rest);
  return typed && [typed.option.name, typed.typed, typed.from];
};

test('the option that is being typed is the one that the server would read there', () => {
  assert.deepEqual(at([WHAT, TEXT], ''), ['what', '', 0]);
  assert.deepEqual(at([WHAT, TEXT], 'op'), ['what', 'op', 0]);
  assert.deepEqual(at([WHAT, TEXT], 'open '), ['text', '', 5]);
  assert.deepEqual(at([WHAT, TEXT], 'open the crane is'), ['text', 'the crane is', 5]);
  // A word is no number, so it is for the text that takes the rest.
  assert.deepEqual(at([HOURS, TEXT], 'tea'), ['text', 'tea', 0]);
  assert.deepEqual(at([HOURS, TEXT], '3 tea'), ['text', 'tea', 2]);
});

test('values are given by name and in quotation marks too', () => {
  assert.deepEqual(at([WHAT, HOURS], 'hours=3 op'), ['what', 'op', 8]);
  assert.deepEqual(at([WHAT, HOURS], 'what=cl'), ['what', 'cl', 5]);
  assert.deepEqual(at([{ name: 'who', type: 'user' }, WHAT], '"Ada Love'), ['who', 'Ada Love', 0]);
  assert.deepEqual(at([{ name: 'who', type: 'user' }, WHAT], '"Ada Lovelace" cl'), ['what', 'cl', 15]);
  assert.equal(at([WHAT], 'open more'), null);
  assert.equal(writtenValue('plain'), 'plain');
  assert.equal(writtenValue('two "words"'), '"two \\"words\\""');
});

test('what a plugin suggests is kept for half a minute, and asked for anew then', async () => {
  let asked = 0;
  const { fetch, location } = /** @type {any} */ (globalThis);
  Object.assign(globalThis, { location: { origin: 'http://confab' }, fetch: async () => Response.json({ items: [{ value: `answer ${asked += 1}` }] }) });
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const answered = async () => {
    const { waits } = suggested('c1', '/stock', 'crane', 'b');
    mock.timers.tick(200);
    await waits;
    return suggested('c1', '/stock', 'crane', 'b').values.map(({ value }) => value);
  };
  try {
    assert.deepEqual(await answered(), ['answer 1']);
    mock.timers.tick(29_000);
    assert.deepEqual(await answered(), ['answer 1']);
    mock.timers.tick(2_000);
    assert.deepEqual(await answered(), ['answer 2']);
  } finally {
    mock.timers.reset();
    Object.assign(globalThis, { fetch, location });
  }
});

test('what comes after one typed on, or closed the list, is for nobody', () => {
  const { begin, end } = turns();
  const first = begin();
  assert.equal(first(), true);
  const second = begin();
  assert.deepEqual([first(), second()], [false, true]);
  end();
  assert.deepEqual([first(), second()], [false, false]);
  assert.equal(begin()(), true);
});
