import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filtersOf, finishedFilters, joinQuery, splitQuery, withFilters } from '../js/search_query.js';
import { byStretch, comparedText, delayText } from '../js/server_figures.js';

test('filters stand apart from words, whatever they are called and wherever they stand', () => {
  assert.deepEqual(splitQuery('in:#release-planning has:file postgres migration'), { filters: ['in:#release-planning', 'has:file'], words: 'postgres migration' });
  assert.deepEqual(splitQuery('postgres from:"Ada Lovelace" migration'), { filters: ['from:"Ada Lovelace"'], words: 'postgres migration' });
  assert.deepEqual(splitQuery('"say in:general" IS:pinned'), { filters: ['IS:pinned'], words: '"say in:general"' });
  // What only looks like one is a word.
  assert.deepEqual(splitQuery('in: https://example.org note:this'), { filters: [], words: 'in: https://example.org note:this' });
  assert.deepEqual(splitQuery('   '), { filters: [], words: '' });
  assert.equal(joinQuery(['in:quay'], ' low tide '), 'in:quay low tide');
  assert.equal(joinQuery([], ''), '');
});

test('a filter leaves the field once a space stands behind it, and stands there once', () => {
  assert.equal(finishedFilters([], 'has:fi'), null);
  assert.equal(finishedFilters([], 'postgres '), null);
  assert.deepEqual(finishedFilters(['has:file'], 'tide has:file from:ada '), { filters: ['has:file', 'from:ada'], text: 'tide ' });
  assert.deepEqual(finishedFilters([], 'in:quay '), { filters: ['in:quay'], text: '' });
  assert.deepEqual(withFilters(['a:1'], ['b:2', 'b:2', 'a:1']), ['a:1', 'b:2']);
  assert.deepEqual(filtersOf(['from:ada', 'FROM:ben', 'in:quay'], 'from'), ['from:ada', 'FROM:ben']);
});

test('figures of the overview: means, comparisons and short times', () => {
  assert.deepEqual(byStretch([9, 1, 3, 2, 4], 2), [9, 2, 3]);
  assert.deepEqual(byStretch([], 5), []);
  assert.equal(comparedText(112, 100), '+12% on last week');
  assert.equal(comparedText(100, 100), '0% on last week');
  assert.equal(comparedText(5, 0), 'none on the same day last week');
  assert.equal(delayText(38.4), '38 ms');
  assert.equal(delayText(1.25), '1.3 ms');
  assert.equal(delayText(2_400), '2.4 sec');
});
