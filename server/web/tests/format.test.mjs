import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, cleanName, parseInline, parseSnippet, parseText, plainWords, safeHref } from '../js/format.js';

/** The tree's words without its marks. */
function plain(nodes) {
  return nodes.map((node) => node.text ?? (node.kind === 'mention' ? `@${node.username}` : node.kind === 'break' ? '\n' : plain(node.children ?? []))).join('');
}
const kinds = (nodes) => nodes.map((node) => node.kind);
const paragraph = (text) => parseText(text)[0].children;

test('emphasis, code and line breaks', () => {
  assert.deepEqual(paragraph('a *b* **c** _d_ `e`\nf'), [
    { kind: 'text', text: 'a ' }, { kind: 'italic', children: [{ kind: 'text', text: 'b' }] }, { kind: 'text', text: ' ' },
    { kind: 'bold', children: [{ kind: 'text', text: 'c' }] }, { kind: 'text', text: ' ' }, { kind: 'italic', children: [{ kind: 'text', text: 'd' }] },
    { kind: 'text', text: ' ' }, { kind: 'code', text: 'e' }, { kind: 'break' }, { kind: 'text', text: 'f' },
  ]);
});

test('marks mean what they mean to the server', () => {
  assert.deepEqual(paragraph('__a__ ~~b~~ ~c~').filter(({ kind }) => kind !== 'text').map(({ kind }) => kind), ['bold', 'struck']);
  assert.deepEqual(kinds(parseText('# A\n## B ##\nc\n#d')), ['heading', 'heading', 'paragraph']);
  assert.deepEqual(paragraph('[the notes](https://a.example/x) [no](javascript:alert(1)) [1](https://b.example)'), [
    { kind: 'link', href: 'https://a.example/x', text: 'the notes' }, { kind: 'text', text: ' [no](javascript:alert(1)) ' }, { kind: 'link', href: 'https://b.example/', text: '1' },
  ]);
});

test('a line of words has no marks', () => {
  assert.equal(plainWords('**Freeze** on *Tuesday*, ~~17~~ `18:00`, [notes](https://a.example), @ben\n- one\n- two\n> why?\n# Now'), 'Freeze on Tuesday, 17 18:00, notes, @ben\n• one\n• two\nwhy?\nNow');
  assert.equal(plainWords('an **open mark and 2 * 3 * 4'), 'an **open mark and 2 * 3 * 4');
  assert.equal(plainWords(undefined), '');
});

test('marks inside words and arithmetic stay text', () => {
  for (const text of ['snake_case_name', '2*3*4', 'a * b * c', '* alone', '__init', '**', '`', 'x_', '_', '*a', '** a**']) {
    const inline = parseInline(text);
    assert.equal(plain(inline), text);
    assert.deepEqual(kinds(inline), ['text'], text);
  }
});

test('nothing inside code is formatted', () => {
  assert.deepEqual(paragraph('`*a* @b https://c.d`'), [{ kind: 'code', text: '*a* @b https://c.d' }]);
  assert.deepEqual(paragraph('``a ` b`` and ```x```'), [{ kind: 'code', text: 'a ` b' }, { kind: 'text', text: ' and ' }, { kind: 'code', text: 'x' }]);
  assert.deepEqual(paragraph('`` `a` `` ``b`'), [{ kind: 'code', text: '`a`' }, { kind: 'text', text: ' ``b`' }]);
  assert.deepEqual(parseText('```js\n*a*\n```'), [{ kind: 'code', language: 'js', text: '*a*' }]);
  assert.deepEqual(parseText('```one line```'), [{ kind: 'paragraph', children: parseInline('```one line```') }]);
});

test('an unclosed code block stays text', () => {
  assert.deepEqual(kinds(parseText('```\nnever closed')), ['paragraph']);
});

test('quotes and lists', () => {
  const blocks = parseText('> one\n> *two*\n\n- a\n- b\n1. c\n2. d\nend');
  assert.deepEqual(kinds(blocks), ['quote', 'list', 'list', 'paragraph']);
  assert.deepEqual([blocks[1].ordered, blocks[1].items.length, blocks[2].ordered, blocks[2].start], [false, 2, true, 1]);
});

test('links end where the sentence does', () => {
  const links = paragraph('See https://a.example/x?y=1. (https://b.example/(c)) mailto:d@e.example, http://f.example!').filter((node) => node.kind === 'link');
  assert.deepEqual(links.map((link) => link.text), ['https://a.example/x?y=1', 'https://b.example/(c)', 'mailto:d@e.example', 'http://f.example']);
});

test('only http, https and mailto are links', () => {
  for (const text of ['javascript:alert(1)', 'data:text/html,<script>', 'vbscript:x', 'file:///etc/passwd', 'JaVaScRiPt:alert(1)', 'https://']) {
    assert.deepEqual(kinds(parseInline(text)).filter((kind) => kind === 'link'), [], text);
  }
  assert.equal(safeHref('java\nscript:alert(1)'), null);
  assert.equal(safeHref('https://a.example'), 'https://a.example/');
});

test('an address with a name or a password in it is text, all of it', () => {
  for (const text of ['http://user:password@host.example/x', 'https://bank.example@other.example', '[notes](https://:secret@a.example)', 'https://a%40b@c.example']) {
    assert.ok(!kinds(parseInline(text)).includes('link'), text);
    assert.equal(plain(parseInline(text)), text);
  }
  assert.deepEqual(['https://a.example/@ben', 'https://a.example/?to=b@c.example', 'mailto:b@c.example'].map(safeHref), ['https://a.example/@ben', 'https://a.example/?to=b@c.example', 'mailto:b@c.example']);
});

test('markup stays text', () => {
  const hostile = '<img src=x onerror=alert(1)><script>alert(1)</script>&lt;b&gt;';
  assert.deepEqual(paragraph(hostile), [{ kind: 'text', text: hostile }]);
  const [link] = paragraph('https://a.example/"onmouseover=alert(1)');
  assert.equal(link.text, 'https://a.example/');
});

test('mentions', () => {
  assert.deepEqual(paragraph('@amara, @jean-luc. a@b.c'), [
    { kind: 'mention', username: 'amara' }, { kind: 'text', text: ', ' }, { kind: 'mention', username: 'jean-luc' }, { kind: 'text', text: '. a@b.c' },
  ]);
});

test('citations are those that exist', () => {
  const [{ children }] = parseText('Yes [1], no [7], [x] [1234].', { citations: new Set([1]) });
  assert.deepEqual(children, [{ kind: 'text', text: 'Yes ' }, { kind: 'cite', n: 1 }, { kind: 'text', text: ', no [7], [x] [1234].' }]);
  assert.deepEqual(kinds(paragraph('[1]')), ['text']);
});

test('control and reordering characters are gone', () => {
  assert.equal(clean('a\u0000b\u202Ec\u2066d\u001b[31m\r\ne\tf'), 'abcd[31m\ne\tf');
  assert.equal(cleanName(' two\nlines\u202E\u2028x '), 'two lines x');
  assert.equal(clean('שלום عربي'), 'שלום عربي');
  assert.equal(clean(undefined), '');
});

test('hostile input takes linear time', () => {
  const size = 40_000;
  for (const unit of ['*', '_', '`', '**', '*a', '_a ', '> ', '@', '[', 'h', 'https://', '[a](', '[a](b', '~~', '# ', '*a_b', '```\n', '- ', '(', ')', '*_`@', '> > > > > > > ', '* *', '\n', 'a* ', ' *a']) {
    // The least of three: a machine stands still now and then.
    const tries = [1, 2, 3].map(() => {
      const started = performance.now();
      parseText(unit.repeat(size / unit.length), { citations: new Set([1]) });
      return performance.now() - started;
    });
    assert.ok(Math.min(...tries) < 1_500, `${JSON.stringify(unit)} took ${tries.map(Math.round)} ms`);
  }
});

test('no character of a text is lost', () => {
  const alphabet = ['*', '_', '`', '>', '@', 'a', 'b', ' ', '[1', 'https://x.y', '(', ')', '.', 'é', '🎲'];
  let seed = 7;
  for (let round = 0; round < 2_000; round += 1) {
    let text = 'w';
    for (let length = 0; length < 12; length += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      text += alphabet[seed % alphabet.length];
    }
    const shown = plain(parseInline(text)).replace(/[*_`]/g, '');
    assert.equal(shown, text.replace(/[*_`]/g, ''), text);
  }
});

test('snippets: marks become pieces, everything else stays text', () => {
  assert.deepEqual(parseSnippet('a &lt;b&gt; <mark>hit &amp; run</mark> <script>x</script>'), [
    { text: 'a <b> ', marked: false }, { text: 'hit & run', marked: true }, { text: ' <script>x</script>', marked: false },
  ]);
  assert.deepEqual(parseSnippet('&amp;lt;'), [{ text: '&lt;', marked: false }]);
});
