import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedSources, followUps, markedQuote, plainName, sentencesWith, sharedText } from '../js/citations.js';

/** @param {string} quote @param {{answer:string, n:number, question:string}} of */
const marked = (quote, of) => markedQuote(quote, of).map(({ text, marked: on }) => (on ? `<${text}>` : text)).join('');

test('a quotation is marked where the answer rests on it', () => {
  const answer = 'The freeze moved to **Tuesday 17:00 UTC** [1]. Three things are open. The notes wait [2].';
  assert.deepEqual(sentencesWith(answer, 1), ['The freeze moved to **Tuesday 17:00 UTC**']);
  assert.deepEqual(sentencesWith(answer, 2), ['The notes wait']);
  assert.deepEqual(sentencesWith('One. [1] Two. [2]\nThree. [1]', 1), ['One', 'Three']);
  assert.equal(marked('Moving the freeze to Tuesday 17:00 UTC, so translations get one working day more.', { answer, n: 1, question: 'x' }),
    'Moving the <freeze> to <Tuesday 17:00 UTC>, so translations get one working day more.');
});

test('what is quoted whole is marked by what was asked, and other endings are the same word', () => {
  const quote = 'The upgrade notes are drafted by Lucía.';
  assert.equal(marked(quote, { answer: `${quote} [1]`, n: 1, question: 'Who drafts the upgrade notes?' }), 'The <upgrade notes> are <drafted> by Lucía.');
  assert.equal(marked(quote, { answer: `${quote} [1]`, n: 1, question: 'What is with that?' }), quote);
  // The last sentence of a quotation of several is one too.
  assert.equal(marked('The freeze moved. Voice stays behind a flag.', { answer: 'The freeze moved. Voice stays behind a flag. [1]', n: 1, question: 'When is the freeze?' }), 'The <freeze> moved. Voice stays behind a flag.');
  assert.equal(marked('', { answer: '', n: 1, question: '' }), '');
});

const CITATIONS = [
  { n: 1, kind: 'message', channel_id: 'c1', channel_name: 'quay', url: 'http://x/1', sender: { id: 'u1', username: 'ada', full_name: 'Ada Lovelace' } },
  { n: 2, kind: 'message', channel_id: 'c1', channel_name: 'quay', url: 'http://x/2', sender: { id: 'me', username: 'me' } },
  { n: 3, kind: 'message', channel_id: 'c2', channel_name: 'vault', url: 'http://x/3', sender: { id: 'u3', username: 'grafana', is_bot: true } },
  { n: 4, kind: 'tool', plugin: 'Stock', tool: 'level' },
];

test('what one could ask next is about what is cited, and about nobody else', () => {
  assert.deepEqual(followUps(CITATIONS, 'me'), [{ kind: 'channel', id: 'c1', name: 'quay' }, { kind: 'channel', id: 'c2', name: 'vault' }, { kind: 'person', username: 'ada', name: 'Ada Lovelace', channel: 'quay' }]);
  assert.deepEqual(followUps([CITATIONS[3]], 'me'), []);
  assert.deepEqual(followUps([], undefined), []);
});

test('what others are told names each source, and which of them they may not know', () => {
  assert.equal(sharedText({ answer: ' Low tide is at nine [1]. ', citations: [CITATIONS[0], CITATIONS[3]] }, ({ n }) => `name ${n}`), 'Low tide is at nine [1].\n\n[1] name 1: http://x/1\n[4] name 4');
  const channels = new Map([['c1', { kind: 'public' }], ['c2', { kind: 'private' }]]);
  // What a plugin's tool said it said to whoever asked.
  assert.deepEqual(closedSources(CITATIONS, channels, 'c1'), ['c2', 'Stock']);
  assert.deepEqual(closedSources([CITATIONS[3], { ...CITATIONS[3], n: 5 }], channels, 'c1'), ['Stock']);
  assert.deepEqual(closedSources(CITATIONS.slice(0, 3), channels, 'c2'), []);
  // A channel that is not known here is none that everybody may read.
  assert.deepEqual(closedSources(CITATIONS, new Map(), 'c1'), ['c2', 'Stock']);
});

test('what others are told mentions nobody, and their names are nothing but words', () => {
  const shared = (/** @type {string} */ answer) => sharedText({ answer, citations: [] }, String);
  assert.equal(shared('@here: ask @ada (@eve), **@bob** and me@example.org'), '@\u2060here: ask @\u2060ada (@\u2060eve), **@\u2060bob** and me@example.org');
  assert.equal(shared('> @ada said [1]\n\n\\@eve &#64;bob &#X40;carl &commat;here'), '> @\u2060ada said [1]\n\n\\@\u2060eve @\u2060bob @\u2060carl @\u2060here');
  assert.equal(shared('@@ada'), '@\u2060@\u2060ada');
  // An address leads where it led.
  assert.equal(shared('[me](https://example.org/@ada)@eve'), '[me](https://example.org/%40ada)@\u2060eve');
  assert.equal(plainName('**Ada** [x](https://example.org) | `b_c` ~~d~~ <@e> #f!'), 'Ada x https://example.org b c d e f');
  assert.equal(plainName('R & D &commat;here &#64;all \\'), 'R & D commat;here 64;all');
});
