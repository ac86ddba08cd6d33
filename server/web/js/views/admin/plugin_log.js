/** What a plugin said of itself, the newest first: opened from the plugins and from the overview. */
import { cleanName } from '../../format.js';
import { t } from '../../page_words.js';
import { plugins } from '../../plugin_api.js';
import { Dialog } from '../dialog.js';
import { html } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { Table } from '../table.js';
import { Time } from '../time.js';

/** @param {{plugin:any, close:()=>void}} props */
export function PluginLog({ plugin, close }) {
  const list = usePages((/** @type {string|null} */ cursor) => plugins.logs(plugin.id, cursor), plugin.id);
  const rows = [
    { name: t('when'), cell: (/** @type {any} */ line) => html`<${Time} at=${line.created_at} />` },
    { name: t('level'), cell: (/** @type {any} */ line) => html`<span class=${line.level === 'error' ? 'pill bad' : 'pill'}>${line.level}</span>` },
    { name: t('what_it_said'), cell: (/** @type {any} */ line) => html`<bdi>${line.content}</bdi>` },
  ];
  return html`<${Dialog} title=${t('log_of', { name: cleanName(plugin.name) })} onClose=${close} class="tall"><div class="dialog-b">
    ${list.items.length > 0 && html`<${Table} label=${t('log')} columns=${rows} rows=${list.items} />`}
    <${PagesEnd} list=${list} none=${t('it_has_said_nothing')} />
  </div></${Dialog}>`;
}
