/** The answer above what a search found: at once where it costs nothing, else when it is asked for. */
import { api } from '../page_api.js';
import { askAnewInPane, follow, jumpToCitation } from '../assistant.js';
import { lostChannel } from '../changes.js';
import { t } from '../page_words.js';
import { splitQuery } from '../search_query.js';
import { info } from '../store.js';
import { html, useEffect, useRef, useState } from './html.js';
import { FormattedText } from './text.js';

/** @typedef {import('../assistant.js').Turn} Turn */

/** Of quotations so many are said above the hits; all of them stand in the pane. */
const QUOTATIONS = 2;
/** Of fewer words nobody makes a question. */
const FEWEST_WORDS = 2;

/** @param {{query:string}} props */
export function AnswerStrip({ query }) {
  const [turn, setTurn] = useState(/** @type {Turn|null} */ (null));
  const running = useRef(new AbortController());
  const ask = async () => {
    const mine = new AbortController();
    running.current = mine;
    setTurn({ question: query, ask, steps: [], busy: true });
    // Kept nowhere: who goes on with it asks in the pane.
    await follow((how) => api.ask({ content: query, keep: false }, how), (change) => { if (running.current === mine) setTurn((turn) => turn && change(turn)); }, mine.signal);
  };
  useEffect(() => {
    setTurn(null);
    // Quotations cost nothing. A model is asked when somebody wants it.
    if (info.value?.features?.language_model === false && splitQuery(query).words.split(' ').length >= FEWEST_WORDS) void ask();
    return () => running.current.abort();
  }, [query]);
  // An answer that cites what I may no longer read goes with it.
  const { value: lost } = lostChannel;
  useEffect(() => {
    if (!lost.id || !turn?.answer?.citations.some((citation) => citation.channel_id === lost.id)) return;
    running.current.abort();
    setTurn(null);
  }, [lost]);
  return html`<section class="strip" aria-label=${t('answer')} aria-live="polite">
    <b class="strip-h">${t('answer')}</b>
    ${!turn && html`<button type="button" class="inline-link" onClick=${ask}>${t('ask_the_assistant_2x', { query })}</button>`}
    ${turn?.busy && !turn.answer && html`<span class="spin" aria-hidden="true"></span> ${t('reading_what_you_can_read')}`}
    ${turn?.error && html`<span>${turn.error} <button type="button" class="inline-link" onClick=${ask}>${t('ask_again')}</button></span>`}
    ${turn?.answer && html`<span class="answer"><${FormattedText} text=${said(turn)} citations=${turn.answer.citations} onCite=${jumpToCitation} /></span>
      ${!turn.busy && html`<button type="button" class="inline-link" onClick=${() => askAnewInPane(turn.question)}>${t('ask_a_follow_up')}</button>`}`}
  </section>`;
}

/** Quotations without the words before them, which the heading says. @param {Turn} turn */
function said({ answer }) {
  const text = answer?.answer ?? '';
  if (answer?.model !== 'extractive' || !answer.citations.length) return text;
  return text.split('\n\n').slice(1, 1 + QUOTATIONS).join('\n\n');
}
