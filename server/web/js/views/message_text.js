import { html } from './html.js';
import { RenderedText } from './rendered.js';
import { lazy } from './lazy.js';

const FormattedText = lazy(() => import('./text.js'), 'FormattedText', { quiet: true, inChannel: true });

/**
 * A message's words wherever it is shown: as the server rendered them; by this client's own rules where it did not, as for a server before this.
 * @param {{message:Pick<import('../timeline.js').Message,'html'|'content'>}} props
 */
export function MessageText({ message }) {
  return message.html ? html`<${RenderedText} markup=${message.html} />` : html`<${FormattedText} text=${message.content} />`;
}
