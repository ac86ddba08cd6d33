/** Formatted text as nodes. Everything ends in text nodes and checked attributes; nothing is parsed as markup. */
import { parseSnippet, parseText } from '../format.js';
import { notify } from '../notices.js';
import { me } from '../store.js';
import { t } from '../channel_words.js';
import { html, useMemo } from './html.js';
import { Icon } from './icon.js';

/**
 * @param {{text:string, citations?:any[], onCite?:(citation:any)=>void, current?:number}} props current: the citation that was followed
 */
export function FormattedText({ text, citations, onCite, current }) {
  const blocks = useMemo(() => parseText(text, { citations: citations && new Set(citations.map((citation) => citation.n)) }), [text, citations]);
  const scope = { citations, onCite, current };
  return blocks.map((block) => drawBlock(block, scope));
}

/** @param {import('../format.js').Block} block @param {any} scope @returns {any} */
function drawBlock(block, scope) {
  switch (block.kind) {
    case 'code': return html`<${CodeBlock} language=${block.language} text=${block.text} />`;
    case 'quote': return html`<blockquote>${block.children.map((child) => drawBlock(child, scope))}</blockquote>`;
    case 'list': {
      const items = block.items.map((item) => html`<li dir="auto">${drawInlines(item, scope)}</li>`);
      return block.ordered ? html`<ol start=${block.start}>${items}</ol>` : html`<ul>${items}</ul>`;
    }
    case 'heading': return html`<p dir="auto"><b>${drawInlines(block.children, scope)}</b></p>`;
    default: return html`<p dir="auto">${drawInlines(block.children, scope)}</p>`;
  }
}

/** @param {import('../format.js').Inline[]} nodes @param {any} scope @returns {any[]} */
function drawInlines(nodes, scope) {
  return nodes.map((node) => {
    switch (node.kind) {
      case 'text': return node.text;
      case 'break': return html`<br />`;
      case 'code': return html`<code>${node.text}</code>`;
      case 'bold': return html`<b>${drawInlines(node.children, scope)}</b>`;
      case 'struck': return html`<s>${drawInlines(node.children, scope)}</s>`;
      case 'italic': return html`<i>${drawInlines(node.children, scope)}</i>`;
      case 'link': return html`<a href=${node.href} target="_blank" rel="noopener noreferrer nofollow"><bdi>${node.text}</bdi></a>`;
      case 'mention': return html`<${Mention} username=${node.username} />`;
      case 'cite': return html`<${Citation} citation=${scope.citations?.find((/** @type {any} */ citation) => citation.n === node.n)} onCite=${scope.onCite} on=${node.n === scope.current} />`;
      default: return null;
    }
  });
}

/** @param {{username:string}} props */
function Mention({ username }) {
  const mine = username.toLowerCase() === me.value?.username?.toLowerCase() || ['channel', 'here', 'everyone'].includes(username);
  return html`<bdi class=${mine ? 'at you' : 'at'}>@${username}</bdi>`;
}

/** @param {{citation:any, onCite?:(citation:any)=>void, on?:boolean}} props */
export function Citation({ citation, onCite, on }) {
  if (!citation) return null;
  return html`<button type="button" class=${on ? 'cite is-on' : 'cite'} aria-label=${t('source', { n: citation.n, value: citation.sender?.full_name ?? citation.sender?.username ?? citation.plugin ?? '' })}
    onClick=${() => onCite?.(citation)}>${citation.n}</button>`;
}

/** @param {{language:string, text:string}} props */
function CodeBlock({ language, text }) {
  return html`<div class="code">
    <div class="bar">${language || 'code'}<button type="button" onClick=${() => copyText(text)}><${Icon} name="copy" small /> ${t('copy')}</button></div>
    <pre tabindex="0" dir="ltr"><code>${text}</code></pre>
  </div>`;
}

/** @param {{snippet:string}} props */
export function Snippet({ snippet }) {
  return parseSnippet(snippet).map(({ text, marked }) => (marked ? html`<mark>${text}</mark>` : text));
}

/** @param {string} text @param {{quiet?:boolean}} [options] quiet: the caller says that it worked */
export async function copyText(text, { quiet = false } = {}) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The clipboard interface is missing on plain http: the old way still works.
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'sr';
    (document.querySelector('dialog[open]') ?? document.body).append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  if (!quiet) notify(t('copied_2'));
}
