/** An answer that comes in events while it is made. */

/**
 * Reads to the end.
 * @param {ReadableStream<Uint8Array>} body
 * @param {(kind:string, data:any)=>void} each told of every event in order
 */
export async function readEvents(body, each) {
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
