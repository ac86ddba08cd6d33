/** The conversation with the assistant: what was asked, and what it answers, sentence by sentence. */
import { effect, signal } from '../vendor/signals-core.js';
import { ApiError, Cancelled } from './api.js';
import { api } from './page_api.js';
import { lostChannel } from './changes.js';
import { citedSeq, closePanel, isNarrow, panel } from './layout.js';
import { attempt } from './notices.js';
import { t } from './page_words.js';
import { channelPath, navigate } from './router.js';
import { onLeave } from './session.js';
import { viewing } from './store.js';

/**
 * @typedef {{step:'searching'|'reading'|'answering', messages?:number, files?:number, passages?:number, channels?:number}} Step
 * @typedef {{answer:string, citations:any[], confirmations?:any[], model?:string, fallback?:string, supported?:boolean, conversation_id?:string, number?:number, is_helpful?:boolean|null}} Answer
 * @typedef {{question:string, ask:(again:Turn)=>Promise<any>, steps:Step[], answer?:Answer, busy:boolean, error?:string, stopped?:boolean, tookMs?:number}} Turn
 * answer: as far as it has come while busy
 */

/** Turns kept on screen. The server remembers the conversation. */
const MAX_TURNS = 50;
export const turns = signal(/** @type {Turn[]} */ ([]));
// An answer that cites what I may no longer read goes with it.
effect(() => {
  const { id: lost } = lostChannel.value;
  if (lost) turns.value = turns.peek().filter(({ answer }) => !answer?.citations.some((citation) => citation.channel_id === lost));
});
/** Whether questions are about the channel on screen only. */
export const channelOnly = signal(false);
let conversationId = '';
let running = new AbortController();

/** Ends the answer that is being made. */
export function stop() {
  running.abort();
}

export function newConversation() {
  stop();
  turns.value = [];
  conversationId = '';
}

/**
 * Asks and tells how it goes on.
 * @param {(follow:{events:(kind:string, data:any)=>void, signal?:AbortSignal})=>Promise<any>} call
 * @param {(change:(turn:Turn)=>Turn)=>void} tell
 * @param {AbortSignal} [ends]
 */
export async function follow(call, tell, ends) {
  const started = performance.now();
  const none = { answer: '', citations: [] };
  const events = (/** @type {string} */ kind, /** @type {any} */ data) => {
    if (kind === 'step') tell((turn) => ({ ...turn, steps: [...turn.steps, data] }));
    else if (kind === 'citation') tell((turn) => ({ ...turn, answer: { ...(turn.answer ?? none), citations: [...(turn.answer ?? none).citations, data] } }));
    else if (kind === 'text') tell((turn) => ({ ...turn, answer: { ...(turn.answer ?? none), answer: (turn.answer ?? none).answer + data.text } }));
  };
  try {
    const answer = await call({ events, signal: ends });
    tell((turn) => ({ ...turn, answer, busy: false, tookMs: performance.now() - started }));
    return answer;
  } catch (error) {
    if (error instanceof Cancelled) tell((turn) => ({ ...turn, busy: false, stopped: true }));
    else tell((turn) => ({ ...turn, busy: false, answer: undefined, error: /** @type {Error} */ (error).message }));
    return null;
  }
}

/** @param {string} question @param {(follow:any)=>Promise<any>} call */
async function inPane(question, call) {
  stop();
  const mine = new AbortController();
  running = mine;
  const place = {};
  /** @type {Turn & {place:object}} */
  const turn = { question, steps: [], busy: true, ask: () => inPane(question, call), place };
  turns.value = [...turns.value, turn].slice(-MAX_TURNS);
  const tell = (/** @type {(turn:Turn)=>Turn} */ change) => { turns.value = turns.value.map((one) => (/** @type {any} */ (one).place === place ? change(one) : one)); };
  const answer = await follow(call, tell, mine.signal);
  if (answer && turns.value.some((one) => /** @type {any} */ (one).place === place)) conversationId = answer.conversation_id ?? '';
}

function scope() {
  return { ...(conversationId && turns.value.length ? { conversation_id: conversationId } : {}) };
}

/** @param {string} question */
export function askInPane(question) {
  const channelId = channelOnly.value ? viewing.value.channelId : '';
  const body = { content: question, ...(channelId ? { channel_id: channelId } : {}), ...scope() };
  return inPane(question, (follow) => api.ask(body, follow));
}

/** Asks in the pane what was answered elsewhere and is kept nowhere: as the beginning of a conversation, about everything. @param {string} question */
export function askAnewInPane(question) {
  newConversation();
  channelOnly.value = false;
  closePanel();
  panel.value = 'assistant';
  return askInPane(question);
}

/** Says whether an answer helped; null takes it back. @param {Turn} turn @param {boolean|null} isHelpful */
export async function rate(turn, isHelpful) {
  const { conversation_id: id = '', number = 0 } = turn.answer ?? {};
  const done = await attempt(api.rateAnswer(id, number, isHelpful).then(() => true));
  if (!done) return;
  const rated = (/** @type {Turn} */ one) => one.answer?.conversation_id === id && one.answer.number === number;
  turns.value = turns.value.map((one) => (rated(one) && one.answer ? { ...one, answer: { ...one.answer, is_helpful: isHelpful } } : one));
}

/** Goes to the message behind a citation. On a narrow window the pane would cover it. What a tool answered stands nowhere else. @param {any} citation */
export function jumpToCitation(citation) {
  if (citation.kind === 'tool') return;
  if (isNarrow()) closePanel();
  citedSeq.value = citation.seq;
  navigate(channelPath(citation.channel_id, citation.seq));
}

/** What became of what waited for my yes, by its id. @type {import('../vendor/signals-core.js').Signal<Map<string, {text:string}>>} */
const decided = signal(new Map());
// What I was told is nobody else's.
onLeave(() => {
  newConversation();
  decided.value = new Map();
  channelOnly.value = false;
});

/** @param {string} id of what waited */
export function answerOf(id) {
  return decided.value.get(id);
}

/** Says yes or no to what the assistant would do. @param {string} conversationId of its answer @param {string} id @param {boolean} yes */
export async function decide(conversationId, id, yes) {
  let text = t('left_undone');
  try {
    const done = await api[yes ? 'confirmTool' : 'refuseTool'](conversationId, id);
    if (yes) text = done.error ? t('it_did_not_work', { reason: done.error }) : done.output || t('done');
  } catch (error) {
    // It waits no more: taken elsewhere, or too late. Anything else may be tried again.
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    text = t('this_waits_no_longer');
  }
  decided.value = new Map([...decided.value, [id, { text }]]);
}

/** What is to be summed up, and how one asks for it. @param {string} label @param {object} body of `ai/summarize` */
export function summarizeInPane(label, body) {
  closePanel();
  panel.value = 'assistant';
  return inPane(label, (follow) => api.summarize({ ...body, ...scope() }, follow));
}
