import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closedSources, followUps, markedQuote, sentencesWith, sharedText } from '../js/citations.js';

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
  assert.deepEqual(closedSources(CITATIONS, channels, 'c1'), ['c2']);
  assert.deepEqual(closedSources(CITATIONS, channels, 'c2'), []);
  // A channel that is not known here is none that everybody may read.
  assert.deepEqual(closedSources(CITATIONS, new Map(), 'c1'), ['c2']);
});
