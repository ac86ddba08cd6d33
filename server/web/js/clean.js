/** What other people wrote, made harmless to draw. */

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
// Embeddings, overrides and isolates: they reorder the text around them (spoofed file names and links).
const BIDI_CONTROL = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Removes characters that draw nothing but disturb what is drawn. Newlines and tabs stay.
 * @param {unknown} text
 */
export function clean(text) {
  return String(text ?? '').replace(/\r\n?/g, '\n').replace(CONTROL, '').replace(BIDI_CONTROL, '');
}

/**
 * A name on one line.
 * @param {unknown} text
 */
export function cleanName(text) {
  return clean(text).replace(/[\s\u2028\u2029]+/g, ' ').trim();
}

/**
 * The address if a click on it is harmless, else null. Only http, https and mailto: "javascript:" runs code. None with a name
 * or a password in it: "https://bank.example@other.example" leads to where it does not seem to, and a click would sign in there.
 * @param {string} address
 */
export function safeHref(address) {
  try {
    const { protocol, href, username, password } = new URL(address);
    return ['http:', 'https:', 'mailto:'].includes(protocol) && !username && !password ? href : null;
  } catch {
    return null;
  }
}
