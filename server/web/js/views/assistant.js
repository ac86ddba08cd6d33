/** The right pane where one asks the workspace. Answers cite the messages they rest on. */
import { effect, signal } from '../../vendor/signals-core.js';
import { api } from '../api.js';
import { lostChannel } from '../changes.js';
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

/**
 * @typedef {{question:string, answer?:any, error?:string, tookMs?:number}} Turn
 */

/** Turns kept on screen. The server remembers the conversation. */
const MAX_TURNS = 50;
const turns = signal(/** @type {Turn[]} */ ([]));
// An answer that cites what I may no longer read goes with it.
effect(() => {
  const lost = lostChannel.value;
  if (lost) turns.value = turns.peek().filter(({ answer }) => !answer?.citations?.some((/** @type {any} */ citation) => citation.channel_id === lost));
});
const conversationId = signal('');
/** Whether questions are about the channel on screen only. */
const channelOnly = signal(false);

/** @param {string} question @param {{channelId?:string, conversation?:string}} [scope] */
export function askAssistant(question, { channelId, conversation } = {}) {
  return api.ask({ content: question, ...(channelId ? { channel_id: channelId } : {}), ...(conversation ? { conversation_id: conversation } : {}) });
}

/** @param {string} question */
export async function askInPane(question) {
  const index = turns.value.length;
  turns.value = [...turns.value, { question }].slice(-MAX_TURNS);
  const own = turns.value[turns.value.length - 1];
  const settle = (/** @type {Partial<Turn>} */ outcome) => { turns.value = turns.value.map((turn) => (turn === own ? { ...turn, ...outcome } : turn)); };
  const started = performance.now();
  try {
    const answer = await askAssistant(question, { channelId: channelOnly.value ? viewing.value.channelId : '', conversation: index ? conversationId.value : '' });
    conversationId.value = answer.conversation_id ?? '';
    settle({ answer, tookMs: performance.now() - started });
  } catch (error) {
    settle({ error: /** @type {Error} */ (error).message });
  }
}

/** Goes to the message behind a citation. On a narrow window the pane would cover it. @param {any} citation */
export function jumpToCitation(citation) {
  if (isNarrow()) closePanel();
  citedSeq.value = citation.seq;
  navigate(channelPath(citation.channel_id, citation.seq));
}

export function AssistantPane() {
  const scroll = useRef(/** @type {HTMLElement|null} */ (null));
  useEffect(() => { if (scroll.current) scroll.current.scrollTop = scroll.current.scrollHeight; }, [turns.value.length]);
  const channel = channels.value.get(viewing.value.channelId);
  return html`<aside class="panel" aria-label="Assistant">
    <header class="top"><h2><${AssistantMark} />Assistant</h2><span class="acts">
      <${IconButton} icon="plus" label="New conversation" onClick=${() => { turns.value = []; conversationId.value = ''; }} />
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
    <div class="sug">${examples.map((example) => html`<button class="chip" onClick=${() => askInPane(example)}>${example}</button>`)}</div></div>`;
}

/** @param {{turn:Turn}} props */
function TurnView({ turn }) {
  const { question, answer, error, tookMs = 0 } = turn;
  return html`<section class="turn"><p class="ask"><bdi>${question}</bdi></p>
    ${!answer && !error && html`<p class="steps"><span class="spin" aria-hidden="true"></span> Reading what you can read…</p>`}
    ${error && html`<p class="form-error" role="alert">${error} <button class="inline-link" onClick=${() => askInPane(question)}>Ask again</button></p>`}
    ${answer && html`<${Answer} answer=${answer} />
      <div class="ai-foot"><${IconButton} icon="copy" small label="Copy answer" onClick=${() => copyText(answer.answer)} /><span class="r tnum">${[answer.model, `${(tookMs / 1000).toFixed(1)} s`].filter(Boolean).join(' · ')}</span></div>`}
  </section>`;
}

/** @param {{answer:any}} props */
function Answer({ answer }) {
  const [current, setCurrent] = useState(0);
  const citations = answer.citations ?? [];
  const cite = (/** @type {any} */ citation) => {
    setCurrent(citation.n);
    jumpToCitation(citation);
  };
  return html`<div class="answer"><${FormattedText} text=${answer.answer} citations=${citations} onCite=${cite} /></div>
    ${answer.supported === false && html`<p class="unsupported">Nothing you can read supports an answer well. Take this with care.</p>`}
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
  return html`<form class="box" aria-label="Ask the assistant" onSubmit=${ask}>
    <textarea ref=${area} class="ta" rows="2" placeholder="Ask about this workspace" aria-label="Ask the assistant" value=${text} maxlength="4000" onInput=${(/** @type {any} */ event) => setText(event.target.value)} onKeyDown=${onKeyDown}></textarea>
    <div class="bar"><button class="send ai" aria-label="Ask" disabled=${!text.trim()}><${Icon} name="send" /></button></div>
  </form>`;
}

/** The strip above search results: an answer on demand. @param {{query:string}} props */
export function AnswerStrip({ query }) {
  const [turn, setTurn] = useState(/** @type {Turn|null} */ (null));
  useEffect(() => setTurn(null), [query]);
  const ask = async () => {
    setTurn({ question: query });
    try {
      setTurn({ question: query, answer: await askAssistant(query) });
    } catch (error) {
      setTurn({ question: query, error: /** @type {Error} */ (error).message });
    }
  };
  const citations = turn?.answer?.citations ?? [];
  return html`<section class="strip" aria-label="Answer" aria-live="polite">
    <b class="strip-h"><${Icon} name="spark" small /> Answer</b>
    ${!turn && html`<button class="inline-link" onClick=${ask}>Ask the assistant “${query}”</button>`}
    ${turn && !turn.answer && !turn.error && html`<span class="spin" aria-hidden="true"></span> Reading what you can read…`}
    ${turn?.error && html`<span>${turn.error} <button class="inline-link" onClick=${ask}>Ask again</button></span>`}
    ${turn?.answer && html`<div class="answer"><${FormattedText} text=${turn.answer.answer} citations=${citations} onCite=${jumpToCitation} />
      <p class="strip-src">${citations.map((/** @type {any} */ citation) => html`<${Citation} key=${citation.n} citation=${citation} onCite=${jumpToCitation} /> <bdi>${cleanName(personName(citation.sender))}</bdi> `)}</p></div>`}
  </section>`;
}
