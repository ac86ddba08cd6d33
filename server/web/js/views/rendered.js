/**
 * A message's HTML as the server made it: the only place where text becomes markup. The server writes it from the parsed
 * text and lets only listed elements through; what is not its own has no way here.
 */
import { me } from '../store.js';
import { t } from '../words.js';
import { html, useLayoutEffect, useRef } from './html.js';
import { assetPath } from './icon.js';

/** @type {{createHTML:(text:string)=>any}} */
let policy = { createHTML: (text) => text };
/** Trusted Types: the page's policy allows this name, and no other code can make markup of a text. */
const types = /** @type {any} */ (globalThis).trustedTypes;
if (types) policy = types.createPolicy('confab-message', { createHTML: (/** @type {string} */ text) => text });

/** Names in a mention that mean everybody. */
const EVERYBODY = ['@channel', '@here', '@all', '@everyone'];

/** @param {{markup:string}} props `html` of a message of this server */
export function RenderedText({ markup }) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  useLayoutEffect(() => {
    if (!element.current) return;
    put(element.current, markup);
    finish(element.current);
  }, [markup, me.value?.id]);
  return html`<div class="rendered" ref=${element}></div>`;
}

/** @param {Element} element @param {string} markup of the server, or of the colouring of code, which escapes what it was given */
function put(element, markup) {
  element.innerHTML = policy.createHTML(markup);
}

/** What is mine, and what one does with code. @param {HTMLElement} root */
function finish(root) {
  for (const mention of root.querySelectorAll('.mention')) {
    const { userId } = /** @type {HTMLElement} */ (mention).dataset;
    if (userId ? userId === me.value?.id : EVERYBODY.includes(mention.textContent ?? '')) mention.classList.add('you');
  }
  for (const pre of root.querySelectorAll('pre')) frame(pre);
}

/** A block of code gets its bar, with the language and a button that copies it. @param {HTMLElement} pre */
function frame(pre) {
  const code = pre.querySelector('code');
  const around = document.createElement('div');
  const bar = document.createElement('div');
  const button = document.createElement('button');
  around.className = 'code';
  bar.className = 'bar';
  const language = code?.className.replace('language-', '') ?? '';
  bar.textContent = language || 'code';
  button.type = 'button';
  button.append(copyIcon(), t('copy'));
  button.addEventListener('click', () => { void import('./text.js').then(({ copyText }) => copyText((code?.textContent ?? '').replace(/\n$/, ''))); });
  bar.append(button);
  pre.tabIndex = 0;
  pre.replaceWith(around);
  around.append(bar, pre);
  if (code && language) void colour(code, language);
}

/** @param {Element} code @param {string} language */
async function colour(code, language) {
  const markup = await import('../highlight.js').then(({ coloured }) => coloured(code.textContent ?? '', language)).catch(() => ''); // plain is readable too
  if (markup) put(code, markup);
}

function copyIcon() {
  const [icon, use] = ['svg', 'use'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
  icon.setAttribute('class', 'i sm');
  icon.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', `${assetPath('icons.svg')}#copy`);
  icon.append(use);
  return icon;
}
