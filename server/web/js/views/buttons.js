/** Buttons that a plugin put below a message or a whisper. */
import { receive, whispered } from '../events.js';
import { notify } from '../notices.js';
import { plugins } from '../plugin_api.js';
import { t } from '../channel_words.js';
import { Action } from './form.js';
import { html } from './html.js';

/** @param {{ownerId:string, blocks?:any[], disabled?:boolean}} props ownerId: the message or the whisper */
export function Buttons({ ownerId, blocks }) {
  const buttons = (blocks ?? []).filter(({ type }) => type === 'button');
  if (!buttons.length) return null;
  return html`<div class="plugin-btns" role="group" aria-label=${t('actions')}>${buttons.map((button) => html`<${Action} key=${button.id} class=${`btn small${button.style === 'plain' ? '' : ` ${button.style}`}`} run=${() => press(ownerId, button.id)}>${button.label}</${Action}>`)}</div>`;
}

/** @param {string} ownerId @param {string} button */
async function press(ownerId, button) {
  const answer = await plugins.press(ownerId, button);
  if (answer.message) receive(answer.message);
  if (answer.whisper) await whispered(answer.whisper);
  else if (answer.outcome === 'whisper' && answer.content) notify(answer.content);
}
