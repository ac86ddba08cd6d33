/** What an answer of the assistant makes of its sources: which words of them it rests on, what one could ask next, and how it is told to others. */

const WORD = /[\p{L}\p{N}]+(?:[.:'’/-][\p{L}\p{N}]+)*/gu;
/** Words that stand in every sentence, of the languages of the page. */
const COMMON = new Set(('about after again also still been before being could does from have here into just like more most much only other over said same should some such than that their them then there these they '
  + 'this those very were what when where which while whom will with would your aber alle alles auch beim dann dass dein deine denn dies diese dieser doch eine einem einen einer eines haben hier ihre mehr mich nach '
  + 'nicht noch oder ohne schon sein seine sich sind über unter viel wann warum welche wenn werden wird wurde wurden').split(' '));
/** A quotation that the answer says nearly word by word is marked by what was asked. */
const SAME = 0.7;
/** Words of so many letters are the same with another ending. */
const STEM_LETTERS = 5;

/** @typedef {{text:string, marked:boolean}} Piece */

/** Without the marks around words. @param {string} text */
function plain(text) {
  return text.replace(/\*\*|~~|`/g, '');
}

/** @param {string} text */
function tellingWords(text) {
  return (text.match(WORD) ?? []).filter(tells).map((word) => word.toLowerCase());
}

/** @param {string} word */
function tells(word) {
  return /\p{N}/u.test(word) || (word.length > 1 && word === word.toUpperCase() && word !== word.toLowerCase()) || (word.length > 3 && !COMMON.has(word.toLowerCase()));
}

/** @param {string} word in small letters @param {string[]} words */
function isAmong(word, words) {
  return words.some((other) => other === word || (word.length >= STEM_LETTERS && other.length >= STEM_LETTERS && sameStem(word, other)));
}

/** @param {string} one @param {string} other */
function sameStem(one, other) {
  const length = Math.max(STEM_LETTERS, Math.min(one.length, other.length) - 1);
  return Math.abs(one.length - other.length) <= 3 && one.slice(0, length) === other.slice(0, length);
}

/** The sentences of an answer that cite a source. @param {string} answer @param {number} n */
export function sentencesWith(answer, n) {
  const mark = `[${n}]`;
  const found = [];
  for (let at = answer.indexOf(mark); at >= 0; at = answer.indexOf(mark, at + 1)) {
    // The marks of a sentence stand before or behind its full stop.
    const before = answer.slice(0, at).replace(/(?:\s*\[\d{1,3}\])*\s*$/, '').replace(/[.!?…]+$/, '');
    const begins = Math.max(before.lastIndexOf('\n'), ...[...before.matchAll(/[.!?…\]](?=\s)/g)].map(({ index }) => index));
    found.push(before.slice(begins + 1).trim());
  }
  return found;
}

/**
 * A quotation in pieces, of which those are marked that the answer took from it, or that answer what was asked.
 * @param {string} quote @param {{answer:string, n:number, question:string}} of
 * @returns {Piece[]}
 */
export function markedQuote(quote, { answer, n, question }) {
  const words = [...quote.matchAll(WORD)];
  const telling = words.filter(([word]) => tells(word));
  const sentences = sentencesWith(answer, n);
  // What stands there word by word was taken whole.
  const isQuotation = sentences.some((sentence) => sentence && quote.includes(plain(sentence)));
  const said = isQuotation ? [] : tellingWords(sentences.join(' '));
  const marks = (/** @type {string[]} */ among) => telling.filter(([word]) => isAmong(word.toLowerCase(), among));
  const shared = marks(said);
  const marked = new Set(shared.length && shared.length < telling.length * SAME ? shared : marks(tellingWords(question)));
  /** @type {Piece[]} */
  const pieces = [];
  const add = (/** @type {string} */ text, /** @type {boolean} */ isMarked) => {
    const last = pieces.at(-1);
    if (last && last.marked === isMarked) last.text += text;
    else if (text) pieces.push({ text, marked: isMarked });
  };
  let at = 0;
  for (const [place, match] of words.entries()) {
    // A space between two marked words is marked with them.
    const between = quote.slice(at, match.index);
    add(between, marked.has(match) && marked.has(words[place - 1]) && between === ' ');
    add(match[0], marked.has(match));
    at = (match.index ?? 0) + match[0].length;
  }
  add(quote.slice(at), false);
  return pieces;
}

/** Follow-ups that are offered at once. */
const OFFERED = 3;

/**
 * What one could ask next: about the channels and the people that the answer cites, and nothing else.
 * @param {any[]} citations @param {string|undefined} me my id
 * @returns {({kind:'channel', id:string, name:string}|{kind:'person', username:string, name:string, channel:string})[]}
 */
export function followUps(citations, me) {
  const messages = citations.filter((citation) => citation.kind !== 'tool' && citation.channel_id);
  const channels = new Map(messages.filter(({ channel_name: name }) => name).map((citation) => [citation.channel_id, citation.channel_name]));
  const people = new Map(messages.filter(({ sender }) => sender && sender.id !== me && !sender.is_bot).map((citation) => [citation.sender.id, citation]));
  const asked = [...people.values()].slice(0, OFFERED - 1).map(({ sender, channel_name: channel }) => ({ kind: /** @type {const} */ ('person'), username: sender.username, name: sender.full_name || sender.username, channel: channel ?? '' }));
  const summed = [...channels].slice(0, OFFERED - asked.length).map(([id, name]) => ({ kind: /** @type {const} */ ('channel'), id, name }));
  return [...summed, ...asked];
}

/** What means something to Markdown or is a mention: in a name it would be written by whoever tells it on. */
const MARKS = /[\\`*_~[\]()<>@#|!]|&(?=#?\w+;)/g;
/** What Markdown makes an `@` of. */
const WRITTEN_AT = /&(?:#0*64|#x0*40|commat);/gi;
const LETTER = /[\p{L}\p{N}]/u;
/** Nothing is seen of it, and no name begins with it. */
const JOINER = '\u2060';

/** A name as nothing but words. @param {string} name */
export function plainName(name) {
  return name.replace(MARKS, ' ').replace(/\s+/g, ' ').trim();
}

/** Others' words, said by me: they mention nobody. An address stays one. @param {string} text */
function silent(text) {
  const plainly = text.replace(WRITTEN_AT, '@');
  return instead(plainly.replace(/https?:\/\/[^\s<>()[\]]+/gi, (address) => instead(address, '%40')), `@${JOINER}`);
}

/** Another mark for every `@` that begins a word. @param {string} text @param {string} mark */
function instead(text, mark) {
  return text.replace(/@/g, (at, place) => (LETTER.test(text[place - 1] ?? '') ? at : mark));
}

/**
 * An answer as a message for others: its words, and where each source stands.
 * @param {{answer:string, citations:any[]}} answer @param {(citation:any)=>string} nameOf the author of a source, in plain words
 */
export function sharedText({ answer, citations }, nameOf) {
  const sources = citations.map((citation) => `[${citation.n}] ${nameOf(citation)}${citation.url ? `: ${citation.url}` : ''}`);
  return [silent(answer.trim()), sources.join('\n')].filter(Boolean).join('\n\n');
}

/**
 * The channels among the sources that not everyone may read, but for where the answer goes, and the plugins: what a tool said it said to me.
 * @param {any[]} citations @param {Map<string, {kind:string}>} channels @param {string} target @returns {string[]} ids of the channels, names of the plugins
 */
export function closedSources(citations, channels, target) {
  const ids = new Set(citations.map(({ channel_id: id }) => id).filter((id) => id && id !== target));
  const plugins = new Set(citations.filter(isOfTool).map(({ plugin }) => plugin));
  return [...[...ids].filter((id) => !['public', 'voice'].includes(channels.get(id)?.kind ?? '')), ...plugins];
}

/** @param {any} citation */
function isOfTool({ kind, channel_id: id }) {
  return kind === 'tool' && !id;
}
