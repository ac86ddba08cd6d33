/** Sending a body of which one wants to know how much has left. */
import { ApiError, Cancelled } from './api.js';
import { t } from './words.js';

/**
 * By the older interface, the only one that tells.
 * @param {string} method @param {URL} address @param {Record<string,string>} headers @param {any} content
 * @param {{timeoutMs:number, signal?:AbortSignal, progress:(sent:number)=>void}} options
 * @returns {Promise<Response>}
 */
export function transfer(method, address, headers, content, { timeoutMs, signal, progress }) {
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
