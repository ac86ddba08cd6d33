import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typedOption, writtenValue } from '../js/command_options.js';

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
