/** Messages of mine on their way: shown at once, settled by their nonce, kept for another try when they fail. */
import { batch } from '../vendor/signals-core.js';
import { api, ApiError } from './api.js';
import { chat } from './chat_api.js';
import { receive, whispered } from './events.js';
import { live } from './live.js';
import { changeThread, changeTimeline, commands, commandsLoaded, connection, noteOf } from './store.js';
import { withNote, withPending, withoutPending } from './timeline.js';
import { dropUnsent, keepUnsent, unsent } from './unsent.js';

/** @typedef {import('./timeline.js').Pending} Pending */

/** Random and unguessable; crypto.randomUUID would be missing on plain http. */
export function newNonce() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {{channelId:string, content:string, parentId?:string, fileIds?:string[], quoted?:import('./timeline.js').Message}} draft
 */
export function sendMessage({ channelId, content, parentId, fileIds, quoted }) {
  /** @type {Pending} */
  const pending = { nonce: newNonce(), channel_id: channelId, content, created_at: new Date().toISOString(), state: 'sending' };
  if (parentId) pending.parent_id = parentId;
  if (fileIds?.length) pending.file_ids = fileIds;
  if (quoted) pending.quoted = quoted;
  void deliver(pending);
}

/** Tries once more, with the same nonce: if the first try did arrive, the server answers with that message. @param {Pending} pending */
export function retry(pending) {
  const { error: _error, offline: _offline, ...again } = pending;
  void deliver({ ...again, state: 'sending' });
}

/** @param {Pending} pending */
export function discard(pending) {
  dropUnsent(pending.nonce);
  changeWhereShown(pending, (timeline) => withoutPending(timeline, pending.nonce));
}

/** What failed only because there was no connection goes out when there is one again. */
export function resendWaiting() {
  for (const pending of waiting()) retry(pending);
}

/** Messages that wait for a connection. */
export function waiting() {
  return [...unsent.value.values()].filter((pending) => pending.state === 'failed' && pending.offline);
}

/** @param {Pending} pending @param {Parameters<typeof changeTimeline>[1]} change */
function changeWhereShown(pending, change) {
  if (pending.parent_id) changeThread(pending.parent_id, change);
  else changeTimeline(pending.channel_id, change);
}

/** Shown where it stands, and kept until it is settled. @param {Pending} pending */
function show(pending) {
  keepUnsent(pending);
  changeWhereShown(pending, (timeline) => withPending(timeline, pending));
}

/** @param {Pending} pending */
async function deliver(pending) {
  show(pending);
  try {
    const message = await transmit(pending);
    receive({ ...message, nonce: message.nonce ?? pending.nonce });
    discard(pending);
  } catch (error) {
    const failed = /** @type {Error} */ (error);
    const offline = failed instanceof ApiError && failed.offline;
    // Taken back, or signed out, meanwhile.
    if (unsent.value.has(pending.nonce)) show({ ...pending, state: 'failed', error: offline ? '' : failed.message, offline });
  }
}

/** By the gateway when it is there, else by REST. @param {Pending} pending */
async function transmit({ nonce, channel_id: channelId, parent_id: parentId, content, file_ids: fileIds, quoted }) {
  const body = { content, nonce, ...(parentId ? { parent_id: parentId } : {}) };
  if (live.value?.online && connection.value.status === 'online' && !fileIds && !quoted) {
    try {
      return await live.value.send({ channel_id: channelId, ...body });
    } catch (error) {
      // A refusal is an answer. Silence is not: the same nonce over REST cannot make a second message.
      if (/** @type {any} */ (error).refused) throw error;
    }
  }
  return chat.post(channelId, { ...body, ...(fileIds ? { file_ids: fileIds } : {}), ...(quoted ? { quoted_id: quoted.id } : {}) });
}

const COMMAND = /^\/([\p{L}\p{N}_-]+)(?:\s|$)/u;

/** It may call a command. @param {string} text */
export function isLikeCommand(text) {
  return COMMAND.test(text);
}

/** The list of commands. */
export async function loadCommands() {
  const list = await api.commands();
  batch(() => {
    commands.value = list.items;
    commandsLoaded.value = true;
  });
}

/** The command a text calls, if it calls one. @param {string} text */
export function commandIn(text) {
  const match = COMMAND.exec(text);
  return match ? commands.value.find((command) => command.name.replace(/^\//, '') === match[1]) : undefined;
}

/** @param {string} channelId @param {string} text "/name and the rest" */
export async function runCommand(channelId, text) {
  const name = text.slice(1).split(/\s/, 1)[0];
  try {
    const result = await api.runCommand(channelId, text);
    if (result.message) receive(result.message);
    if (result.whisper) await whispered(result.whisper);
    else if (result.outcome === 'whisper') changeTimeline(channelId, (timeline) => withNote(timeline, noteOf(timeline, result.command ?? name, result.content)));
  } catch (error) {
    changeTimeline(channelId, (timeline) => withNote(timeline, noteOf(timeline, name, /** @type {Error} */ (error).message)));
  }
}
