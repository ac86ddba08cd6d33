/** The way between the two pages of what I keep: one row of the list stands for both. */
import { t } from '../page_words.js';
import { laterPath, route } from '../router.js';
import { html } from './html.js';

export function KeptTabs() {
  const pages = [['saved', '/saved', t('saved')], ['later', laterPath(), t('drafts_and_later')]];
  return html`<nav class="tabs" aria-label=${t('what_you_keep')}>${pages.map(([name, path, title]) => html`<a key=${name} class="tab" href=${path} aria-current=${route.value.name === name ? 'page' : undefined}>${title}</a>`)}</nav>`;
}
