/** The right pane where one asks the workspace. Answers cite the messages they rest on. */
import { api } from '../page_api.js';
import { askInPane, channelOnly, follow, newConversation, stop, summarizeInPane, turns } from '../assistant.js';
import { whenText } from '../clock.js';
import { cleanName, plainWords } from '../format.js';
import { citedSeq, closePanel, isNarrow } from '../layout.js';
import { personName } from '../names.js';
import { t } from '../page_words.js';
import { channelPath, navigate } from '../router.js';
import { channels, viewing } from '../store.js';
import { locale } from '../words.js';
import { AssistantMark } from './avatar.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { channelLabel } from './channel_name.js';
import { Confirmations } from './confirmations.js';
import { Citation, copyText, FormattedText } from './text.js';

/** @typedef {import('../assistant.js').Turn} Turn */

/** Why there is no answer of the model's own. @type {Record<string, string>} */
const FALLBACKS = {
  model_unavailable: t('the_language_model_did_not_answer'),
  unsupported: t('nothing_that_the_language_model_said'),
  budget_of_person: t('your_share_of_the_language_model'),
  budget_of_server: t('this_servers_share_of_the_language'),
  changed_meanwhile: t('a_message_changed_while_the_answer'),
  cut_short: t('the_language_model_stopped_before_its'),
};

const seconds = new Intl.NumberFormat(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Goes to the message behind a citation. On a narrow window the pane would cover it. What a tool answered stands nowhere else. @param {any} citation */
export function jumpToCitation(citation) {
  if (citation.kind === 'tool') return;
  if (isNarrow()) closePanel();
  citedSeq.value = citation.seq;
  navigate(channelPath(citation.channel_id, citation.seq));
}

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
      ${channel && html`<button class="chip" aria-pressed=${channelOnly.value} onClick=${() => { channelOnly.value = true; }}>${channelLabel({ channel })}</button>`}
      <button class="chip" aria-pressed=${!channelOnly.value || !channel} onClick=${() => { channelOnly.value = false; }}>${t('everything_i_can_read')}</button></div>
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
  const { question, answer, busy, stopped, error, tookMs = 0 } = turn;
  return html`<section class="turn" aria-busy=${busy}><p class="ask"><bdi>${question}</bdi></p>
    <${Steps} turn=${turn} />
    ${error && html`<p class="form-error" role="alert">${error} <button class="inline-link" onClick=${() => turn.ask(turn)}>${t('ask_again')}</button></p>`}
    ${answer && html`<${Answer} answer=${answer} busy=${busy} />`}
    ${stopped && html`<p class="steps">${t('stopped')} <button class="inline-link" onClick=${() => turn.ask(turn)}>${t('ask_again')}</button></p>`}
    ${answer && !busy && !stopped && html`<div class="ai-foot"><${IconButton} icon="copy" small label=${t('copy_answer')} onClick=${() => copyText(answer.answer)} /><span class="r tnum">${[answer.model, t('seconds_taken', { value: seconds.format(tookMs / 1000) })].filter(Boolean).join(' · ')}</span></div>`}
  </section>`;
}

/** What it has done so far. @param {{turn:Turn}} props */
function Steps({ turn: { steps, busy, answer, error } }) {
  if (error) return null;
  if (!steps.length) return busy && html`<p class="steps"><span class="spin" aria-hidden="true"></span> ${t('reading_what_you_can_read')}</p>`;
  const count = steps.find(({ step }) => step === 'reading')?.passages ?? 0;
  /** @type {Record<string, any>} */
  const words = {
    searching: [t('searching_what_you_can_read'), t('searched_what_you_can_read')],
    reading: [t('reading'), t('read_passages', { passages: html`<b>${t('passages_count', { count })}</b>` })],
    answering: [t('writing'), t('written')],
  };
  const shown = answer || !busy ? steps.filter(({ step }) => step !== 'answering') : steps;
  return html`<ul class="steps">${shown.map(({ step }, at) => {
    const goesOn = busy && !answer && at === shown.length - 1;
    return html`<li key=${step}>${goesOn ? html`<span class="spin" aria-hidden="true"></span>` : html`<${Icon} name="check" />`}<span>${words[step]?.[goesOn ? 0 : 1]}</span></li>`;
  })}</ul>`;
}

/** @param {{answer:import('../assistant.js').Answer, busy?:boolean}} props */
function Answer({ answer, busy = false }) {
  const [current, setCurrent] = useState(0);
  const { citations, confirmations = [] } = answer;
  const cite = (/** @type {any} */ citation) => {
    setCurrent(citation.n);
    jumpToCitation(citation);
  };
  return html`<div class="answer"><${FormattedText} text=${answer.answer} citations=${citations} onCite=${cite} />${busy && html`<span class="caret" aria-hidden="true"></span>`}</div>
    ${answer.fallback && html`<p class="unsupported">${FALLBACKS[answer.fallback] ?? t('these_are_quotations')}</p>`}
    ${!busy && answer.supported === false && !confirmations.length && html`<p class="unsupported">${t('nothing_you_can_read_supports_an')}</p>`}
    ${confirmations.length > 0 && html`<${Confirmations} conversationId=${answer.conversation_id} confirmations=${confirmations} />`}
    ${citations.length > 0 && html`<h3 class="src-h">${t('sources_count', { count: citations.length })}</h3>
      ${citations.map((/** @type {any} */ citation) => html`<button key=${citation.n} class=${citation.n === current ? 'src is-on' : 'src'} onClick=${() => cite(citation)}>
        <span class=${citation.n === current ? 'cite is-on nr' : 'cite nr'}>${citation.n}</span>
        <span class="wh">${citation.kind === 'tool' ? html`<b><bdi>${cleanName(citation.plugin)}</bdi></b> <bdi>${citation.tool}</bdi>` : html`<b><bdi>${cleanName(personName(citation.sender))}</bdi></b> #${cleanName(citation.channel_name)} · ${whenText(citation.created_at)}`}</span>
        <span class="sn"><bdi>${cleanName(plainWords(citation.quote))}</bdi></span></button>`)}`}`;
}

function AskBox() {
  const [text, setText] = useState('');
  const area = useRef(/** @type {HTMLTextAreaElement|null} */ (null));
  useEffect(() => area.current?.focus(), []);
  const ask = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!text.trim()) return;
    void askInPane(text.trim());
    setText('');
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) ask(event); };
  const busy = turns.value.at(-1)?.busy ?? false;
  return html`<form class="box" aria-label=${t('ask_the_assistant_2')} onSubmit=${ask}>
    <textarea ref=${area} class="ta" rows="2" placeholder=${t('ask_about_this_workspace')} aria-label=${t('ask_the_assistant_2')} value=${text} maxlength="4000" onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${onKeyDown}></textarea>
    <div class="bar">${busy ? html`<button type="button" class="send ai" aria-label=${t('stop')} title=${t('stop')} onClick=${stop}><${Icon} name="x" /></button>` : html`<button class="send ai" aria-label=${t('ask')} disabled=${!text.trim()}><${Icon} name="send" /></button>`}</div>
  </form>`;
}

/** The strip above search results: an answer on demand. @param {{query:string}} props */
export function AnswerStrip({ query }) {
  const [turn, setTurn] = useState(/** @type {Turn|null} */ (null));
  const running = useRef(new AbortController());
  useEffect(() => { setTurn(null); return () => running.current.abort(); }, [query]);
  const ask = () => {
    running.current = new AbortController();
    setTurn({ question: query, ask, steps: [], busy: true });
    return follow((how) => api.ask({ content: query }, how), (change) => setTurn((turn) => turn && change(turn)), running.current.signal);
  };
  const citations = turn?.answer?.citations ?? [];
  return html`<section class="strip" aria-label=${t('answer')} aria-live="polite">
    <b class="strip-h"><${Icon} name="spark" small /> ${t('answer')}</b>
    ${!turn && html`<button class="inline-link" onClick=${ask}>${t('ask_the_assistant_2x', { query })}</button>`}
    ${turn?.busy && !turn.answer && html`<span class="spin" aria-hidden="true"></span> ${t('reading_what_you_can_read')}`}
    ${turn?.error && html`<span>${turn.error} <button class="inline-link" onClick=${ask}>${t('ask_again')}</button></span>`}
    ${turn?.answer && html`<div class="answer"><${FormattedText} text=${turn.answer.answer} citations=${citations} onCite=${jumpToCitation} />
      <p class="strip-src">${citations.map((/** @type {any} */ citation) => html`<${Citation} key=${citation.n} citation=${citation} onCite=${jumpToCitation} /> <bdi>${cleanName(citation.kind === 'tool' ? citation.plugin : personName(citation.sender))}</bdi> `)}</p>
      ${turn.answer.confirmations?.length ? html`<${Confirmations} conversationId=${turn.answer.conversation_id} confirmations=${turn.answer.confirmations} />` : null}</div>`}
  </section>`;
}
