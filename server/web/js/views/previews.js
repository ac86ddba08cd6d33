import { cleanName, safeHref } from '../clean.js';
import { html } from './html.js';

/** What the links of a message lead to, as their pages say it. Nothing of it is loaded from there. @param {{message:import('../timeline.js').Message}} props */
export function Previews({ message }) {
  if (message.deleted_at || !message.previews?.length) return null;
  return message.previews.map((/** @type {any} */ { url, title, description, site_name: site }) => {
    const address = safeHref(url);
    return address && html`<a key=${url} class="quoted" href=${address} target="_blank" rel="noopener noreferrer nofollow">${site && html`<span class="quoted-h"><bdi>${cleanName(site)}</bdi></span>`}
      <b class="preview-t"><bdi>${cleanName(title || url)}</bdi></b>${description && html`<span class="quoted-t" dir="auto">${cleanName(description)}</span>`}</a>`;
  });
}
