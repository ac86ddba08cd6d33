/** The REST client. The access token is held here, in memory only: a script that reads storage finds nothing. */

const BASE = '/api/v1';
/** A request that hangs longer than this is given up. The assistant may think for longer. */
const TIMEOUT_MS = 30_000;
export const SLOW_TIMEOUT_MS = 180_000;

/** @typedef {import('./timeline.js').UserRef} UserRef */
/** @typedef {{user:any, access_token:string, expires_in:number}} Grant */

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

let accessToken = '';
/** @type {() => Promise<boolean>} */
let renew = async () => false;

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

/**
 * @param {string} method
 * @param {string} path below /api/v1/
 * @param {{body?:unknown, query?:Record<string, string|number|undefined|null>, form?:FormData, timeoutMs?:number, session?:boolean}} [options]
 *   session: an authentication call, which sets or uses the refresh cookie and is never repeated
 * @returns {Promise<any>} the decoded JSON, or null for an empty answer
 */
export async function request(method, path, options = {}) {
  const response = await send(method, path, options);
  if (response.status === 401 && !options.session && (await renew())) return answer(await send(method, path, options));
  return answer(response);
}

/** @param {string} method @param {string} path @param {NonNullable<Parameters<typeof request>[2]>} options */
async function send(method, path, { body, query = {}, form, timeoutMs = TIMEOUT_MS, session = false }) {
  const address = new URL(`${BASE}/${path}`, location.origin);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== '') address.searchParams.set(name, String(value));
  /** @type {Record<string,string>} */
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  // A token that just ended must not spoil the call that renews it.
  if (accessToken && (!session || path === 'auth/logout')) headers.authorization = `Bearer ${accessToken}`;
  // The cookie is sent on these calls only, and this header is one that another site's form cannot set.
  if (session) headers['x-confab-session'] = 'cookie';
  try {
    return await fetch(address, {
      method,
      headers,
      body: form ?? (body === undefined ? undefined : JSON.stringify(body)),
      credentials: 'same-origin',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch {
    throw new ApiError(0, 'The server could not be reached.');
  }
}

/** @param {Response} response */
async function answer(response) {
  if (response.status === 204) return null;
  const text = await response.text();
  let decoded = null;
  try {
    decoded = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new ApiError(response.status, 'The server sent an answer this page does not understand.');
  }
  if (response.ok) return decoded;
  throw problem(response, decoded);
}

/** @param {Response} response @param {any} body an RFC 9457 problem, if it is one */
function problem(response, body) {
  /** @type {Record<string,string>} */
  const fields = {};
  for (const { field, message } of body?.errors ?? []) if (field) fields[field] = message;
  const wait = Number(response.headers.get('retry-after'));
  let message = body?.detail || body?.title || `The server answered ${response.status}.`;
  if (response.status === 429 && wait > 0) message = `Too many requests. Try again in ${wait} s.`;
  return new ApiError(response.status, message, { code: body?.code, fields, requestId: body?.request_id });
}

const id = encodeURIComponent;

/** Every call the client makes, by name. */
export const api = {
  info: () => request('GET', 'info'),

  setup: (/** @type {object} */ body) => request('POST', 'setup', { body, session: true }),
  register: (/** @type {object} */ body) => request('POST', 'auth/register', { body, session: true }),
  login: (/** @type {string} */ username, /** @type {string} */ password) => request('POST', 'auth/login', { body: { username, password }, session: true }),
  refresh: () => request('POST', 'auth/refresh', { body: {}, session: true }),
  logout: () => request('POST', 'auth/logout', { body: {}, session: true }),
  me: () => request('GET', 'auth/me'),
  invite: (/** @type {{max_uses?:number, expires_in_hours?:number}} */ body) => request('POST', 'auth/invitations', { body }),

  users: (/** @type {string} */ q) => request('GET', 'users', { query: { q, limit: 20 } }),
  user: (/** @type {string} */ userId) => request('GET', `users/${id(userId)}`),

  channels: () => everyPage('channels'),
  myChannels: () => everyPage('channels/me'),
  channel: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}`),
  createChannel: (/** @type {object} */ body) => request('POST', 'channels', { body }),
  join: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/join`),
  leave: (/** @type {string} */ channelId) => request('POST', `channels/${id(channelId)}/leave`),
  members: (/** @type {string} */ channelId) => request('GET', `channels/${id(channelId)}/members`, { query: { limit: 100 } }),
  addMember: (/** @type {string} */ channelId, /** @type {string} */ userId) => request('POST', `channels/${id(channelId)}/members`, { body: { user_id: userId } }),
  direct: (/** @type {string[]} */ userIds) => request('POST', 'channels/direct', { body: { user_ids: userIds } }),
  markRead: (/** @type {string} */ channelId, /** @type {number} */ seq) => request('PUT', `channels/${id(channelId)}/read`, { body: { seq } }),

  messages: (/** @type {string} */ channelId, /** @type {Record<string,number>} */ query = {}) => request('GET', `channels/${id(channelId)}/messages`, { query: { limit: 50, ...query } }),
  post: (/** @type {string} */ channelId, /** @type {object} */ body) => request('POST', `channels/${id(channelId)}/messages`, { body }),
  edit: (/** @type {string} */ messageId, /** @type {object} */ body) => request('PUT', `messages/${id(messageId)}`, { body }),
  remove: (/** @type {string} */ messageId) => request('DELETE', `messages/${id(messageId)}`),
  thread: (/** @type {string} */ messageId) => request('GET', `messages/${id(messageId)}/thread`),

  react: (/** @type {string} */ messageId, /** @type {string} */ code) => request('PUT', `messages/${id(messageId)}/reactions/${id(code)}`),
  unreact: (/** @type {string} */ messageId, /** @type {string} */ code) => request('DELETE', `messages/${id(messageId)}/reactions/${id(code)}`),
  reactions: () => request('GET', 'reactions'),

  upload: (/** @type {File} */ file) => {
    const form = new FormData();
    form.append('file', file);
    return request('POST', 'files/upload', { form, timeoutMs: 600_000 });
  },

  search: (/** @type {string} */ q, /** @type {string|null} */ cursor) => request('GET', 'search/messages', { query: { q, cursor, limit: 20 } }),
  ask: (/** @type {object} */ body) => request('POST', 'ai/message', { body, timeoutMs: SLOW_TIMEOUT_MS }),

  commands: () => request('GET', 'commands'),
  runCommand: (/** @type {string} */ channelId, /** @type {string} */ text) => request('POST', `channels/${id(channelId)}/commands`, { body: { text } }),
};

/** A whole list, following its cursor. Stops at 20 pages: past 2,000 channels a sidebar is of no use. @param {string} path */
async function everyPage(path) {
  const items = [];
  let cursor = null;
  for (let page = 0; page < 20; page += 1) {
    const part = await request('GET', path, { query: { limit: 100, cursor } });
    items.push(...part.items);
    cursor = part.next_cursor;
    if (!cursor) break;
  }
  return { items };
}

/**
 * Downloads a file. It needs the token, so a plain link cannot do it.
 * @param {{id:string, filename:string}} file
 */
export async function download(file) {
  const response = await send('GET', `files/${id(file.id)}/download`, {});
  if (!response.ok) await answer(response);
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = file.filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
