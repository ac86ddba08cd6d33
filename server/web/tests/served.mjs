/** A server that the test plays: what was asked of it, in order, each with its answer to be given. */
import { mock } from 'node:test';

/** @typedef {{method:string, path:string, query:URLSearchParams, body:any, say:(body:any, status?:number, headers?:Record<string,string>) => Promise<void>, page:(text:string, status?:number) => Promise<void>, cut:() => Promise<void>, fail:() => Promise<void>}} Request page: what stands before the server answers; cut: the line breaks in the middle of the answer */

/** @type {Request[]} */
export const asked = [];

/** Whatever was begun by an answer has come to rest. */
export async function turns() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Those to a path that ends so. @param {string} end @param {string} [method] */
export function asksFor(end, method) {
  return asked.filter((request) => request.path.endsWith(end) && (!method || request.method === method));
}

function storage() {
  const kept = new Map();
  return { kept, getItem: (/** @type {string} */ key) => kept.get(key) ?? null, setItem: (/** @type {string} */ key, /** @type {string} */ text) => kept.set(key, text), removeItem: (/** @type {string} */ key) => kept.delete(key) };
}

/** A browser has locks between its tabs, or not, on plain http. @param {boolean} has */
export function useLocks(has) {
  let last = Promise.resolve();
  const locks = { request: (/** @type {string} */ _name, /** @type {() => Promise<any>} */ work) => { const turn = last.then(work); last = turn.catch(() => {}); return turn; } };
  Object.defineProperty(globalThis, 'navigator', { value: has ? { locks } : {}, configurable: true });
}

/** What a browser has and node has not. */
export function startBrowser() {
  const page = { sessionStorage: storage(), localStorage: storage(), reloads: 0 };
  Object.assign(globalThis, {
    sessionStorage: page.sessionStorage, localStorage: page.localStorage, window: globalThis,
    location: Object.assign(new URL('http://server/'), { reload: () => { page.reloads += 1; } }),
    history: { pushState: () => {}, replaceState: () => {} },
    WebSocket: class { close() {} },
  });
  useLocks(true);
  mock.method(globalThis, 'fetch', (/** @type {any} */ address, /** @type {any} */ options) => new Promise((resolve, reject) => {
    const { pathname, searchParams } = new URL(String(address));
    options.signal?.addEventListener('abort', () => reject(new TypeError('aborted')));
    const ended = (/** @type {() => void} */ how) => { how(); return turns(); };
    asked.push({
      method: options.method, path: pathname, query: searchParams, body: options.body ? JSON.parse(options.body) : null,
      say: (body, status = 200, headers = {}) => ended(() => resolve(status === 204 ? new Response(null, { status }) : Response.json(body, { status, headers }))),
      page: (text, status = 200) => ended(() => resolve(new Response(text, { status }))),
      cut: () => ended(() => resolve(new Response(new ReadableStream({ pull: (body) => body.error(new TypeError('network error')) })))),
      fail: () => ended(() => reject(new TypeError('fetch failed'))),
    });
  }));
  return page;
}
