import { Dialog } from '../dialog.js';
import { html } from '../html.js';

const KEYS = [
  ['Ctrl K', 'Jump to a channel, a person, a search'], ['Ctrl J', 'Assistant'], ['/', 'Search'], ['Alt ↑ ↓', 'Previous, next channel'], ['Alt Shift ↑ ↓', 'Previous, next unread channel'],
  ['↑ in an empty composer', 'Edit your last message'], ['↑ ↓ in the messages', 'Move between messages'], ['T', 'Open the thread of a message'], ['E', 'Edit a message of yours'], ['+', 'React to a message'], ['S', 'Save a message, or no longer'], ['P', 'Pin a message, or no longer'], ['Q', 'Quote a message'], ['U', 'Mark unread from a message on'], ['Esc', 'Close the pane'],
];

export function Keys() {
  return html`<${Dialog} title="Keyboard"><div class="dialog-b" tabindex="0" role="group" aria-label="Keys"><dl class="keys">${KEYS.map(([keys, meaning]) => html`<div key=${keys}><dt><kbd>${keys}</kbd></dt><dd>${meaning}</dd></div>`)}</dl></div></${Dialog}>`;
}
