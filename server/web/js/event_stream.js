/** An answer that comes in events while it is made. */
import { ApiError, Cancelled } from './api.js';
import { fieldSentence } from './refusal.js';
import { t } from './channel_words.js';

/** The answer at the end of a stream. @param {ReadableStream<Uint8Array>} body @param {(kind:string, data:any)=>void} events @param {AbortSignal} [signal] */
export async function told(body, events, signal) {
  /** @type {any} */
  let last = null;
  try {
    await readEvents(body, (kind, data) => {
      if (kind === 'done' || kind === 'error') last = { kind, data };
      else events(kind, data);
    });
  } catch {
    if (signal?.aborted) throw new Cancelled();
  }
  if (last?.kind === 'done') return last.data;
  throw last ? new ApiError(200, fieldSentence('', last.data.message), { code: last.data.code }) : new ApiError(0, t('the_server_could_not_be_reached'));
}

/**
 * Reads to the end.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(kind:string, data:any)=>void} each told of every event in order
 */
async function readEvents(body, each) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += value;
    for (let end = waiting.indexOf('\n\n'); end >= 0; end = waiting.indexOf('\n\n')) {
      const lines = waiting.slice(0, end).split('\n');
      waiting = waiting.slice(end + 2);
      const field = (/** @type {string} */ name) => lines.find((line) => line.startsWith(name))?.slice(name.length);
      const data = field('data: ');
      // Without data it only keeps the line open.
      if (data !== undefined) each(field('event: ') ?? '', JSON.parse(data));
    }
  }
}
