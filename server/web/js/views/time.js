import { fullText, shortText } from '../clock.js';
import { html } from './html.js';

/** A moment: short where it stands, whole where one points at it. @param {{at:string, text?:(instant:string)=>string}} props text: how it is written; for lists by default */
export function Time({ at, text = shortText }) {
  return html`<time datetime=${at} title=${fullText(at)}>${text(at)}</time>`;
}
