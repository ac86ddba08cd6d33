/** The messages of a channel: days, the line above what is new, pages on scrolling, and where the scrolling stands. */
import { dayKey, dayOfPage, dayText } from '../clock.js';
import { markedSeq, showThread } from '../layout.js';
import { markRead } from '../marks.js';
import { personName } from '../names.js';
import { loadLatest, loadMore } from '../pages.js';
import { channelPath, navigate } from '../router.js';
import { me, seenUpTo, viewing } from '../store.js';
import { t } from '../words.js';
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from './html.js';
import { Icon } from './icon.js';
import { Message, onMessageKey } from './message.js';
import { lazy } from './lazy.js';

export const PendingMessage = lazy(() => import('./pending.js'), 'PendingMessage', { wordless: true, inChannel: true, class: 'msg' });
const PrivateNote = lazy(() => import('./pending.js'), 'PrivateNote', { wordless: true, inChannel: true, class: 'msg' });

/** Messages of one person closer than this are drawn as one group. */
const GROUP_MS = 5 * 60_000;
/** A page is loaded when its edge comes this near to the view. */
const LOAD_AHEAD_PX = 500;
/** Nearer to the end than this counts as being there. */
const AT_END_PX = 48;

/** @typedef {import('../timeline.js').Timeline} Timeline @typedef {import('../timeline.js').Message} MessageData */

/**
 * @param {{channel:import('../store.js').Channel, timeline:Timeline, jumpSeq:number, jumpVisit:number}} props
 */
export function MessageLog({ channel, timeline, jumpSeq, jumpVisit }) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const [atEnd, setAtEnd] = useState(true);
  const day = dayOfPage();
  const rows = useMemo(() => rowsOf(timeline), [timeline, day]);
  const onScroll = useScrolling(element, { channel, timeline, jumpSeq, jumpVisit, setAtEnd });
  useReading(channel, timeline, atEnd);
  const away = timeline.loaded && (!timeline.reachedEnd || !atEnd);
  return html`<section class="log" ref=${element} tabindex="0" role="log" aria-live="off" aria-label=${t('messages_in', { name: channel.name })} onScroll=${onScroll} onKeyDown=${onLogKey}>
      ${timeline.reachedStart && html`<${Beginning} channel=${channel} />`}
      ${timeline.loading === 'older' && html`<p class="loading">${t('loading_older_messages')}</p>`}
      ${timeline.loading === 'page' && !timeline.items.length && html`<p class="loading">${t('loading')}</p>`}
      ${timeline.error && html`<p class="loading" role="alert">${timeline.error} <button class="inline-link" onClick=${() => loadLatest(channel.id)}>${t('try_again')}</button></p>`}
      ${rows.map((row) => drawRow(row, channel))}
      <${SeenMark} channel=${channel} timeline=${timeline} />
      ${timeline.loading === 'newer' && html`<p class="loading">${t('loading_newer_messages')}</p>`}
      ${away && html`<${JumpPill} channel=${channel} timeline=${timeline} toEnd=${() => { if (element.current) element.current.scrollTop = element.current.scrollHeight; }} />`}
    </section>
    <${Announcer} timeline=${timeline} />`;
}

/** @param {any} row @param {import('../store.js').Channel} channel */
function drawRow(row, channel) {
  switch (row.kind) {
    case 'day': return html`<div class="day" key=${row.key}><span>${row.text}</span></div>`;
    case 'new': return html`<div class="newline" key="new"><span>${t('new_2')}</span></div>`;
    case 'note': return html`<${PrivateNote} key=${row.key} note=${row.note} channelId=${channel.id} />`;
    case 'pending': return html`<${PendingMessage} key=${row.key} pending=${row.pending} />`;
    default: return html`<${Message} key=${row.key} message=${row.message} continued=${row.continued} marked=${row.message.seq === markedSeq.value} canWrite=${Boolean(channel.role && !channel.archived_at)} />`;
  }
}

/**
 * What is drawn, in order. Replies live in their threads.
 * @param {Timeline} timeline
 */
export function rowsOf(timeline) {
  const rows = /** @type {any[]} */ ([]);
  const notes = [...timeline.notes];
  const addNotes = (/** @type {number} */ before) => {
    while (notes.length && notes[0].after_seq < before) rows.push({ kind: 'note', key: notes[0].id, note: notes.shift() });
  };
  let previous = /** @type {MessageData|null} */ (null);
  let divided = timeline.dividerSeq === null || !(timeline.reachedStart || (timeline.items[0]?.seq ?? 0) <= timeline.dividerSeq + 1);
  for (const message of timeline.items) {
    if (message.parent_id) continue;
    const noted = rows.length;
    addNotes(message.seq);
    if (rows.length > noted) previous = null;
    if (!previous || dayKey(previous.created_at) !== dayKey(message.created_at)) {
      const key = `day-${dayKey(message.created_at)}`;
      if (!rows.some((row) => row.key === key)) rows.push({ kind: 'day', key, text: dayText(message.created_at) });
      previous = null;
    }
    if (!divided && message.seq > (timeline.dividerSeq ?? 0) && message.sender_id !== me.value?.id) {
      rows.push({ kind: 'new', key: 'new' });
      divided = true;
      previous = null;
    }
    rows.push({ kind: 'message', key: message.id, message, continued: continues(previous, message) });
    previous = message;
  }
  addNotes(Infinity);
  for (const pending of timeline.pending) rows.push({ kind: 'pending', key: pending.nonce, pending });
  return rows;
}

/** @param {MessageData|null} previous @param {MessageData} message */
export function continues(previous, message) {
  return Boolean(previous && !previous.deleted_at && !message.deleted_at && previous.sender_id === message.sender_id
    && Date.parse(message.created_at) - Date.parse(previous.created_at) < GROUP_MS);
}

/**
 * Keeps the reader's place: at the end when there, on the same message when pages come and go above it.
 * @param {{current:HTMLElement|null}} element
 * @param {{channel:any, timeline:Timeline, jumpSeq:number, jumpVisit:number, setAtEnd:(value:boolean)=>void}} state
 */
function useScrolling(element, { channel, timeline, jumpSeq, jumpVisit, setAtEnd }) {
  const place = useRef({ stick: true, placed: false, visit: 0, pending: 0, anchor: /** @type {{id:string, top:number}|null} */ (null) });
  const note = (isFailure = false) => {
    const log = element.current;
    if (!log) return;
    const rest = log.scrollHeight - log.scrollTop - log.clientHeight;
    place.current.stick = rest < AT_END_PX && timeline.reachedEnd;
    place.current.anchor = firstInView(log);
    setAtEnd(place.current.stick);
    // Drawing a failure asks for nothing: it would fail and be drawn again, for ever.
    if (isFailure) return;
    if (log.scrollTop < LOAD_AHEAD_PX) void loadMore(channel.id, 'older');
    else if (rest < LOAD_AHEAD_PX) void loadMore(channel.id, 'newer');
  };
  useLayoutEffect(() => {
    const log = element.current;
    if (!log || !timeline.loaded) return;
    const { current } = place;
    const wrote = timeline.pending.length > current.pending;
    current.pending = timeline.pending.length;
    if (jumpSeq && current.visit !== jumpVisit) {
      if (!jumpTo(log, timeline, jumpSeq)) return;
      current.visit = jumpVisit;
      current.stick = false;
    } else if (wrote) {
      // Who writes while reading old messages wants to see what was written.
      if (!timeline.reachedEnd) navigate(channelPath(channel.id));
      log.scrollTop = log.scrollHeight;
    } else if (!current.placed && !jumpSeq) {
      log.scrollTop = log.scrollHeight;
      const line = log.querySelector('.newline');
      if (line && line.getBoundingClientRect().top < log.getBoundingClientRect().top) line.scrollIntoView({ block: 'start' });
    } else if (current.stick) log.scrollTop = log.scrollHeight;
    else if (current.anchor) keep(log, current.anchor);
    current.placed = true;
    note(Boolean(timeline.error));
  }, [timeline, jumpSeq, jumpVisit]);
  useEffect(() => {
    const log = element.current;
    if (!log) return undefined;
    // A growing composer or a rotated phone must not push the newest message out of view.
    const observer = new ResizeObserver(() => { if (place.current.stick) log.scrollTop = log.scrollHeight; });
    observer.observe(log);
    return () => observer.disconnect();
  }, []);
  return () => note();
}

/** @param {HTMLElement} log */
function firstInView(log) {
  const { top } = log.getBoundingClientRect();
  for (const article of /** @type {NodeListOf<HTMLElement>} */ (log.querySelectorAll('article[data-id]'))) {
    const box = article.getBoundingClientRect();
    if (box.bottom > top) return { id: article.dataset.id ?? '', top: box.top - top };
  }
  return null;
}

/** @param {HTMLElement} log @param {{id:string, top:number}} anchor */
function keep(log, anchor) {
  const article = log.querySelector(`article[data-id="${CSS.escape(anchor.id)}"]`);
  if (article) log.scrollTop += article.getBoundingClientRect().top - log.getBoundingClientRect().top - anchor.top;
}

/** @param {HTMLElement} log @param {Timeline} timeline @param {number} seq @returns {boolean} whether it is there */
function jumpTo(log, timeline, seq) {
  const message = timeline.items.find((item) => item.seq === seq);
  if (!message) return false;
  if (message.parent_id) showThread(message);
  const article = /** @type {HTMLElement|null} */ (log.querySelector(`article[data-seq="${seq}"]`));
  article?.scrollIntoView({ block: 'center' });
  article?.focus({ preventScroll: true });
  return true;
}

/** What is at the end of the log, in a window that is looked at, counts as read. @param {any} channel @param {Timeline} timeline @param {boolean} atEnd */
function useReading(channel, timeline, atEnd) {
  const [visible, setVisible] = useState(!document.hidden);
  useEffect(() => {
    const changed = () => setVisible(!document.hidden);
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  }, []);
  // On a page that is no channel, none is read.
  useEffect(() => () => { if (viewing.value.channelId === channel.id) viewing.value = { ...viewing.value, atEnd: false }; }, [channel.id]);
  const reading = atEnd && visible && timeline.loaded && timeline.reachedEnd;
  useEffect(() => {
    viewing.value = { channelId: channel.id, atEnd: reading };
    if (!reading) return undefined;
    const timer = setTimeout(() => markRead(channel.id), 400);
    return () => clearTimeout(timer);
  }, [channel.id, reading, channel.last_seq]);
}

/** @param {{channel:any}} props */
function Beginning({ channel }) {
  return html`<div class="beginning"><h2>${channel.kind === 'direct' || channel.kind === 'group' ? t('the_beginning_of_your_conversation') : t('the_beginning_of', { name: channel.name })}</h2>
    ${channel.description && html`<p><bdi>${channel.description}</bdi></p>`}</div>`;
}

/** @param {{channel:any, timeline:Timeline, toEnd:()=>void}} props */
function JumpPill({ channel, timeline, toEnd }) {
  const count = channel.unread_count ?? 0;
  const go = () => {
    if (timeline.reachedEnd) return toEnd();
    navigate(channelPath(channel.id));
    return loadLatest(channel.id);
  };
  return html`<button class="jumpnew" onClick=${go}><${Icon} name="down" small /> ${count ? t('new', { count }) : t('jump_to_newest')}</button>`;
}

/** Below my last message of a direct conversation: whether the other one has read it. @param {{channel:any, timeline:Timeline}} props */
function SeenMark({ channel, timeline }) {
  const last = timeline.reachedEnd && !timeline.pending.length ? timeline.items.filter((message) => !message.parent_id).at(-1) : undefined;
  if (channel.kind !== 'direct' || !last || last.deleted_at || last.sender_id !== me.value?.id) return null;
  const seen = last.is_read || (seenUpTo.value.get(channel.id) ?? 0) >= last.seq;
  return seen ? html`<p class="seen"><${Icon} name="check" small /> ${t('read')}</p>` : null;
}

/** Speaks what arrives, once. The log itself is silent: loading history must not be read aloud. @param {{timeline:Timeline}} props */
function Announcer({ timeline }) {
  const last = timeline.reachedEnd ? timeline.items[timeline.items.length - 1] : undefined;
  const seen = useRef('');
  const [words, setWords] = useState('');
  useEffect(() => {
    if (seen.current && last && last.id !== seen.current && last.sender_id !== me.value?.id) {
      void import('../format.js').then(({ plainWords }) => setWords(`${personName(last.sender)}: ${plainWords(last.content).slice(0, 200)}`), () => {});
    }
    if (last) seen.current = last.id;
  }, [last?.id]);
  // What was taken back is not left standing for those who cannot see it go.
  useEffect(() => { if (last?.deleted_at) setWords(''); }, [last?.deleted_at]);
  return html`<p class="sr" role="status" aria-live="polite">${words}</p>`;
}

/** Arrows move between messages; letters act on the one that has the focus. @param {KeyboardEvent} event */
function onLogKey(event) {
  const log = /** @type {HTMLElement} */ (event.currentTarget);
  const target = /** @type {HTMLElement} */ (event.target);
  const articles = /** @type {HTMLElement[]} */ ([...log.querySelectorAll('article[data-id]')]);
  const at = articles.indexOf(target);
  if (target !== log && at < 0) return;
  if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
    event.preventDefault();
    const next = at < 0 ? articles[articles.length - 1] : articles[at + (event.key === 'ArrowUp' ? -1 : 1)];
    next?.focus();
  } else if (at >= 0) onMessageKey(event, target);
}
