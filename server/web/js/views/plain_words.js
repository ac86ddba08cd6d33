import { signal } from '../../vendor/signals-core.js';
import { cleanName } from '../clean.js';

/** What takes the marks away. It comes after the first page. */
const formatter = signal(/** @type {((text:unknown) => string)|null} */ (null));
let asked = false;

/** The words of a text without its marks, for a line of it; until that can be told, as it was written. @param {{text:unknown, most:number, none:string}} props most: characters; none: said of an empty text */
export function PlainWords({ text, most, none }) {
  if (!asked) {
    asked = true;
    import('../format.js').then(({ plainWords }) => { formatter.value = plainWords; }, () => { asked = false; });
  }
  return (formatter.value ?? cleanName)(text).slice(0, most) || none;
}
