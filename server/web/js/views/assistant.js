/** The right pane where one asks the workspace. Answers cite the messages they rest on. */
import { api } from '../api.js';
import { askInPane, channelOnly, follow, newConversation, stop, summarizeInPane, turns } from '../assistant.js';
import { whenText } from '../clock.js';
import { cleanName } from '../format.js';
import { citedSeq, closePanel, isNarrow } from '../layout.js';
import { personName } from '../names.js';
import { channelPath, navigate } from '../router.js';
import { channels, viewing } from '../store.js';
import { AssistantMark } from './avatar.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon, IconButton } from './icon.js';
import { channelLabel } from './shell.js';
import { Citation, copyText, FormattedText } from './text.js';

/** @typedef {import('../assistant.js').Turn} Turn */

/** Why there is no answer of the model's own. @type {Record<string, string>} */
const FALLBACKS = {
  model_unavailable: 'The language model did not answer in time: these are quotations.',
  unsupported: 'Nothing that the language model said stands in your messages: these are quotations.',
  budget_of_person: 'Your share of the language model is used up for today: these are quotations.',
  budget_of_server: 'This server’s share of the language model is used up for today: these are quotations.',
  changed_meanwhile: 'A message changed while the answer was written: these are quotations.',
  cut_short: 'The language model stopped before its end.',
};

/** Goes to the message behind a citation. On a narrow window the pane would cover it. @param {any} citation */
export function jumpToCitation(citation) {
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
  return html`<aside class="panel" aria-label="Assistant">
    <header class="top"><h2><${AssistantMark} />Assistant</h2><span class="acts">
      <${IconButton} icon="plus" label="New conversation" onClick=${newConversation} />
      <${IconButton} icon="x" label="Close assistant" onClick=${closePanel} /></span></header>
    <div class="ai-scope">Looks in
      ${channel && html`<button class="chip" aria-pressed=${channelOnly.value} onClick=${() => { channelOnly.value = true; }}>${channelLabel({ channel })}</button>`}
      <button class="chip" aria-pressed=${!channelOnly.value || !channel} onClick=${() => { channelOnly.value = false; }}>everything I can read</button></div>
    <div class="scroll" ref=${scroll} tabindex="0" role="region" aria-label="Conversation with the assistant" aria-live="polite">
      ${turns.value.length === 0 && html`<${Invitation} />`}
      ${turns.value.map((turn, index) => html`<${TurnView} key=${index} turn=${turn} />`)}
    </div>
    <div class="compose"><${AskBox} /></div>
    <p class="note">Answers use only what you can read.</p>
  </aside>`;
}

function Invitation() {
  const examples = ['What did we decide this week?', 'What is still open?', 'Who should I ask about the release?'];
  return html`<div class="ai-start"><p>Ask about anything that was said here. Every answer names its sources.</p>
    <div class="sug"><button class="chip" onClick=${() => summarizeInPane('Sum up what I have not read', {})}><${Icon} name="spark" small /> Sum up what I have not read</button>${examples.map((example) => html`<button class="chip" onClick=${() => askInPane(example)}>${example}</button>`)}</div></div>`;
}

/** @param {{turn:Turn}} props */
function TurnView({ turn }) {
  const { question, answer, busy, stopped, error, tookMs = 0 } = turn;
  return html`<section class="turn" aria-busy=${busy}><p class="ask"><bdi>${question}</bdi></p>
    <${Steps} turn=${turn} />
    ${error && html`<p class="form-error" role="alert">${error} <button class="inline-link" onClick=${() => turn.ask(turn)}>Ask again</button></p>`}
    ${answer && html`<${Answer} answer=${answer} busy=${busy} />`}
    ${stopped && html`<p class="steps">Stopped. <button class="inline-link" onClick=${() => turn.ask(turn)}>Ask again</button></p>`}
    ${answer && !busy && !stopped && html`<div class="ai-foot"><${IconButton} icon="copy" small label="Copy answer" onClick=${() => copyText(answer.answer)} /><span class="r tnum">${[answer.model, `${(tookMs / 1000).toFixed(1)} s`].filter(Boolean).join(' · ')}</span></div>`}
  </section>`;
}

/** What it has done so far. @param {{turn:Turn}} props */
function Steps({ turn: { steps, busy, answer, error } }) {
  if (error) return null;
  if (!steps.length) return busy && html`<p class="steps"><span class="spin" aria-hidden="true"></span> Reading what you can read…</p>`;
  const count = steps.find(({ step }) => step === 'reading')?.passages ?? 0;
  /** @type {Record<string, any>} */
  const words = {
    searching: ['Searching what you can read…', 'Searched what you can read'],
    reading: ['Reading…', html`Read <b>${count} ${count === 1 ? 'passage' : 'passages'}</b>`],
    answering: ['Writing…', 'Written'],
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
  const { citations } = answer;
  const cite = (/** @type {any} */ citation) => {
    setCurrent(citation.n);
    jumpToCitation(citation);
  };
  return html`<div class="answer"><${FormattedText} text=${answer.answer} citations=${citations} onCite=${cite} />${busy && html`<span class="caret" aria-hidden="true"></span>`}</div>
    ${answer.fallback && html`<p class="unsupported">${FALLBACKS[answer.fallback] ?? 'These are quotations.'}</p>`}
    ${!busy && answer.supported === false && html`<p class="unsupported">Nothing you can read supports an answer well. Take this with care.</p>`}
    ${citations.length > 0 && html`<h3 class="src-h">${citations.length} ${citations.length === 1 ? 'source' : 'sources'}</h3>
      ${citations.map((/** @type {any} */ citation) => html`<button key=${citation.n} class=${citation.n === current ? 'src is-on' : 'src'} onClick=${() => cite(citation)}>
        <span class=${citation.n === current ? 'cite is-on nr' : 'cite nr'}>${citation.n}</span>
        <span class="wh"><b><bdi>${cleanName(personName(citation.sender))}</bdi></b> #${cleanName(citation.channel_name)} · ${whenText(citation.created_at)}</span>
        <span class="sn"><bdi>${cleanName(citation.quote)}</bdi></span></button>`)}`}`;
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
  return html`<form class="box" aria-label="Ask the assistant" onSubmit=${ask}>
    <textarea ref=${area} class="ta" rows="2" placeholder="Ask about this workspace" aria-label="Ask the assistant" value=${text} maxlength="4000" onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${onKeyDown}></textarea>
    <div class="bar">${busy ? html`<button type="button" class="send ai" aria-label="Stop" title="Stop" onClick=${stop}><${Icon} name="x" /></button>` : html`<button class="send ai" aria-label="Ask" disabled=${!text.trim()}><${Icon} name="send" /></button>`}</div>
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
  return html`<section class="strip" aria-label="Answer" aria-live="polite">
    <b class="strip-h"><${Icon} name="spark" small /> Answer</b>
    ${!turn && html`<button class="inline-link" onClick=${ask}>Ask the assistant “${query}”</button>`}
    ${turn?.busy && !turn.answer && html`<span class="spin" aria-hidden="true"></span> Reading what you can read…`}
    ${turn?.error && html`<span>${turn.error} <button class="inline-link" onClick=${ask}>Ask again</button></span>`}
    ${turn?.answer && html`<div class="answer"><${FormattedText} text=${turn.answer.answer} citations=${citations} onCite=${jumpToCitation} />
      <p class="strip-src">${citations.map((/** @type {any} */ citation) => html`<${Citation} key=${citation.n} citation=${citation} onCite=${jumpToCitation} /> <bdi>${cleanName(personName(citation.sender))}</bdi> `)}</p></div>`}
  </section>`;
}
