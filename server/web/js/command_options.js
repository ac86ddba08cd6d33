/** Which option of a command is being typed, by the rules that the server reads commands by. */

/** @typedef {{name:string, type:string, description?:string, required?:boolean, choices?:string[], min?:number|null, max?:number|null, complete?:boolean}} CommandOption */
/** @typedef {{option:CommandOption, typed:string, from:number, named:boolean}} Typed typed: what stands there so far; from: where it begins in the text behind the command's name */

const PIECE = /(?:[\p{L}\p{N}_-]+=)?"(?:\\.|[^"\\])*"?|\S+/gu;

/** @param {CommandOption} option @param {string} text whether somebody who wrote this may have meant the option */
function mayBe(option, text) {
  if (option.type === 'integer' || option.type === 'number') return text !== '' && Number.isFinite(Number(text));
  if (option.type === 'toggle') return /^(?:true|yes|on|false|no|off)$/i.test(text);
  return true;
}

/** @param {CommandOption[]} options @param {Set<string>} given @param {string} text */
function nextOption(options, given, text) {
  const open = options.filter(({ name }) => !given.has(name));
  const last = open.at(-1);
  if (last && takesTheRest(options, last) && !open.slice(0, -1).some((option) => option.required || mayBe(option, text))) return last;
  return open[0];
}

/** @param {CommandOption[]} options @param {CommandOption} option */
export function takesTheRest(options, option) {
  return option.type === 'text' && options.at(-1)?.name === option.name;
}

/**
 * What is being typed at the end of a command.
 * @param {CommandOption[]} options @param {string} rest the text behind the command's name and the space, up to the caret
 * @returns {Typed|null} null where no option is left
 */
export function typedOption(options, rest) {
  const pieces = [...rest.matchAll(PIECE)].map((match) => ({ text: match[0], from: match.index ?? 0 }));
  const isOpen = /^(?:[\p{L}\p{N}_-]+=)?"(?:\\.|[^"\\])*$/u.test(pieces.at(-1)?.text ?? '');
  if (!pieces.length || (/\s$/.test(rest) && !isOpen)) pieces.push({ text: '', from: rest.length });
  /** @type {Set<string>} */
  const given = new Set();
  for (const [at, { text, from }] of pieces.entries()) {
    const named = options.find(({ name }) => text.startsWith(`${name}=`));
    const option = named ?? nextOption(options, given, text);
    if (!option) return null;
    const skipped = named ? named.name.length + 1 : 0;
    if (!named && takesTheRest(options, option)) return { option, typed: rest.slice(from), from, named: false };
    if (at === pieces.length - 1) return { option, typed: text.slice(skipped).replace(/^"/, ''), from: from + skipped, named: Boolean(named) };
    given.add(option.name);
  }
  return null;
}

/** A value as it is written: in quotation marks where it holds a space. @param {string} value */
export function writtenValue(value) {
  return /[\s"]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : value;
}
