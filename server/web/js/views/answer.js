/** An answer of the assistant: its words, its sources with what it took from them, what one thinks of it, and what one could ask next. */
import { askInPane, jumpToCitation, rate, summarizeInPane } from '../assistant.js';
import { followUps, markedQuote } from '../citations.js';
import { dayText, timeText, whenText } from '../clock.js';
import { cleanName, plainWords } from '../format.js';
import { personName } from '../names.js';
import { t } from '../page_words.js';
import { me } from '../store.js';
import { locale } from '../words.js';
import { html, useState } from './html.js';
import { IconButton } from './icon.js';
import { Confirmations } from './confirmations.js';
import { ShareAnswer } from './share_answer.js';
import { copyText, FormattedText } from './text.js';

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

/** @param {{turn:Turn}} props */
export function Answer({ turn }) {
  const [current, setCurrent] = useState(0);
  const { answer, busy, stopped } = turn;
  if (!answer) return null;
  const { citations, confirmations = [] } = answer;
  const cite = (/** @type {any} */ citation) => {
    setCurrent(citation.n);
    jumpToCitation(citation);
  };
  return html`<div class="answer"><${FormattedText} text=${answer.answer} citations=${citations} onCite=${cite} current=${current} />${busy && html`<span class="caret" aria-hidden="true"></span>`}</div>
    ${answer.fallback && html`<p class="unsupported">${FALLBACKS[answer.fallback] ?? t('these_are_quotations')}</p>`}
    ${!busy && answer.supported === false && !confirmations.length && html`<p class="unsupported">${t('nothing_you_can_read_supports_an')}</p>`}
    ${confirmations.length > 0 && html`<${Confirmations} conversationId=${answer.conversation_id} confirmations=${confirmations} />`}
    ${citations.length > 0 && html`<h3 class="src-h">${t('sources_count', { count: citations.length })}</h3>
      ${citations.map((citation) => html`<${Source} key=${citation.n} citation=${citation} turn=${turn} on=${citation.n === current} cite=${cite} />`)}`}
    ${!busy && !stopped && html`<${Foot} turn=${turn} />`}`;
}

/** @param {{citation:any, turn:Turn, on:boolean, cite:(citation:any)=>void}} props */
function Source({ citation, turn, on, cite }) {
  const { question, answer } = turn;
  const pieces = markedQuote(cleanName(plainWords(citation.quote)), { answer: answer?.answer ?? '', n: citation.n, question });
  const isToday = citation.created_at && dayText(citation.created_at) === dayText(new Date().toISOString());
  return html`<button type="button" class=${on ? 'src is-on' : 'src'} onClick=${() => cite(citation)}>
    <span class=${on ? 'cite is-on nr' : 'cite nr'}>${citation.n}</span>
    <span class="wh">${citation.kind === 'tool' ? html`<b><bdi>${cleanName(citation.plugin)}</bdi></b> <bdi>${citation.tool}</bdi>`
      : html`<b><bdi>${cleanName(personName(citation.sender))}</bdi></b> ${citation.channel_name && `#${cleanName(citation.channel_name)} · `}${isToday ? timeText(citation.created_at) : whenText(citation.created_at)}`}</span>
    <span class="sn"><bdi>${pieces.map(({ text, marked }) => (marked ? html`<mark>${text}</mark>` : text))}</bdi></span></button>`;
}

/** What one does with an answer. @param {{turn:Turn}} props */
function Foot({ turn }) {
  const [sharing, setSharing] = useState(false);
  const { answer, tookMs = 0 } = turn;
  if (!answer) return null;
  const { answer: text, citations, model, number = 0, is_helpful: isHelpful } = answer;
  return html`<div class="ai-foot">
      ${number > 0 && html`<${Thumb} up on=${isHelpful === true} label=${t('this_helped')} press=${() => rate(turn, isHelpful === true ? null : true)} />
        <${Thumb} on=${isHelpful === false} label=${t('this_did_not_help')} press=${() => rate(turn, isHelpful === false ? null : false)} />`}
      <${IconButton} icon="copy" small label=${t('copy_answer')} onClick=${() => copyText(text)} />
      ${citations.length > 0 && html`<${IconButton} icon="send" small label=${t('share_the_answer')} onClick=${() => setSharing(true)} />`}
      <span class="r tnum">${[model, t('seconds_taken', { value: seconds.format(tookMs / 1000) })].filter(Boolean).join(' · ')}</span></div>
    <${Suggestions} citations=${citations} />
    ${sharing && html`<${ShareAnswer} answer=${answer} close=${() => setSharing(false)} />`}`;
}

const UP = 'M7.5 20V10.5L12 4l1.2.8-.9 5.2H19l-1.6 10zM4 10.5h3.5V20H4z';
const DOWN = 'M16.5 4v9.5L12 20l-1.2-.8.9-5.2H5L6.6 4zM20 13.5h-3.5V4H20z';

/** @param {{up?:boolean, on:boolean, label:string, press:()=>void}} props */
function Thumb({ up = false, on, label, press }) {
  return html`<button type="button" class="icon-btn thumb" aria-label=${label} title=${label} aria-pressed=${on} onClick=${press}><svg class="i sm" viewBox="0 0 24 24" aria-hidden="true"><path d=${up ? UP : DOWN} /></svg></button>`;
}

/** @param {{citations:any[]}} props */
function Suggestions({ citations }) {
  const offered = followUps(citations, me.value?.id).map((next) => {
    if (next.kind === 'channel') {
      const label = t('sum_up_named', { name: `#${cleanName(next.name)}` });
      return { label, act: () => summarizeInPane(label, { channel_id: next.id }) };
    }
    const label = t('what_else_did_they_say', { name: cleanName(next.name) });
    const place = next.channel ? ` ${t('in_the_channel', { channel: `#${cleanName(next.channel)}` })}` : '';
    return { label: `${label}?`, act: () => askInPane(`${t('what_else_did_they_say', { name: `@${next.username}` })}${place}?`) };
  });
  if (!offered.length) return null;
  return html`<div class="sug" role="group" aria-label=${t('ask_next')}>${offered.map(({ label, act }) => html`<button type="button" key=${label} class="chip" onClick=${act}><bdi>${label}</bdi></button>`)}</div>`;
}
