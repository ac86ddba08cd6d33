/** What the assistant would do if I say so: a plugin's tool, what it is called with, and two buttons. */
import { answerOf, decide } from '../assistant.js';
import { cleanName } from '../format.js';
import { t } from '../page_words.js';
import { Action } from './form.js';
import { html } from './html.js';

/** @param {{conversationId:string, confirmations:any[]}} props */
export function Confirmations({ conversationId, confirmations }) {
  return confirmations.map((confirmation) => html`<${Confirmation} key=${confirmation.id} conversationId=${conversationId} confirmation=${confirmation} />`);
}

/** @param {{conversationId:string, confirmation:any}} props */
function Confirmation({ conversationId, confirmation }) {
  const { id, plugin, tool, arguments: values } = confirmation;
  const answer = answerOf(id);
  const name = `confirm-${id}`;
  return html`<section class="confirm" aria-labelledby=${name}>
    <h3 id=${name}>${t('asks_for_your_yes', { plugin: html`<bdi>${cleanName(plugin)}</bdi>` })}</h3>
    <dl><dt>${t('tool')}</dt><dd><bdi>${tool}</bdi></dd>
      ${Object.entries(values).map(([key, value]) => html`<dt key=${key}><bdi>${shown(key)}</bdi></dt><dd><bdi>${shown(value)}</bdi></dd>`)}</dl>
    <div role="status">${answer?.text && html`<p class="confirm-a"><bdi>${answer.text}</bdi></p>`}</div>
    ${answer ? null : html`<p class="help">${t('nothing_is_done_before_your_yes')}</p>
      <div class="plugin-btns"><${Action} class="btn small primary" run=${() => decide(conversationId, id, true)}>${t('do_it')}</${Action}>
        <${Action} class="btn small" run=${() => decide(conversationId, id, false)}>${t('leave_it')}</${Action}></div>`}
  </section>`;
}

/** Every character that the tool gets, also those that are not seen. @param {unknown} value */
function shown(value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`);
}
