import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agoText } from '../js/clock.js';
import '../js/words.js';

const now = new Date(2026, 10, 20, 9, 45);
const before = (/** @type {number} */ minutes) => new Date(now.getTime() - minutes * 60_000).toISOString();

test('what was within the hour is so long ago; the rest has its day and time', () => {
  assert.equal(agoText(before(0), now), 'just now');
  assert.equal(agoText(before(2), now), '2 min ago');
  assert.equal(agoText(before(59.5), now), '59 min ago');
  assert.equal(agoText(before(60), now), 'today at 08:45');
  assert.equal(agoText(before(24 * 60), now), 'yesterday at 09:45');
  assert.match(agoText(before(48 * 60), now), /18.* at 09:45$/);
  // A clock that goes ahead of the server's.
  assert.equal(agoText(before(-1), now), 'today at 09:46');
});
