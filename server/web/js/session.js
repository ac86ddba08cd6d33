/** Who is signed in: the access token in memory, the refresh token in a cookie that no script can read. */
import { api, ApiError, currentAccessToken, departures, dropAccessToken, hasAccessToken, onUnauthorized, setAccessToken } from './api.js';
import { forgetDrafts } from './drafts.js';
import { inTurn } from './in_turn.js';
import { forget, me } from './store.js';
import { forgetUnsent, putUnsentAway } from './unsent.js';
import { t } from './words.js';

/** Renewed this long before it ends, or at half its life when that is short. */
const RENEW_BEFORE_MS = 60_000;
/** In the storage of this browser while somebody signs out and the server has not heard it, the session: nobody comes back to it by the cookie. */
const SIGNING_OUT = 'confab-signing-out';

/** @type {(token:string) => void} */
let renewed = () => {};
/** @type {(reason:string) => void} */
let ended = () => {};
/** @type {Promise<string>|null} */
let renewing = null;
/** What later parts of the page forget with the person. @type {Set<() => void>} */
const leaving = new Set();
let renewTimer = 0;
let expiresAt = 0;

/** @param {{renewed:(token:string)=>void, ended:(reason:string)=>void}} listeners */
export function startSession(listeners) {
  ({ renewed, ended } = listeners);
  onUnauthorized(() => renewToken(true).then(() => true, () => false));
  // Signed out in another tab, which may not have reached the server.
  globalThis.addEventListener?.('storage', ({ key, newValue }) => { if (key === SIGNING_OUT && newValue && me.value && newValue === sessionOf(currentAccessToken())) leave(t('you_were_signed_out'), { isChosen: true }); });
}

/** Takes the answer of login, register or setup. @param {import('./api.js').Grant} grant */
export function signedIn(grant) {
  setSigningOut('');
  take(grant);
}

/** @param {import('./api.js').Grant} grant */
function take(grant) {
  setAccessToken(grant.access_token);
  const lifeMs = Math.max(10, grant.expires_in) * 1000;
  expiresAt = Date.now() + lifeMs;
  clearTimeout(renewTimer);
  renewTimer = window.setTimeout(() => void renewToken(true).catch(() => {}), Math.max(lifeMs / 2, lifeMs - RENEW_BEFORE_MS));
  if (grant.user) me.value = grant.user;
}

/** Tries the cookie of an earlier visit. Resolves false when there is none. Rejects when the server is not reached. */
export async function restore() {
  const leaving = sessionSigningOut();
  try {
    const token = await renewToken(true);
    if (leaving && leaving === sessionOf(token)) {
      await signOut();
      return false;
    }
  } catch (error) {
    if (error instanceof ApiError && error.isFinal) return false;
    throw error;
  }
  setSigningOut('');
  if (!me.value) me.value = await api.me();
  return true;
}

/**
 * A token that is good for the next seconds. Many callers share one renewal.
 * @param {boolean} [force] renew even if the token looks good, because the server refused it
 * @returns {Promise<string>}
 */
export function renewToken(force = false) {
  if (!force && hasAccessToken() && Date.now() < expiresAt - 5_000) return Promise.resolve(currentAccessToken());
  if (!renewing) {
    const asker = departures();
    const mine = inTurn('confab-refresh', () => refresh(asker)).finally(() => { if (renewing === mine) renewing = null; });
    renewing = mine;
  }
  return renewing;
}

/**
 * Every refresh replaces the cookie. Two tabs doing it at once would show the server an already used token, which it must
 * take for theft; so tabs take turns.
 * @param {number} asker
 */
async function refresh(asker) {
  const signedInBefore = me.value !== null;
  try {
    mustBeHere(asker);
    const grant = await api.refresh();
    mustBeHere(asker);
    if (grant.user && me.value && grant.user.id !== me.value.id) return isSomebodyElse();
    take(grant);
    renewed(grant.access_token);
    return grant.access_token;
  } catch (error) {
    if (asker !== departures()) throw error;
    clearTimeout(renewTimer);
    if (signedInBefore && error instanceof ApiError && error.isFinal) leave(t('your_session_has_ended_sign_in'));
    else if (signedInBefore) renewTimer = window.setTimeout(() => void renewToken(true).catch(() => {}), 15_000);
    throw error;
  }
}

/** Whoever waits for their turn, or for the answer, may leave meanwhile. @param {number} asker */
function mustBeHere(asker) {
  if (asker !== departures()) throw new ApiError(0, '');
}

/** Another person signed in with this browser: what this page shows and has to send is not theirs. @returns {never} */
function isSomebodyElse() {
  leave('', { isChosen: true });
  location.reload();
  throw new ApiError(0, '');
}

export async function signOut() {
  setSigningOut(sessionOf(currentAccessToken()));
  // With a token that is still good, or the server could not tell whose session ends.
  await renewToken().catch(() => {});
  await logOut();
  leave('', { isChosen: true });
}

async function logOut() {
  try {
    await api.logout();
  } catch (error) {
    // A token that ran out says nothing of the session, which the cookie would bring back.
    if (!(error instanceof ApiError && error.isFinal) || error.status === 401) return;
  }
  setSigningOut('');
}

/** @param {string} session '' when nobody is on the way out */
function setSigningOut(session) {
  try {
    if (session) localStorage.setItem(SIGNING_OUT, session);
    else localStorage.removeItem(SIGNING_OUT);
  } catch {
    // No storage: then signing out is as good as the line to the server.
  }
}

function sessionSigningOut() {
  return globalThis.localStorage?.getItem(SIGNING_OUT) ?? '';
}

/** The session of an access token, '' of none: read, not believed. @param {string} token */
function sessionOf(token) {
  try {
    return String(JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).sid ?? '');
  } catch {
    return '';
  }
}

/** @param {() => void} callback called when nobody is signed in any more */
export function onLeave(callback) {
  leaving.add(callback);
}

/** @param {string} reason shown on the sign-in page @param {{isChosen?:boolean}} [how] isChosen: what was not sent goes with the person; else it waits for them */
export function leave(reason, { isChosen = false } = {}) {
  clearTimeout(renewTimer);
  renewing = null;
  dropAccessToken();
  expiresAt = 0;
  forget();
  forgetDrafts();
  for (const forgetMore of leaving) forgetMore();
  if (isChosen) forgetUnsent();
  else putUnsentAway();
  ended(reason);
}
