/** What I say of myself, and for how long. */
import { api } from '../../page_api.js';
import { shortText } from '../../clock.js';
import { t } from '../../page_words.js';
import { DURATIONS, PRESENCES, STATUS_TEXT_CHARACTERS, statusExpiry } from '../../status.js';
import { me, myStatus, presences } from '../../store.js';
import { Choice, Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useEffect, useRef } from '../html.js';

/** @param {{done:()=>void, autofocus?:boolean}} props */
export function StatusForm({ done, autofocus }) {
  const known = myStatus.value;
  const shown = presences.value.get(me.value?.id) ?? known?.status ?? 'online';
  const initial = { text: known?.text ?? '', status: PRESENCES.some(([word]) => word === shown) ? shown : 'online', duration: 'today' };
  const form = useForm(initial, save, { done });
  const { values, field, busy, message, onSubmit } = form;
  // Known a moment after the page, or changed on another device; what was typed or chosen here stays.
  useChange(initial.text, (before) => { if (values.text === before) form.set('text', initial.text); });
  useChange(initial.status, (before) => { if (values.status === before) form.set('status', initial.status); });
  const clear = async () => {
    await save({ ...values, text: '' });
    form.set('text', '');
    done();
  };
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <div class="two"><${Field} ...${field('text', 'status-')} label=${t('what_you_are_doing')} maxlength=${STATUS_TEXT_CHARACTERS} autocomplete="off" placeholder=${t('nothing_in_particular')} autofocus=${autofocus} />
      <${Choice} ...${field('duration', 'status-')} label=${t('clear_it_after')} options=${DURATIONS} /></div>
    <${Choice} ...${field('status', 'status-')} label=${t('shown_as')} options=${PRESENCES} />
    ${known?.text && html`<p class="lead">${t('now_2')}<bdi>${known.text}</bdi>”${known.expires_at ? t('until_2x', { when: shortText(known.expires_at) }) : t('until_you_clear_it')}.</p>`}
    <div class="btns"><${Submit} busy=${busy}>${t('set_the_status')}</${Submit}>${known?.text && html`<${Action} run=${clear}>${t('clear_it')}</${Action}>`}</div>
  </form>`;
}

/** Does something when a value is another one than before. @param {string} value @param {(before:string) => void} work */
function useChange(value, work) {
  const last = useRef(value);
  useEffect(() => {
    const before = last.current;
    last.current = value;
    if (before !== value) work(before);
  }, [value]);
}

/** @param {any} values */
async function save({ text, status, duration }) {
  const words = text.trim();
  const expiresAt = words ? statusExpiry(duration) : null;
  myStatus.value = await api.setStatus({ status, text: words || null, ...(expiresAt ? { expires_at: expiresAt } : {}) });
  if (me.value) presences.value = new Map(presences.value).set(me.value.id, status);
}
