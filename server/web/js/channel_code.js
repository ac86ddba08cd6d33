/** The code that lets people into a channel, and the link that carries it. */

/** The link's code stands after "#": what stands there is never sent to a server by following it. @param {string} code */
export function joinAddress(code) {
  return new URL(`/join#${encodeURIComponent(code)}`, location.origin).href;
}

/** What somebody pasted: a code, or a link that ends in one. @param {string} text */
export function codeIn(text) {
  const words = text.trim();
  const found = /[#/=]([^#/=]+)$/.exec(words);
  try {
    return decodeURIComponent(/^https?:\/\/|^\//.test(words) && found ? found[1] : words);
  } catch {
    return words;
  }
}
