/** Who is signed in: the access token in memory, the refresh token in a cookie that no script can read. */
import { api, ApiError, currentAccessToken, hasAccessToken, onUnauthorized, setAccessToken } from './api.js';
import { forgetDrafts } from './drafts.js';
import { forget, me } from './store.js';
import { forgetUnsent } from './unsent.js';
import { t } from './words.js';

/** Renewed this long before it ends, or at half its life when that is short. */
const RENEW_BEFORE_MS = 60_000;

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
}

/** Takes the answer of login, register, setup or refresh. @param {import('./api.js').Grant} grant */
export function signedIn(grant) {
  setAccessToken(grant.access_token);
  const lifeMs = Math.max(10, grant.expires_in) * 1000;
  expiresAt = Date.now() + lifeMs;
  clearTimeout(renewTimer);
  renewTimer = window.setTimeout(() => void renewToken(true).catch(() => {}), Math.max(lifeMs / 2, lifeMs - RENEW_BEFORE_MS));
  if (grant.user) me.value = grant.user;
}

/** Tries the cookie of an earlier visit. Resolves false when there is none. Rejects when the server is not reached. */
export async function restore() {
  try {
    await renewToken(true);
  } catch (error) {
    if (/** @type {ApiError} */ (error).offline) throw error;
    return false;
  }
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
  renewing ??= exclusively(refresh).finally(() => { renewing = null; });
  return renewing;
}

/**
 * Every refresh replaces the cookie. Two tabs doing it at once would show the server an already used token, which it must
 * take for theft; so tabs take turns where the browser lets them.
 * @template T @param {() => Promise<T>} work @returns {Promise<T>}
 */
function exclusively(work) {
  return navigator.locks ? /** @type {Promise<any>} */ (navigator.locks.request('confab-refresh', work)) : work();
}

async function refresh() {
  const signedInBefore = me.value !== null;
  try {
    const grant = await api.refresh();
    signedIn(grant);
    renewed(grant.access_token);
    return grant.access_token;
  } catch (error) {
    const refused = error instanceof ApiError && !error.offline && error.status < 500 && error.status !== 429;
    if (refused && signedInBefore) leave(t('your_session_has_ended_sign_in'));
    else if (signedInBefore) renewTimer = window.setTimeout(() => void renewToken(true).catch(() => {}), 15_000);
    throw error;
  }
}

export async function signOut() {
  // With a token that is still good, or the server could not tell whose session ends.
  await renewToken().then(() => api.logout()).catch(() => {});
  leave('');
}

/** @param {() => void} callback called when nobody is signed in any more */
export function onLeave(callback) {
  leaving.add(callback);
}

/** @param {string} reason shown on the sign-in page */
export function leave(reason) {
  clearTimeout(renewTimer);
  setAccessToken('');
  expiresAt = 0;
  forget();
  forgetDrafts();
  for (const forgetMore of leaving) forgetMore();
  forgetUnsent();
  ended(reason);
}
