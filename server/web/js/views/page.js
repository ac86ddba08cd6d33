import { sidebarOpen } from '../layout.js';
import { t } from '../page_words.js';
import { html, useEffect, useRef } from './html.js';
import { IconButton } from './icon.js';

/** A page of the workspace beside its channels. @param {{title:string, lead?:any, actions?:any, children:any, nav?:any}} props nav: the way to pages of the same kind */
export function Page({ title, lead, actions, children, nav }) {
  const heading = useRef(/** @type {HTMLElement|null} */ (null));
  // Whoever followed a link by keyboard or by ear is told where they came to.
  useEffect(() => heading.current?.focus(), []);
  return html`<main class="page settings" id="main" tabindex="-1"><div class="wrap listing">
    <header class="set-h"><${IconButton} icon="menu" label=${t('open_channel_list')} class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} /><h1 ref=${heading} tabindex="-1">${title}</h1>${actions && html`<span class="acts">${actions}</span>`}</header>
    ${nav}
    ${lead && html`<p class="lead">${lead}</p>`}
    ${children}
  </div></main>`;
}
