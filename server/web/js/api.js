/** The REST client. The access token is held here, in memory only: a script that reads storage finds nothing. */
import { fieldSentence } from './refusal.js';
import { t } from './words.js';

const BASE = '/api/v1';
/** A request that hangs longer than this is given up. The assistant may think for longer. */
const TIMEOUT_MS = 30_000;
export const SLOW_TIMEOUT_MS = 180_000;

/** @typedef {import('./timeline.js').UserRef} UserRef */
/** @typedef {{user:any, access_token:string, expires_in:number}} Grant */
/** @typedef {{events?:(kind:string, data:any)=>void, signal?:AbortSignal}} Follow how a long answer is followed, and ended */

/** A refused or failed request, with a message fit to be shown. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when no answer came
   * @param {string} message
   * @param {{code?:string, fields?:Record<string,string>, requestId?:string}} [details]
   */
  constructor(status, message, { code = '', fields = {}, requestId = '' } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.requestId = requestId;
  }

  /** True when the server was not reached, so trying again can help. */
  get offline() {
    return this.status === 0;
  }
}

/** Refusals of a proof that was asked for anew, with a token that is still good: renewing it would only send the wrong proof twice. */
const PROOF_CODES = ['wrong_credentials', 'wrong_password', 'wrong_code', 'two_factor_required'];

let accessToken = '';
/** @type {() => Promise<boolean>} */
let renew = async () => false;
let setUpTwoFactor = () => {};

/** @param {string} token */
export function setAccessToken(token) {
  accessToken = token;
}

export function hasAccessToken() {
  return accessToken !== '';
}

export function currentAccessToken() {
  return accessToken;
}

/** What to do when a token is refused: resolves true when a new one is in place. @param {() => Promise<boolean>} callback */
export function onUnauthorized(callback) {
  renew = callback;
}

/** What to do when the server wants a second factor set up before anything else. @param {() => void} callback */
export function onTwoFactorMissing(callback) {
  setUpTwoFactor = callback;
}

/** The page of the other sign-in system: a link, not a call. @param {{return_to:string, invitation?:string}} query */
export function oidcPath({ return_to: returnTo, invitation }) {
  return `${BASE}/auth/oidc/start?${new URLSearchParams({ return_to: returnTo, ...(invitation ? { invitation } : {}) })}`;
}

/** A person's picture, if this server keeps it: any other address would tell a stranger who is looking. @param {string|null|undefined} address */
export function picturePath(address) {
  return address?.startsWith(`${BASE}/pictures/`) ? address : '';
}

/** The image of a custom reaction, by the same rule. @param {string|null|undefined} address */
export function reactionImagePath(address) {
  return address?.startsWith(`${BASE}/`) && !address.includes('..') ? address : '';
}

/**
 * @param {string} method
 * @param {string} path below /api/v1/
 * @param {{body?:unknown, query?:Record<string, string|number|undefined|null>, form?:FormData, bytes?:Blob, headers?:Record<string,string>,
 *   timeoutMs?:number, session?:boolean, file?:boolean, signal?:AbortSignal, progress?:(sent:number)=>void, keepalive?:boolean,
 *   events?:(kind:string, data:any)=>void}} [options]
 *   session: an authentication call, which sets or uses the refresh cookie and is never repeated; file: the answer is a file;
 *   bytes: the body as it is; progress: told how many bytes have left; keepalive: goes on when the page is closed; events: the answer comes in
 *   events, of which this is told, and `done` is the answer
 * @returns {Promise<any>} the decoded JSON, null for an empty answer, a Blob for a file
 */
export async function request(method, path, options = {}) {
  try {
    return await answer(await send(method, path, options), options);
  } catch (error) {
    const refused = error instanceof ApiError && error.status === 401 && !options.session && !PROOF_CODES.includes(error.code);
    if (!refused || !(await renew())) throw error;
    return answer(await send(method, path, options), options);
  }
}

/** @param {string} method @param {string} path @param {NonNullable<Parameters<typeof request>[2]>} options */
async function send(method, path, { body, query = {}, form, bytes, headers: more = {}, timeoutMs = TIMEOUT_MS, session = false, file = false, signal, progress, keepalive = false, events }) {
  const address = new URL(`${BASE}/${path}`, location.origin);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== '') address.searchParams.set(name, String(value));
  /** @type {Record<string,string>} */
  const headers = { accept: events ? 'text/event-stream' : file ? '*/*' : 'application/json', ...more };
  if (body !== undefined) headers['content-type'] = 'application/json';
  // A token that just ended must not spoil the call that renews it.
  if (accessToken && (!session || path === 'auth/logout')) headers.authorization = `Bearer ${accessToken}`;
  // The cookie is sent on these calls only, and this header is one that another site's form cannot set.
  if (session) headers['x-confab-session'] = 'cookie';
  const content = form ?? bytes ?? (body === undefined ? undefined : JSON.stringify(body));
  if (progress) return transfer(method, address, headers, content, { timeoutMs, signal, progress });
  try {
    const ends = AbortSignal.timeout(timeoutMs);
    return await fetch(address, { method, headers, body: content, credentials: 'same-origin', keepalive, signal: signal ? AbortSignal.any([ends, signal]) : ends });
  } catch {
    throw signal?.aborted ? new Cancelled() : new ApiError(0, t('the_server_could_not_be_reached'));
  }
}

/** The caller ended a request that it no longer needs. */
export class Cancelled extends Error {}

/**
 * The same by the older interface, the only one that tells how much of a body has left.
 * @param {string} method @param {URL} address @param {Record<string,string>} headers @param {any} content
 * @param {{timeoutMs:number, signal?:AbortSignal, progress:(sent:number)=>void}} options
 * @returns {Promise<Response>}
 */
function transfer(method, address, headers, content, { timeoutMs, signal, progress }) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new Cancelled());
    const exchange = new XMLHttpRequest();
    exchange.open(method, address);
    exchange.timeout = timeoutMs;
    for (const [name, value] of Object.entries(headers)) exchange.setRequestHeader(name, value);
    exchange.upload.onprogress = ({ loaded }) => progress(loaded);
    exchange.onload = () => {
      const retryAfter = exchange.getResponseHeader('retry-after');
      const headersBack = new Headers(retryAfter ? { 'retry-after': retryAfter } : undefined);
      resolve(new Response(exchange.status === 204 ? null : exchange.responseText, { status: exchange.status, headers: headersBack }));
    };
    exchange.onerror = exchange.ontimeout = () => reject(new ApiError(0, t('the_server_could_not_be_reached')));
    exchange.onabort = () => reject(new Cancelled());
    signal?.addEventListener('abort', () => exchange.abort(), { once: true });
    return exchange.send(content);
  });
}

/** @param {Response} response @param {{file?:boolean, signal?:AbortSignal, events?:(kind:string, data:any)=>void}} options */
async function answer(response, { file = false, signal, events }) {
  if (response.status === 204) return null;
  if (events && response.ok && response.body) return (await streams()).told(response.body, events, signal);
  if (file && response.ok) return response.blob();
  const text = await response.text();
  let decoded = null;
  try {
    decoded = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new ApiError(response.status, t('the_server_sent_an_answer_this'));
  }
  if (response.ok) return decoded;
  const refusal = problem(response, decoded);
  if (refusal.code === 'two_factor_setup_required') setUpTwoFactor();
  throw refusal;
}

/** Only an answer that takes long comes in events. */
function streams() {
  return import('./event_stream.js').catch(() => { throw new ApiError(0, t('the_server_could_not_be_reached')); });
}

/** @param {Response} response @param {any} body an RFC 9457 problem, if it is one */
function problem(response, body) {
  /** @type {Record<string,string>} */
  const fields = {};
  for (const { field, message } of body?.errors ?? []) if (field) fields[field] = message;
  const wait = Number(response.headers.get('retry-after'));
  let message = fieldSentence('', body?.detail || body?.title || t('the_server_answered', { status: response.status }));
  if (response.status === 429 && wait > 0) message = t('too_many_requests_try_again_in', { wait });
  return new ApiError(response.status, message, { code: body?.code, fields, requestId: body?.request_id });
}

export const id = encodeURIComponent;

/** Every call about accounts, administration, search and plugins, by name; those of the chat itself are in chat_api.js. */
export const api = {
  info: () => request('GET', 'info'),

  setup: (/** @type {object} */ body) => request('POST', 'setup', { body, session: true }),
  register: (/** @type {object} */ body) => request('POST', 'auth/register', { body, session: true }),
  login: (/** @type {string} */ username, /** @type {string} */ password, /** @type {string} */ code = '') => request('POST', 'auth/login', { body: { username, password, ...(code ? { code } : {}) }, session: true }),
  refresh: () => request('POST', 'auth/refresh', { body: {}, session: true }),
  logout: () => request('POST', 'auth/logout', { body: {}, session: true }),
  logoutElsewhere: () => request('POST', 'auth/logout-all', { query: { keep_current: 'true' } }),
  forgotPassword: (/** @type {string} */ username) => request('POST', 'auth/password/forgot', { body: { username } }),
  resetPassword: (/** @type {string} */ token, /** @type {string} */ password) => request('POST', 'auth/password/reset', { body: { token, password } }),
  me: () => request('GET', 'auth/me'),
  changeMe: (/** @type {object} */ body) => request('PUT', 'auth/me', { body }),
  changePassword: (/** @type {object} */ body) => request('PUT', 'auth/me/password', { body }),
  setPicture: (/** @type {File} */ file) => request('PUT', 'users/me/profile-picture', { form: formOf(file), timeoutMs: 120_000 }),
  removePicture: () => request('DELETE', 'users/me/profile-picture'),
  status: (/** @type {string} */ userId) => request('GET', `users/${id(userId)}/status`),
  setStatus: (/** @type {object} */ body) => request('PUT', 'users/me/status', { body }),

  identities: () => request('GET', 'auth/identities'),
  linkIdentity: (/** @type {{return_to:string, current_password?:string}} */ body) => request('POST', 'auth/identities', { body }),
  unlinkIdentity: (/** @type {string} */ identityId) => request('DELETE', `auth/identities/${id(identityId)}`),
  sessions: () => request('GET', 'auth/sessions'),
  endSession: (/** @type {string} */ sessionId) => request('DELETE', `auth/sessions/${id(sessionId)}`),
  tokens: (/** @type {string|undefined} */ userId) => request('GET', 'auth/tokens', { query: { user_id: userId } }),
  createToken: (/** @type {object} */ body) => request('POST', 'auth/tokens', { body }),
  revokeToken: (/** @type {string} */ tokenId) => request('DELETE', `auth/tokens/${id(tokenId)}`),
  twoFactor: () => request('GET', 'auth/two-factor'),
  startTwoFactor: (/** @type {string} */ password) => request('POST', 'auth/two-factor/start', { body: { password } }),
  confirmTwoFactor: (/** @type {string} */ code) => request('POST', 'auth/two-factor/confirm', { body: { code } }),
  renewRecoveryCodes: (/** @type {object} */ body) => request('POST', 'auth/two-factor/recovery-codes', { body }),
  disableTwoFactor: (/** @type {object} */ body) => request('POST', 'auth/two-factor/disable', { body }),

  accounts: (/** @type {Record<string,string|number|null|undefined>} */ query) => request('GET', 'auth/users', { query }),
  account: (/** @type {string} */ userId) => request('GET', `auth/users/${id(userId)}`),
  createAccount: (/** @type {object} */ body) => request('POST', 'auth/users', { body }),
  deleteAccount: (/** @type {string} */ userId) => request('DELETE', `auth/users/${id(userId)}`),
  disableAccount: (/** @type {string} */ userId) => request('PUT', `auth/users/${id(userId)}/disable`),
  enableAccount: (/** @type {string} */ userId) => request('PUT', `auth/users/${id(userId)}/enable`),
  setSuperuser: (/** @type {string} */ userId, /** @type {boolean} */ isSuperuser) => request('PUT', `auth/users/${id(userId)}/superuser`, { body: { is_superuser: isSuperuser } }),
  setRoles: (/** @type {string} */ userId, /** @type {string[]} */ roleIds) => request('PUT', `auth/users/${id(userId)}/roles`, { body: { role_ids: roleIds } }),
  passwordLink: (/** @type {string} */ userId) => request('POST', `auth/users/${id(userId)}/password-reset`),
  removeTwoFactor: (/** @type {string} */ userId) => request('DELETE', `auth/users/${id(userId)}/two-factor`),
  endSessions: (/** @type {string} */ userId) => request('DELETE', `auth/users/${id(userId)}/sessions`),
  roles: () => request('GET', 'auth/roles'),
  createRole: (/** @type {object} */ body) => request('POST', 'auth/roles', { body }),
  changeRole: (/** @type {string} */ roleId, /** @type {object} */ body) => request('PUT', `auth/roles/${id(roleId)}`, { body }),
  deleteRole: (/** @type {string} */ roleId) => request('DELETE', `auth/roles/${id(roleId)}`),
  permissions: () => request('GET', 'auth/permissions'),
  invitations: () => request('GET', 'auth/invitations'),
  invite: (/** @type {{max_uses?:number, expires_in_hours?:number}} */ body) => request('POST', 'auth/invitations', { body }),
  revokeInvitation: (/** @type {string} */ invitationId) => request('DELETE', `auth/invitations/${id(invitationId)}`),
  policy: () => request('GET', 'admin/policy'),
  setPolicy: (/** @type {object} */ body) => request('PUT', 'admin/policy', { body }),
  breakGlass: () => request('GET', 'admin/break-glass'),
  openBreakGlass: (/** @type {object} */ body) => request('POST', 'admin/break-glass', { body }),
  endBreakGlass: (/** @type {string} */ breakGlassId) => request('DELETE', `admin/break-glass/${id(breakGlassId)}`),
  audit: (/** @type {Record<string,string|number|null|undefined>} */ query) => request('GET', 'admin/audit', { query }),
  exportAudit: (/** @type {Record<string,string|number|null|undefined>} */ query) => request('GET', 'admin/audit/export', { query, file: true, timeoutMs: 600_000 }),
  verifyAudit: () => request('GET', 'admin/audit/verify', { timeoutMs: SLOW_TIMEOUT_MS }),
  stats: () => request('GET', 'admin/stats'),
  reindex: () => request('POST', 'admin/reindex'),
  deadLetters: (/** @type {Record<string,string|number|null|undefined>} */ query) => request('GET', 'admin/dead-letters', { query }),
  retryDeadLetter: (/** @type {string} */ letterId) => request('POST', `admin/dead-letters/${id(letterId)}/retry`),

  users: (/** @type {string} */ q, /** @type {string|null} */ cursor = null) => request('GET', 'users', { query: { q, cursor, limit: 20 } }),
  user: (/** @type {string} */ userId) => request('GET', `users/${id(userId)}`),

  search: (/** @type {string} */ q, /** @type {string|null} */ cursor) => request('GET', 'search/messages', { query: { q, cursor, limit: 20 } }),
  searchFiles: (/** @type {string} */ q, /** @type {string|null} */ cursor) => request('GET', 'search/files', { query: { q, cursor, limit: 20 } }),
  ask: (/** @type {object} */ body, /** @type {Follow} */ follow = {}) => request('POST', 'ai/message', { body, timeoutMs: SLOW_TIMEOUT_MS, ...follow }),
  summarize: (/** @type {object} */ body, /** @type {Follow} */ follow = {}) => request('POST', 'ai/summarize', { body, timeoutMs: SLOW_TIMEOUT_MS, ...follow }),
  ownAssistant: () => request('GET', 'users/me/assistant'),
  setOwnAssistant: (/** @type {boolean} */ isOff) => request('PUT', 'users/me/assistant', { body: { is_off: isOff } }),
  serverAssistant: () => request('GET', 'admin/assistant'),
  setServerAssistant: (/** @type {boolean} */ isOff) => request('PUT', 'admin/assistant', { body: { is_off: isOff } }),

  commands: () => request('GET', 'commands'),
  runCommand: (/** @type {string} */ channelId, /** @type {string} */ text) => request('POST', `channels/${id(channelId)}/commands`, { body: { text } }),
};

/** @param {File} file @param {string} [field] */
export function formOf(file, field = 'file') {
  const form = new FormData();
  form.append(field, file);
  return form;
}

/** A whole list, following its cursor. Stops at 50 pages: nobody belongs to more than 5,000 channels. @param {string} path */
export async function everyPage(path) {
  const items = [];
  let cursor = null;
  for (let page = 0; page < 50; page += 1) {
    const part = await request('GET', path, { query: { limit: 100, cursor } });
    items.push(...part.items);
    cursor = part.next_cursor;
    if (!cursor) break;
  }
  return { items };
}
