/** Who talks where: read from the server, and told by it meanwhile. Neither may wipe out what the other knows. */
import { chat } from '../chat_api.js';
import { voiceRooms } from '../store.js';
import { withRoom } from './rooms.js';

/** @typedef {import('./link.js').Participant} Participant */

/** How often each room was told: an answer that was asked for before knows less. @type {Map<string, number>} */
const told = new Map();
/** How often all were asked for: of two answers the one asked for last holds. */
let asked = 0;

/** A whole room. @param {string} channelId @param {Participant[]} participants */
export function roomTold(channelId, participants) {
  told.set(channelId, (told.get(channelId) ?? 0) + 1);
  voiceRooms.value = withRoom(voiceRooms.value, channelId, participants);
}

/** All rooms: what changed while the page heard nothing is told to nobody. A failure leaves them as they were. */
export async function loadVoiceRooms() {
  asked += 1;
  const [number, before] = [asked, new Map(told)];
  const list = await chat.voiceRooms().catch(() => null);
  if (!list || number !== asked) return;
  const isNewer = (/** @type {string} */ channelId) => told.get(channelId) !== before.get(channelId);
  const heard = [...voiceRooms.value].filter(([channelId]) => isNewer(channelId));
  const answered = list.items.filter((/** @type {any} */ room) => !isNewer(room.channel_id)).map((/** @type {any} */ room) => [room.channel_id, room.participants]);
  voiceRooms.value = new Map([...heard, ...answered]);
}

/** One room: whoever becomes a member is told what happens from then on, and not what is. @param {string} channelId */
export async function loadVoiceRoom(channelId) {
  const before = told.get(channelId);
  const room = await chat.voiceRoom(channelId).catch(() => null);
  if (room && told.get(channelId) === before) roomTold(channelId, room.participants);
}
