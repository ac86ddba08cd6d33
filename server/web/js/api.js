/** The REST client. The access token is held here, in memory only: a script that reads storage finds nothing. */
import { fieldSentence, refusalText } from './refusal.js';
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
   * @param {{code?:string, fields?:Record<string,string>, requestId?:string, retryAfterMs?:number}} [details] retryAfterMs: what the server asks to wait
   */
  constructor(status, message, { code = '', fields = {}, requestId = '', retryAfterMs = 0 } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  /** True when the server was not reached, so trying again can help. */
  get offline() {
    return this.status === 0;
  }

  /** True when the same may be granted later: the server, or what stands before it, is away, busy or asked too often. */
  get passing() {
    // While the server starts anew, what stands before it says in its own words that there is nothing, or shows a page.
    return this.offline || this.status === 429 || this.status >= 500 || (!this.code && (this.status < 300 || this.status === 404));
  }

  /** True when the server itself says no: what stands before it knows no code, and ends nobody's session. */
  get isFinal() {
    return Boolean(this.code) && !this.passing;
  }
}

/** Refusals of a proof that was asked for anew, with a token that is still good: renewing it would only send the wrong proof twice. */
const PROOF_CODES = ['wrong_credentials', 'wrong_password', 'wrong_code', 'two_factor_required'];

let accessToken = '';
/** How often somebody left: the answer to what was asked before is nobody's any more. */
let left = 0;
/** @type {() => Promise<boolean>} */
let renew = async () => false;
let setUpTwoFactor = () => {};

/** @param {string} token */
export function setAccessToken(token) {
  accessToken = token;
}

/** Its person is gone. */
export function dropAccessToken() {
  accessToken = '';
  left += 1;
}

export function departures() {
  return left;
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
  const [asker, token] = [left, accessToken];
  // What one person asked for is neither shown to the next one nor done in their name.
  const stay = () => { if (asker !== left && !options.session) throw new Cancelled(); };
  const exchange = async () => {
    stay();
    try {
      return await answer(await send(method, path, options), options);
    } finally {
      stay();
    }
  };
  try {
    return await exchange();
  } catch (error) {
    // Asked without a token it is a straggler's: the cookie would bring back who has left.
    const refused = token && error instanceof ApiError && error.status === 401 && !options.session && !PROOF_CODES.includes(error.code);
    if (!refused || !(await renew())) throw error;
    return exchange();
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
  if (progress) return (await later(import('./transfer.js'))).transfer(method, address, headers, content, { timeoutMs, signal, progress });
  try {
    const ends = AbortSignal.timeout(timeoutMs);
    return await fetch(address, { method, headers, body: content, credentials: 'same-origin', keepalive, signal: signal ? AbortSignal.any([ends, signal]) : ends });
  } catch {
    throw lost(signal);
  }
}

/** The caller ended a request that it no longer needs, or has left. */
export class Cancelled extends Error {}

/** @param {AbortSignal} [signal] */
function lost(signal) {
  return signal?.aborted ? new Cancelled() : new ApiError(0, t('the_server_could_not_be_reached'));
}

/** @param {Response} response @param {{file?:boolean, signal?:AbortSignal, events?:(kind:string, data:any)=>void}} options */
async function answer(response, { file = false, signal, events }) {
  if (response.status === 204) return null;
  if (events && response.ok && response.body) return (await later(import('./event_stream.js'))).told(response.body, events, signal);
  // A line can also break in the middle of an answer.
  const body = await (file && response.ok ? response.blob() : response.text()).catch(() => { throw lost(signal); });
  if (typeof body !== 'string') return body;
  let decoded = null;
  try {
    decoded = body ? JSON.parse(body) : null;
  } catch {
    if (response.ok) throw new ApiError(response.status, t('the_server_sent_an_answer_this'));
  }
  if (response.ok) return decoded;
  const refusal = await problem(response, decoded);
  if (refusal.code === 'two_factor_setup_required') setUpTwoFactor();
  throw refusal;
}

/** A part that few calls need. @template Part @param {Promise<Part>} part */
function later(part) {
  return part.catch(() => { throw lost(); });
}

/** @param {Response} response @param {any} body an RFC 9457 problem, if it is one */
async function problem(response, body) {
  /** @type {Record<string,string>} */
  const fields = {};
  const code = typeof body?.code === 'string' ? body.code : '';
  for (const { field, message } of (code && body.errors) || []) if (field) fields[field] = message;
  const wait = Number(response.headers.get('retry-after'));
  let message = fieldSentence('', await refusalText(code, body?.detail || body?.title || t('the_server_answered', { status: response.status })));
  if (response.status === 429 && wait > 0) message = t('too_many_requests_try_again_in', { wait });
  return new ApiError(response.status, message, { code, fields, requestId: body?.request_id, retryAfterMs: wait > 0 ? wait * 1_000 : 0 });
}

export const id = encodeURIComponent;

/** The calls of the first page beside the chat itself (chat_api.js); page_api.js has the rest. */
export const api = {
  info: () => request('GET', 'info'),
  // The cookie it answers with must come in, even if this page is left meanwhile: the one that it used is good for nothing any more.
  refresh: () => request('POST', 'auth/refresh', { body: {}, session: true, keepalive: true }),
  logout: () => request('POST', 'auth/logout', { body: {}, session: true }),
  me: () => request('GET', 'auth/me'),
  status: (/** @type {string} */ userId) => request('GET', `users/${id(userId)}/status`),
  user: (/** @type {string} */ userId) => request('GET', `users/${id(userId)}`),
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
