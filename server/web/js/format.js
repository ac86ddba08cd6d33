/**
 * Text to a tree of plain objects, for what the server has not rendered: a message on its way, an old wording, the assistant's
 * answer. The marks mean what they mean to the server, so that a message does not change its face when it is stored. Nothing
 * here touches the DOM: views/text.js turns the tree into nodes, so text from another person can never become markup.
 *
 * @typedef {{kind:'text', text:string}} TextNode
 * @typedef {TextNode | {kind:'break'} | {kind:'code', text:string} | {kind:'bold'|'italic'|'struck', children:Inline[]}
 *   | {kind:'link', href:string, text:string} | {kind:'mention', username:string} | {kind:'cite', n:number}} Inline
 * @typedef {{kind:'paragraph'|'heading', children:Inline[]} | {kind:'code', language:string, text:string}
 *   | {kind:'quote', children:Block[]} | {kind:'list', ordered:boolean, start:number, items:Inline[][]}} Block
 * @typedef {{citations?: Set<number>}} FormatOptions numbers that `[n]` may refer to; others stay text
 */
import { clean, cleanName, safeHref } from './clean.js';

export { clean, cleanName, safeHref };

/** Nested emphasis beyond this stays text: bounds the work an adversarial message can cause. */
const MAX_DEPTH = 4;
/** Text longer than this is shown unformatted. The server's own limit is far below it. */
const MAX_FORMATTED = 100_000;

/**
 * @param {unknown} text
 * @param {FormatOptions} [options]
 * @returns {Block[]}
 */
export function parseText(text, options = {}) {
  const source = clean(text);
  if (source.length > MAX_FORMATTED) return [{ kind: 'paragraph', children: [{ kind: 'text', text: source }] }];
  return parseBlocks(source.split('\n'), options, 0);
}

/**
 * @param {string[]} lines @param {FormatOptions} options @param {number} depth
 * @returns {Block[]}
 */
function parseBlocks(lines, options, depth) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {string[]} */
  let paragraph = [];
  const flush = () => {
    if (paragraph.some((line) => line.trim() !== '')) {
      blocks.push({ kind: 'paragraph', children: parseInline(paragraph.join('\n').replace(/^\n+|\n+$/g, ''), options) });
    }
    paragraph = [];
  };
  let lastFence = lastFenceLine(lines);
  for (let index = 0; index < lines.length; ) {
    const line = lines[index];
    if (line.startsWith('```') && index < lastFence) {
      flush();
      const [block, next] = takeFence(lines, index);
      blocks.push(block);
      index = next;
    } else if (/^> ?/.test(line) && depth < MAX_DEPTH) {
      flush();
      const end = runEnd(lines, index, (candidate) => candidate.startsWith('>'));
      blocks.push({ kind: 'quote', children: parseBlocks(lines.slice(index, end).map((quoted) => quoted.replace(/^> ?/, '')), options, depth + 1) });
      index = end;
    } else if (listMarker(line)) {
      flush();
      const ordered = listMarker(line) !== '-';
      const end = runEnd(lines, index, (candidate) => Boolean(listMarker(candidate)) && (listMarker(candidate) !== '-') === ordered);
      const items = lines.slice(index, end).map((item) => parseInline(item.replace(/^\s{0,3}(?:[-*+•]|\d{1,9}[.)])\s+/, ''), options));
      blocks.push({ kind: 'list', ordered, start: ordered ? parseInt(line, 10) || 1 : 1, items });
      index = end;
    } else if (HEADING.test(line)) {
      flush();
      blocks.push({ kind: 'heading', children: parseInline(line.replace(HEADING, '').replace(/\s+#+\s*$/, ''), options) });
      index += 1;
    } else if (line.trim() === '') {
      flush();
      index += 1;
    } else {
      paragraph.push(line);
      index += 1;
    }
  }
  flush();
  return blocks;
}

const HEADING = /^\s{0,3}#{1,6}\s+(?=\S)/;

/** @param {string} line @returns {'-'|'1'|''} the family of a list line: bulleted, numbered, or none */
function listMarker(line) {
  if (/^\s{0,3}[-*+•]\s+\S/.test(line)) return '-';
  return /^\s{0,3}\d{1,9}[.)]\s+\S/.test(line) ? '1' : '';
}

/** @param {string[]} lines @param {number} from @param {(line:string)=>boolean} belongs */
function runEnd(lines, from, belongs) {
  let end = from;
  while (end < lines.length && belongs(lines[end])) end += 1;
  return end;
}

/** @param {string[]} lines index of the last line that may close a code block, so an unclosed fence stays text */
function lastFenceLine(lines) {
  for (let index = lines.length - 1; index >= 0; index -= 1) if (lines[index].trimEnd().endsWith('```')) return index;
  return -1;
}

/** @param {string[]} lines @param {number} start @returns {[Block, number]} */
function takeFence(lines, start) {
  const opening = lines[start].slice(3);
  const body = [];
  // "```short```" on one line, or code that starts on the fence's own line.
  const language = /^[\w+#.-]{0,20}$/.test(opening.trim()) ? opening.trim() : '';
  if (!language && opening.trim()) body.push(opening);
  let index = start + 1;
  while (index < lines.length && !lines[index].trimEnd().endsWith('```')) body.push(lines[index++]);
  const closing = (lines[index] ?? '').trimEnd().slice(0, -3);
  if (closing) body.push(closing);
  return [{ kind: 'code', language, text: body.join('\n') }, index + 1];
}

/**
 * @param {string} text
 * @param {FormatOptions} [options]
 * @param {number} [depth]
 * @returns {Inline[]}
 */
export function parseInline(text, options = {}, depth = 0) {
  /** @type {Inline[]} */
  const nodes = [];
  /** A delimiter that found no partner never finds one later: keeps the scan linear for "*****…". @type {Set<string>} */
  const hopeless = new Set();
  let plain = '';
  const push = (/** @type {Inline} */ node) => {
    if (plain) nodes.push({ kind: 'text', text: plain });
    plain = '';
    nodes.push(node);
  };
  for (let at = 0; at < text.length; ) {
    const found = text[at] === '\n' ? { node: /** @type {Inline} */ ({ kind: 'break' }), end: at + 1 }
      : takeCode(text, at, hopeless) ?? takeEmphasis(text, at, hopeless, options, depth)
      ?? takeNamedLink(text, at) ?? takeLink(text, at) ?? takeMention(text, at) ?? takeCitation(text, at, options);
    if (found) {
      push(found.node);
      at = found.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  if (plain) nodes.push({ kind: 'text', text: plain });
  return nodes;
}

/** @typedef {{node: Inline, end: number} | null} Taken */

/** As many marks end it as began it, so that code may hold fewer. @param {string} text @param {number} at @param {Set<string>} hopeless @returns {Taken} */
function takeCode(text, at, hopeless) {
  if (text[at] !== '`' || text[at - 1] === '`') return null;
  const mark = marksAt(text, at);
  if (hopeless.has(mark)) return null;
  const from = at + mark.length;
  for (let close = text.indexOf('`', from); close >= 0; ) {
    const other = marksAt(text, close);
    if (other === mark) {
      const code = text.slice(from, close);
      // What begins or ends with a mark is set off by spaces, which are no part of it.
      return code.includes('\n') ? null : { node: { kind: 'code', text: /^ (?:`.*|.*`) $/.test(code) ? code.slice(1, -1) : code }, end: close + mark.length };
    }
    close = text.indexOf('`', close + other.length);
  }
  hopeless.add(mark);
  return null;
}

/** @param {string} text @param {number} at */
function marksAt(text, at) {
  let end = at;
  while (text[end] === '`') end += 1;
  return text.slice(at, end);
}

const WORD = /[\p{L}\p{N}]/u;
/** The longer ones first. @type {[string, 'bold'|'italic'|'struck'][]} */
const MARKS = [['**', 'bold'], ['__', 'bold'], ['~~', 'struck'], ['*', 'italic'], ['_', 'italic']];
const MARK_KINDS = Object.fromEntries(MARKS);

/** @param {string} text @param {number} at @param {Set<string>} hopeless @param {FormatOptions} options @param {number} depth @returns {Taken} */
function takeEmphasis(text, at, hopeless, options, depth) {
  const mark = MARKS.find(([candidate]) => text.startsWith(candidate, at))?.[0];
  if (!mark) return null;
  const from = at + mark.length;
  if (hopeless.has(mark) || depth >= MAX_DEPTH || WORD.test(text[at - 1] ?? '')) return null;
  if (!/\S/.test(text[from] ?? '') || text[from] === mark[0]) return null;
  for (let close = text.indexOf(mark, from); close >= 0; close = text.indexOf(mark, close + 1)) {
    const closes = /\S/.test(text[close - 1]) && !WORD.test(text[close + mark.length] ?? '') && text[close + mark.length] !== mark[0];
    if (!closes) continue;
    const children = parseInline(text.slice(from, close), options, depth + 1);
    return { node: { kind: MARK_KINDS[mark], children }, end: close + mark.length };
  }
  hopeless.add(mark);
  return null;
}

const NAMED_LINK = /\[([^\[\]\n]{1,500})\]\(([^\s()<>]{1,2000})\)/y;

/** Words that lead to an address, which is what one is shown before following it. @param {string} text @param {number} at @returns {Taken} */
function takeNamedLink(text, at) {
  if (text[at] !== '[') return null;
  NAMED_LINK.lastIndex = at;
  const match = NAMED_LINK.exec(text);
  const href = match && safeHref(match[2]);
  return match && href ? { node: { kind: 'link', href, text: match[1] }, end: at + match[0].length } : null;
}

const LINK = /(?:https?:\/\/|mailto:)[^\s<>"'`\\^{}|]+/iy;

/** @param {string} text @param {number} at @returns {Taken} */
function takeLink(text, at) {
  if (!/[hm]/i.test(text[at]) || WORD.test(text[at - 1] ?? '')) return null;
  LINK.lastIndex = at;
  const match = LINK.exec(text);
  if (!match) return null;
  const shown = trimLink(match[0].slice(0, 2048));
  const href = safeHref(shown);
  return href ? { node: { kind: 'link', href, text: shown }, end: at + shown.length } : null;
}

/** Punctuation that ends the sentence, not the address. @param {string} link */
function trimLink(link) {
  let end = link.length;
  let open = 0;
  for (const character of link) open += character === '(' ? 1 : character === ')' ? -1 : 0;
  for (; end > 0; end -= 1) {
    const last = link[end - 1];
    if (last === ')' && open < 0) open += 1;
    else if (!'.,!?;:*_'.includes(last)) break;
  }
  return link.slice(0, end);
}

const MENTION = /@([\p{L}\p{N}][\p{L}\p{N}._-]{0,63})/uy;

/** @param {string} text @param {number} at @returns {Taken} */
function takeMention(text, at) {
  if (text[at] !== '@' || WORD.test(text[at - 1] ?? '')) return null;
  MENTION.lastIndex = at;
  const match = MENTION.exec(text);
  if (!match) return null;
  const username = match[1].replace(/[._-]+$/, '');
  return { node: { kind: 'mention', username }, end: at + 1 + username.length };
}

/** @param {string} text @param {number} at @param {FormatOptions} options @returns {Taken} */
function takeCitation(text, at, options) {
  if (text[at] !== '[' || !options.citations) return null;
  const match = /^\[(\d{1,3})\]/.exec(text.slice(at, at + 5));
  if (!match || !options.citations.has(Number(match[1]))) return null;
  return { node: { kind: 'cite', n: Number(match[1]) }, end: at + match[0].length };
}

const ENTITIES = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#x27;': "'", '&#x2F;': '/' };

/**
 * A search snippet (escaped text with <mark>) as pieces of plain text. Any other tag stays visible text.
 * @param {string} snippet
 * @returns {{text:string, marked:boolean}[]}
 */
export function parseSnippet(snippet) {
  const pieces = [];
  let marked = false;
  for (const part of clean(snippet).split(/(<\/?mark>)/)) {
    if (part === '<mark>') marked = true;
    else if (part === '</mark>') marked = false;
    else if (part) pieces.push({ text: withoutMarks(part).replace(/&(?:amp|lt|gt|quot|#39|#x27|#x2F);/g, (entity) => ENTITIES[/** @type {keyof typeof ENTITIES} */ (entity)]), marked });
  }
  return pieces;
}

/** The server cuts snippets from what was typed: the marks around words say nothing there. @param {string} text */
function withoutMarks(text) {
  return text.replace(/\*\*|~~|`+/g, '');
}

/**
 * The words of a text without its marks, for where a line of it must do: lists, quotes, notices.
 * @param {unknown} text
 */
export function plainWords(text) {
  return parseText(text).map(wordsOf).join('\n').trim();
}

/** @param {Block} block @returns {string} */
function wordsOf(block) {
  switch (block.kind) {
    case 'code': return block.text;
    case 'quote': return block.children.map(wordsOf).join('\n');
    case 'list': return block.items.map((item, at) => `${block.ordered ? `${block.start + at}.` : '•'} ${inlineWords(item)}`).join('\n');
    default: return inlineWords(block.children);
  }
}

/** @param {Inline[]} nodes @returns {string} */
function inlineWords(nodes) {
  return nodes.map((node) => {
    switch (node.kind) {
      case 'break': return '\n';
      case 'mention': return `@${node.username}`;
      case 'cite': return `[${node.n}]`;
      case 'bold':
      case 'italic':
      case 'struck': return inlineWords(node.children);
      default: return node.text;
    }
  }).join('');
}
