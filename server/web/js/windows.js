/** The windows of messages that the page holds: when they are emptied, and what is told while a page of them is on its way. */
import { changeTimeline, timelines } from './store.js';
import { emptyTimeline } from './timeline.js';

/** @typedef {import('./live.js').LiveEvent} LiveEvent */

/** What changes a message that is there. A new one joins the window by itself. */
const CHANGES = ['message_update', 'message_delete', 'reaction_added', 'reaction_removed', 'pin_added', 'pin_removed'];
/** Most changes that are kept for one page; with more its answer is not taken. */
const MAX_CHANGES = 2_000;

/** How often all windows were emptied, and how often one was. */
let emptied = 0;
/** @type {Map<string, number>} */
const emptiedAlone = new Map();
/** Pages on their way. @type {Set<Asked>} */
const asked = new Set();

/** A page that was asked for: its answer may be older than what is told before it comes. */
export class Asked {
  /** @param {string} channelId */
  constructor(channelId) {
    this.channelId = channelId;
    this.window = windowOf(channelId);
    /** What changed meanwhile, to be applied to the answer. @type {LiveEvent[]} */
    this.changes = [];
    asked.add(this);
  }

  /** Whether the window is still there: once it was emptied, what came between is in neither. */
  get isThere() {
    return this.window === windowOf(this.channelId);
  }

  /** Whether more changed than was kept. */
  get isCut() {
    return this.changes.length > MAX_CHANGES;
  }

  end() {
    asked.delete(this);
  }
}

/** @param {LiveEvent} event */
export function noteChange(event) {
  if (!asked.size || !CHANGES.includes(event.t)) return;
  const channelId = event.channel_id ?? event.d.channel_id;
  for (const page of asked) if (page.channelId === channelId && page.changes.length <= MAX_CHANGES) page.changes.push(event);
}

/** Another text once the window was emptied. @param {string} channelId */
function windowOf(channelId) {
  return `${emptied} ${emptiedAlone.get(channelId) ?? 0}`;
}

/** Nobody says what the windows lack. The one in view is fetched again by its view. */
export function emptyWindows() {
  emptied += 1;
  timelines.value = new Map([...timelines.value].map(([id, timeline]) => [id, emptiedOf(timeline)]));
}

/** The same of one channel. @param {string} channelId */
export function emptyWindow(channelId) {
  if (!timelines.value.has(channelId)) return;
  emptiedAlone.set(channelId, (emptiedAlone.get(channelId) ?? 0) + 1);
  changeTimeline(channelId, emptiedOf);
}

/** @param {import('./timeline.js').Timeline} timeline */
function emptiedOf({ pending, notes }) {
  return { ...emptyTimeline(), pending, notes };
}
