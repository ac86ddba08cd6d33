/** The right pane where one asks the workspace. Answers cite the messages they rest on. */
import { askInPane, channelOnly, newConversation, stop, summarizeInPane, turns } from '../assistant.js';
import { cleanName } from '../format.js';
import { closePanel } from '../layout.js';
import { channelTitle } from '../names.js';
import { t } from '../page_words.js';
import { channels, viewing } from '../store.js';
import { Answer } from './answer.js';
import { AssistantMark } from './avatar.js';
import { ChannelIcon } from './channel_name.js';
import { useGrowing } from './growing.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';

/** @typedef {import('../assistant.js').Turn} Turn */

export function AssistantPane() {
  const scroll = useRef(/** @type {HTMLElement|null} */ (null));
  const last = turns.value.at(-1);
  // What is written comes into sight; what one scrolled up to read stays, since that ends with its next sentence.
  useEffect(() => { if (scroll.current) scroll.current.scrollTop = scroll.current.scrollHeight; }, [turns.value.length, last?.busy, last?.answer?.answer.length, last?.steps.length]);
  const channel = channels.value.get(viewing.value.channelId);
  return html`<aside class="panel" aria-label=${t('assistant')}>
    <header class="top"><h2><${AssistantMark} />${t('assistant')}</h2><span class="acts">
      <${IconButton} icon="plus" label=${t('new_conversation')} onClick=${newConversation} />
      <${IconButton} icon="x" label=${t('close_assistant')} onClick=${closePanel} /></span></header>
    <div class="ai-scope">${t('looks_in')}
      ${channel && html`<button type="button" class="chip" aria-pressed=${channelOnly.value} onClick=${() => { channelOnly.value = true; }}><${ChannelIcon} channel=${channel} /><bdi>${cleanName(channelTitle(channel))}</bdi></button>`}
      <button type="button" class="chip" aria-pressed=${!channelOnly.value || !channel} onClick=${() => { channelOnly.value = false; }}><${Icon} name=${channelOnly.value && channel ? 'plus' : 'check'} />${t('everything_i_can_read')}</button></div>
    <div class="scroll" ref=${scroll} tabindex="0" role="region" aria-label=${t('conversation_with_the_assistant')} aria-live="polite">
      ${turns.value.length === 0 && html`<${Invitation} />`}
      ${turns.value.map((turn, index) => html`<${TurnView} key=${index} turn=${turn} />`)}
    </div>
    <div class="compose"><${AskBox} /></div>
    <p class="note">${t('answers_use_only_what_you_can')}</p>
  </aside>`;
}

function Invitation() {
  const examples = [t('what_did_we_decide_this_week'), t('what_is_still_open'), t('who_should_i_ask_about_the')];
  return html`<div class="ai-start"><p>${t('ask_about_anything_that_was_said')}</p>
    <div class="sug"><button class="chip" onClick=${() => summarizeInPane(t('sum_up_what_i_have_not_read'), {})}><${Icon} name="spark" small /> ${t('sum_up_what_i_have_not_read')}</button>${examples.map((example) => html`<button class="chip" onClick=${() => askInPane(example)}>${example}</button>`)}</div></div>`;
}

/** @param {{turn:Turn}} props */
function TurnView({ turn }) {
  const { question, busy, stopped, error } = turn;
  return html`<section class="turn" aria-busy=${busy}><p class="ask"><bdi>${question}</bdi></p>
    <${Steps} turn=${turn} />
    ${error && html`<p class="form-error" role="alert">${error} <button class="inline-link" onClick=${() => turn.ask(turn)}>${t('ask_again')}</button></p>`}
    <${Answer} turn=${turn} />
    ${stopped && html`<p class="steps">${t('stopped')} <button class="inline-link" onClick=${() => turn.ask(turn)}>${t('ask_again')}</button></p>`}
  </section>`;
}

/** What it has done so far. @param {{turn:Turn}} props */
function Steps({ turn: { steps, busy, answer, error } }) {
  if (error) return null;
  if (!steps.length) return busy && html`<p class="steps"><span class="spin" aria-hidden="true"></span> ${t('reading_what_you_can_read')}</p>`;
  const { messages, files } = steps.find(({ step }) => step === 'searching') ?? {};
  const { passages: count = 0, channels: places = 0 } = steps.find(({ step }) => step === 'reading') ?? {};
  const passages = html`<b>${t('passages_count', { count })}</b>`;
  const searched = messages === undefined ? t('searched_what_you_can_read') : !files ? t('searched_messages', { messages: html`<b>${t('messages_count', { count: messages })}</b>` })
    : t('searched_messages_and_files', { messages: html`<b>${t('messages_count', { count: messages })}</b>`, files: html`<b>${t('files_count', { count: files })}</b>` });
  /** @type {Record<string, any>} */
  const words = {
    searching: [t('searching_what_you_can_read'), searched],
    reading: [t('reading'), count && places ? t('read_passages_from', { passages, channels: t('channels_count', { count: places }) }) : t('read_passages', { passages })],
    answering: [t('writing'), t('written')],
  };
  const shown = answer || !busy ? steps.filter(({ step }) => step !== 'answering') : steps;
  return html`<ul class="steps">${shown.map(({ step }, at) => {
    const goesOn = busy && !answer && at === shown.length - 1;
    return html`<li key=${step}>${goesOn ? html`<span class="spin" aria-hidden="true"></span>` : html`<${Icon} name="check" />`}<span>${words[step]?.[goesOn ? 0 : 1]}</span></li>`;
  })}</ul>`;
}

function AskBox() {
  const [text, setText] = useState('');
  const area = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  useEffect(() => area.current?.focus(), []);
  useGrowing(area, text);
  const ask = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.trim()) return;
    void askInPane(text.trim());
    setText('');
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) ask(event); };
  const busy = turns.value.at(-1)?.busy ?? false;
  return html`<form class="box" aria-label=${t('ask_the_assistant_2')} onSubmit=${ask}>
    <textarea ref=${area} class="ta" rows="1" placeholder=${t('ask_about_this_workspace')} aria-label=${t('ask_the_assistant_2')} value=${text} maxlength="4000" onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${onKeyDown}></textarea>
    <div class="bar">${busy ? html`<button type="button" class="send ai" aria-label=${t('stop')} title=${t('stop')} onClick=${stop}><${Icon} name="x" /></button>` : html`<button class="send ai" aria-label=${t('ask')} disabled=${!text.trim()}><${Icon} name="send" /></button>`}</div>
  </form>`;
}
