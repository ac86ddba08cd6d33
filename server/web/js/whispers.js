/** What plugins say to me alone: shown in the timeline like a note, on each of my devices, until it is taken away. */
import { plugins } from './plugin_api.js';
import { changeTimeline, meet } from './store.js';

/** @typedef {{id:string, channel_id:string, sender:any, plugin_id:string, content:string, html:string, blocks:any[], created_at:string, is_gone?:boolean}} Whisper */

/** Said, changed or taken away. @param {Whisper} whisper */
export function put(whisper) {
  if (whisper.sender) meet([whisper.sender]);
  changeTimeline(whisper.channel_id, (timeline) => withWhisper(timeline, whisper));
}

/** @param {import('./timeline.js').Timeline} timeline @param {Whisper} whisper @returns {import('./timeline.js').Timeline} */
export function withWhisper(timeline, whisper) {
  const others = timeline.notes.filter((note) => note.id !== whisper.id);
  if (whisper.is_gone) return { ...timeline, notes: others };
  const known = timeline.notes.find((note) => note.id === whisper.id);
  const before = timeline.items.filter((message) => message.created_at <= whisper.created_at).at(-1);
  const note = { id: whisper.id, after_seq: known?.after_seq ?? before?.seq ?? 0, command: '', content: whisper.content, created_at: whisper.created_at, whisper };
  const notes = [...others, note].sort((one, other) => one.after_seq - other.after_seq || one.created_at.localeCompare(other.created_at));
  return { ...timeline, notes };
}

/** Those of a channel that were said before this page was opened. @param {string} channelId */
export async function loadWhispers(channelId) {
  const { items } = await plugins.whispers(channelId).catch(() => ({ items: [] }));
  for (const whisper of items) put(whisper);
}
