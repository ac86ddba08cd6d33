/** Colours for code. The library and each language come when a block of code first needs them. */

/** @type {Record<string, () => Promise<any>>} */
const GRAMMARS = {
  bash: () => import('../vendor/highlight-bash.js'), c: () => import('../vendor/highlight-c.js'), cpp: () => import('../vendor/highlight-cpp.js'),
  css: () => import('../vendor/highlight-css.js'), diff: () => import('../vendor/highlight-diff.js'), go: () => import('../vendor/highlight-go.js'),
  ini: () => import('../vendor/highlight-ini.js'), java: () => import('../vendor/highlight-java.js'), javascript: () => import('../vendor/highlight-javascript.js'),
  json: () => import('../vendor/highlight-json.js'), kotlin: () => import('../vendor/highlight-kotlin.js'), python: () => import('../vendor/highlight-python.js'),
  ruby: () => import('../vendor/highlight-ruby.js'), rust: () => import('../vendor/highlight-rust.js'), sql: () => import('../vendor/highlight-sql.js'),
  typescript: () => import('../vendor/highlight-typescript.js'), xml: () => import('../vendor/highlight-xml.js'), yaml: () => import('../vendor/highlight-yaml.js'),
};
/** Other names that people write behind the fence. @type {Record<string, string>} */
const ALIASES = { sh: 'bash', shell: 'bash', zsh: 'bash', h: 'c', 'c++': 'cpp', cc: 'cpp', hpp: 'cpp', patch: 'diff', golang: 'go', toml: 'ini', js: 'javascript', jsx: 'javascript', mjs: 'javascript', kt: 'kotlin', py: 'python', rb: 'ruby', rs: 'rust', ts: 'typescript', tsx: 'typescript', html: 'xml', svg: 'xml', yml: 'yaml' };
/** Longer blocks stay plain: colouring them would hold the page up. */
const MAX_CHARACTERS = 20_000;

/** The grammar that a fence's word means, or ''. @param {string} word */
export function grammarOf(word) {
  const name = word.toLowerCase();
  const grammar = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  return Object.hasOwn(GRAMMARS, grammar) ? grammar : '';
}

/** @param {string} code @param {string} word what stood behind the fence @returns {Promise<string>} escaped text in spans; '' where it stays plain */
export async function coloured(code, word) {
  const grammar = grammarOf(word);
  if (!grammar || code.length > MAX_CHARACTERS) return '';
  const [{ default: library }, { default: rules }] = await Promise.all([import('../vendor/highlight.js'), GRAMMARS[grammar]()]);
  if (!library.getLanguage(grammar)) library.registerLanguage(grammar, rules);
  return library.highlight(code, { language: grammar, ignoreIllegals: true }).value;
}
