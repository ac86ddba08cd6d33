/** Chooses a time to come: one of the usual ones, or any. */
import { whenText } from '../clock.js';
import { chosenTime, laterChoices, localText } from '../later.js';
import { t } from '../page_words.js';
import { Field } from './field.js';
import { Action } from './form.js';
import { html, useState } from './html.js';

/**
 * @param {{action:string, choose:(at:Date)=>Promise<any>, failed:(error:Error)=>void, at?:Date, choices?:boolean}} props
 *   action: what the button of one's own time says; at: what stands in the field first
 */
export function WhenPicker({ action, choose, failed, at = laterChoices()[1].at, choices = true }) {
  const [text, setText] = useState(localText(at));
  const [error, setError] = useState('');
  const own = async () => {
    const chosen = chosenTime(text);
    setError(chosen.error);
    if (chosen.at) await choose(chosen.at);
  };
  return html`${choices && html`<ul class="pick">${laterChoices().map(({ id, label, at: time }) => html`<li key=${id}><span class="pick-t"><b>${label}</b><small>${whenText(time.toISOString())}</small></span>
      <${Action} class="btn small" label=${t('choose_2', { label })} run=${() => choose(time)} failed=${failed}>${t('choose')}</${Action}></li>`)}</ul>`}
    <div class="own-time"><${Field} id="own-time" label=${choices ? t('or_a_time_of_your_own') : t('when')} type="datetime-local" value=${text} min=${localText(new Date())} onInput=${setText} error=${error} />
      <${Action} class="btn primary" run=${own} failed=${failed}>${action}</${Action}></div>`;
}
