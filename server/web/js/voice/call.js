/** The voice channel that I am in: my microphone, the others, and what of it the page shows. One at a time. */
import { effect } from '../../vendor/signals-core.js';
import { renewToken } from '../session.js';
import { me } from '../store.js';
import { notify } from '../notices.js';
import { t } from '../page_words.js';
import { VoiceLink } from './link.js';
import { Peer } from './peer.js';
import { withWord } from './rooms.js';
import { listenForSpeech } from './speech.js';
import { call } from './state.js';

/** @typedef {import('./state.js').Participant} Participant */

/**
 * Whoever comes offers. Two who came at once over two servers, or whom servers lost sight of and found again, wait for each other:
 * after this time either of them offers.
 */
const OFFER_PATIENCE_MS = 2_000;
/** Whoever comes into a full room offers to one after the other, as fast as the server takes it. */
const OFFER_PATIENCE_EACH_MS = 250;

/** What the page does not show. @type {{link:VoiceLink|null, peers:Map<string,Peer>, awaited:Map<string,ReturnType<typeof setTimeout>>, sounds:Map<string,HTMLAudioElement>, voice:MediaStream|null, screen:MediaStream|null, iceServers:RTCIceServer[], speechEnds:()=>void, speaks:boolean, unmuteAfter:boolean}} */
const parts = { link: null, peers: new Map(), awaited: new Map(), sounds: new Map(), voice: null, screen: null, iceServers: [], speechEnds: () => {}, speaks: false, unmuteAfter: false };

// Whoever signs out hangs up.
effect(() => { if (!me.value) leaveCall(); });

/** @param {Partial<import('./state.js').Call>} changes */
function change(changes) {
  if (call.value) call.value = { ...call.value, ...changes };
}

/** @param {string} channelId */
export async function joinCall(channelId) {
  if (call.value?.channelId === channelId) return;
  leaveCall();
  const mine = { channelId, status: /** @type {const} */ ('asking'), self: '', participants: [], states: {}, screens: {}, muted: false, deafened: false, sharing: false, hasMicrophone: false };
  call.value = mine;
  const voice = await microphone();
  if (call.value?.channelId !== channelId || call.value.status !== 'asking') return voice?.getTracks().forEach((track) => track.stop());
  parts.voice = voice;
  change({ status: 'connecting', hasMicrophone: Boolean(voice), muted: !voice });
  const [track] = voice?.getAudioTracks() ?? [];
  if (track) track.onended = () => { setMuted(true); change({ hasMicrophone: false }); notify(t('the_microphone_is_gone_you_only'), { bad: true }); };
  if (voice) parts.speechEnds = listenForSpeech(voice, (speaks) => { parts.speaks = speaks; tellSpeech(); });
  const address = new URL(`/ws/voice/${encodeURIComponent(channelId)}`, location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  parts.link = new VoiceLink(address.href, {
    token: renewToken,
    self: () => ({ muted: call.value?.muted ?? true, deafened: call.value?.deafened ?? false }),
    joined,
    frame: heed,
    lost: () => { hangUp(); change({ status: 'reconnecting', participants: [], states: {}, screens: {} }); },
    ended: (reason) => { leaveCall(); if (reason) notify(reason, { bad: true }); },
  });
  parts.link.start();
  return undefined;
}

/** Whoever is muted does not speak, and what was said before the others heard is said again. */
function tellSpeech() {
  if (!call.value?.muted) parts.link?.say('speaking', { speaking: parts.speaks });
}

/** Nobody is asked twice: without a microphone one listens. @returns {Promise<MediaStream|null>} */
async function microphone() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
  } catch {
    notify(t('the_microphone_cannot_be_used_so'), { bad: true });
    return null;
  }
}

export function leaveCall() {
  if (!call.peek()) return;
  hangUp();
  parts.link?.stop();
  parts.link = null;
  parts.speechEnds();
  parts.speechEnds = () => {};
  parts.speaks = false;
  for (const stream of [parts.voice, parts.screen]) stream?.getTracks().forEach((track) => track.stop());
  parts.voice = parts.screen = null;
  call.value = null;
}

/** All connections end; the microphone stays mine. */
function hangUp() {
  for (const id of [...parts.peers.keys(), ...parts.awaited.keys()]) drop(id);
}

/** @param {string} id of a participant */
function drop(id) {
  clearTimeout(parts.awaited.get(id));
  parts.awaited.delete(id);
  parts.peers.get(id)?.close();
  parts.peers.delete(id);
  const sound = parts.sounds.get(id);
  if (sound) sound.srcObject = null;
  parts.sounds.delete(id);
  if (!call.value) return;
  const { [id]: _state, ...states } = call.value.states;
  const { [id]: _screen, ...screens } = call.value.screens;
  change({ states, screens });
}

/** @param {{participant_id:string, participants:Participant[], ice_servers:RTCIceServer[]}} d */
function joined(d) {
  hangUp();
  parts.iceServers = d.ice_servers;
  change({ status: 'in', self: d.participant_id, participants: d.participants });
  correct(d.participants.find((one) => one.participant_id === d.participant_id));
  if (parts.screen) parts.link?.say('share', { sharing: true });
  if (parts.speaks) tellSpeech();
  // Whoever comes offers to those who are there.
  for (const { participant_id: id } of d.participants) if (id !== d.participant_id) peer(id).begin();
}

/** Nothing was said between how I come in and being in: what I changed meanwhile would show wrongly to the others. @param {Participant|undefined} shown */
function correct(shown) {
  const now = call.value;
  if (!now || !shown) return;
  if (shown.muted !== now.muted) parts.link?.say('mute', { muted: now.muted });
  if (shown.deafened !== now.deafened) parts.link?.say('deafen', { deafened: now.deafened });
}

/** @param {string} id of a participant */
function awaitOffer(id) {
  clearTimeout(parts.awaited.get(id));
  parts.awaited.set(id, setTimeout(() => {
    parts.awaited.delete(id);
    const isThere = call.value?.participants.some((one) => one.participant_id === id);
    if (isThere && !parts.peers.has(id)) peer(id).begin();
  }, Math.max(OFFER_PATIENCE_MS, OFFER_PATIENCE_EACH_MS * (call.value?.participants.length ?? 0))));
}

/** @param {string} id */
function peer(id) {
  const known = parts.peers.get(id);
  if (known) return known;
  const made = new Peer({
    id,
    polite: (call.value?.self ?? '') > id,
    iceServers: parts.iceServers,
    say: (op, d) => parts.link?.say(op, d),
    voice: () => parts.voice?.getAudioTracks()[0] ?? null,
    heard: (track, stream) => hear(id, track, stream),
    state: (state) => change({ states: { ...call.value?.states, [id]: state } }),
  });
  parts.peers.set(id, made);
  const shown = parts.screen?.getVideoTracks()[0];
  if (shown) made.show(shown);
  return made;
}

/** @param {string} id @param {MediaStreamTrack} track @param {MediaStream} stream */
function hear(id, track, stream) {
  if (track.kind === 'video') return change({ screens: { ...call.value?.screens, [id]: stream } });
  const sound = new Audio();
  sound.srcObject = stream;
  sound.muted = call.value?.deafened ?? false;
  sound.play().catch(() => notify(t('the_browser_does_not_play_sound'), { bad: true }));
  parts.sounds.set(id, sound);
  return undefined;
}

/** @param {string} op @param {any} d */
function heed(op, d) {
  const now = call.value;
  if (!now) return;
  if (op === 'offer' || op === 'answer' || op === 'candidate') {
    if (parts.peers.get(d.from)?.isOver(d.sdp)) {
      // They lost sight of me, and I never of them.
      drop(d.from);
      awaitOffer(d.from);
    }
    if (op === 'offer' || parts.peers.has(d.from)) void peer(d.from).take(op, d);
    return;
  }
  change({ participants: withWord(now.participants, op, d) });
  if (op === 'participant_joined' && d.participant_id !== now.self) awaitOffer(d.participant_id);
  if (op === 'participant_left') drop(d.participant_id);
  // A screen that is not shown any more would stand still.
  if (op === 'participant_updated' && !d.sharing && now.screens[d.participant_id]) {
    const { [d.participant_id]: _gone, ...screens } = now.screens;
    change({ screens });
  }
}

/** @param {boolean} muted */
export function setMuted(muted) {
  if (!call.value?.hasMicrophone) return;
  for (const track of parts.voice?.getAudioTracks() ?? []) track.enabled = !muted;
  change({ muted });
  parts.link?.say('mute', { muted });
  if (!muted && parts.speaks) tellSpeech();
  // Whoever wants to be heard wants to hear.
  if (!muted && call.value.deafened) setDeafened(false);
}

/** Nobody speaks to people whom they do not hear. @param {boolean} deafened */
export function setDeafened(deafened) {
  if (!call.value) return;
  for (const sound of parts.sounds.values()) sound.muted = deafened;
  const wasMuted = call.value.muted;
  change({ deafened });
  parts.link?.say('deafen', { deafened });
  if (deafened) {
    parts.unmuteAfter = !wasMuted;
    setMuted(true);
  } else if (parts.unmuteAfter) {
    parts.unmuteAfter = false;
    setMuted(false);
  }
}

/** My screen, or a window of it, for the others. */
export async function startSharing() {
  const started = call.value;
  const screen = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false }).catch(() => null); // they thought better of it
  const [track] = screen?.getVideoTracks() ?? [];
  if (!track || !call.value || call.value.channelId !== started?.channelId) return track?.stop();
  parts.screen = screen;
  // The browser has a button of its own for this.
  track.onended = () => stopSharing();
  for (const one of parts.peers.values()) one.show(track);
  change({ sharing: true });
  parts.link?.say('share', { sharing: true });
  return undefined;
}

export function stopSharing() {
  parts.screen?.getTracks().forEach((track) => track.stop());
  parts.screen = null;
  for (const one of parts.peers.values()) one.show(null);
  change({ sharing: false });
  parts.link?.say('share', { sharing: false });
}

/** @param {string} token */
export function renewCall(token) {
  parts.link?.reauth(token);
}
