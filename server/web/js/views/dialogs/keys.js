import { t } from '../../page_words.js';
import { Dialog } from '../dialog.js';
import { html } from '../html.js';

const KEYS = [
  ['Ctrl K', t('jump_to_a_channel_a_person')], ['Ctrl J', t('assistant')], ['/', t('search')], ['Alt ↑ ↓', t('previous_next_channel')], ['Alt Shift ↑ ↓', t('previous_next_unread_channel')],
  [t('in_an_empty_composer'), t('edit_your_last_message')], [t('in_the_messages'), t('move_between_messages')], ['T', t('open_the_thread_of_a_message')], ['E', t('edit_a_message_of_yours')], ['+', t('react_to_a_message')], ['S', t('save_a_message_or_no_longer')], ['P', t('pin_a_message_or_no_longer')], ['Q', t('quote_a_message')], ['U', t('mark_unread_from_a_message_on')], ['Esc', t('close_the_pane')],
];

export function Keys() {
  return html`<${Dialog} title=${t('keyboard')}><div class="dialog-b" tabindex="0" role="group" aria-label=${t('keys')}><dl class="keys">${KEYS.map(([keys, meaning]) => html`<div key=${keys}><dt><kbd>${keys}</kbd></dt><dd>${meaning}</dd></div>`)}</dl></div></${Dialog}>`;
}
