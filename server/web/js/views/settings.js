/** The frame of the preferences and the administration: their sidebar, and the page around a section. */
import { api } from '../page_api.js';
import { cleanName } from '../format.js';
import { sidebarOpen } from '../layout.js';
import { t } from '../page_words.js';
import { administers, may } from '../permissions.js';
import { plugins, wantsAttention } from '../plugin_api.js';
import { adminPath, navigate, preferencesPath, route } from '../router.js';
import { adminSections, PREFERENCES } from '../sections.js';
import { number } from '../server_figures.js';
import { info, me } from '../store.js';
import { html, useEffect, useRef } from './html.js';
import { Icon, IconButton } from './icon.js';
import { useLoaded } from './loading.js';
import { MyCorner } from './me.js';

/** What is on screen: which group of sections, and which section of it. */
export function currentSection() {
  const admin = route.value.name === 'admin';
  const sections = admin ? adminSections(me.value) : PREFERENCES;
  const wanted = route.value.section || sections[0]?.name;
  return { admin, sections, path: admin ? adminPath : preferencesPath, section: sections.find(({ name }) => name === wanted) };
}

export function SettingsSide() {
  const { admin, sections, path, section } = currentSection();
  const close = (/** @type {Event} */ event) => { if (/** @type {Element} */ (event.target).closest('a')) sidebarOpen.value = false; };
  return html`<nav class="side" aria-label=${admin ? t('administration') : t('preferences')}>
    <div class="ws"><div class="ws-t"><span class="name">${admin ? t('administration') : t('preferences')}</span><span class="sub">${cleanName(info.value?.name ?? 'Confab')}</span></div></div>
    <div class="side-scroll" onClick=${close}>
      ${sections.map(({ name, title, icon }) => html`<a key=${name} class="row" href=${path(name)} aria-current=${section?.name === name ? 'page' : undefined}>${!admin && html`<${Icon} name=${icon} />`}<span class="t">${title}</span>${admin && html`<${SectionCount} name=${name} />`}</a>`)}
      <div class="sec"><a class="row" href="/"><${Icon} name="hash" /><span class="t">${t('back_to_the_channels')}</span></a>
        ${!admin && administers(me.value) && html`<a class="row" href=${adminPath()}><${Icon} name="users" /><span class="t">${t('administration')}</span></a>`}</div>
    </div>
    <${MyCorner} />
  </nav>`;
}

/** How many there are, or wait for a word. @param {{name:string}} props */
function SectionCount({ name }) {
  const asks = { people: () => may(me.value, 'server.watch') && api.stats().then((/** @type {any} */ stats) => stats.user_count), plugins: () => may(me.value, 'plugins.manage') && plugins.all().then((/** @type {any} */ list) => list.items.filter(wantsAttention).length) }[name];
  const { value } = useLoaded(async () => asks?.() || 0);
  if (!value) return null;
  return html`<span class="end"><span class=${name === 'people' ? 'badge quiet' : 'badge'}>${number(value)}</span></span>`;
}

/** @param {{title:string, lead?:any, state?:any, actions?:any, children:any, wide?:boolean}} props state: a word beside the heading */
export function SettingsPage({ title, lead, state, actions, children, wide = false }) {
  const heading = useRef(/** @type {HTMLElement|null} */ (null));
  // Whoever followed a link by keyboard or by ear is told where they came to.
  useEffect(() => heading.current?.focus(), []);
  const { sections, path, section } = currentSection();
  return html`<main class="page settings" id="main" tabindex="-1"><div class=${wide ? 'wrap wide' : 'wrap'}>
    <header class="set-h"><${IconButton} icon="menu" label=${t('open_section_list')} class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} />
      <h1 ref=${heading} tabindex="-1">${title}</h1>${state}
      ${sections.length > 1 && html`<label class="set-nav"><span class="sr">${t('section')}</span><select onChange=${(/** @type {any} */ event) => navigate(path(event.target.value))}>
        ${sections.map(({ name, title: text }) => html`<option key=${name} value=${name} selected=${name === section?.name}>${text}</option>`)}</select></label>`}
      ${actions && html`<span class="acts">${actions}</span>`}</header>
    ${lead && html`<p class="lead">${lead}</p>`}
    ${children}
  </div></main>`;
}

/** One subject of a page. @param {{title:string, lead?:any, children?:any, state?:any}} props state: a word beside the heading */
export function Block({ title, lead, children, state }) {
  return html`<section class="block" aria-label=${title}><div class="block-h"><h2>${title}</h2>${state}</div>${lead && html`<p class="lead">${lead}</p>`}${children}</section>`;
}
