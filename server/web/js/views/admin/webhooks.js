/** Programs that write here: webhooks of open channels, and bots. */
import { api } from '../../page_api.js';
import { chat } from '../../page_chat_api.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { may } from '../../permissions.js';
import { channelPath } from '../../router.js';
import { me } from '../../store.js';
import { Confirm } from '../dialog.js';
import { html, useState } from '../html.js';
import { PagesEnd, usePages } from '../loading.js';
import { Block, SettingsPage } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';
import { NewAccount } from './new_account.js';
import { accountColumns } from './people.js';
import { PersonDialog } from './person.js';

const PAGE = 50;

export function Webhooks() {
  const [making, setMaking] = useState(false);
  const [open, setOpen] = useState(/** @type {any} */ (null));
  const bots = usePages((cursor) => api.accounts({ state: 'bots', cursor, limit: PAGE }), '');
  const changed = (/** @type {any} */ account) => {
    bots.change((items) => items.map((known) => (known.id === account.id ? account : known)));
    setOpen((/** @type {any} */ shown) => (shown?.id === account.id ? account : shown));
  };
  const actions = may(me.value, 'bots.manage') && html`<button type="button" class="btn primary" onClick=${() => setMaking(true)}>${t('new_bot')}</button>`;
  return html`<${SettingsPage} title=${t('webhooks_and_bots')} wide lead=${t('programs_write_as_bots')} actions=${actions}>
    ${me.value?.is_superuser && html`<${Hooks} />`}
    <${Block} title=${t('bots')}>
      <${Table} label=${t('bots')} columns=${accountColumns(setOpen, false)} rows=${bots.items} />
      <${PagesEnd} list=${bots} none=${t('there_is_none')} />
    </${Block}>
    ${open && html`<${PersonDialog} key=${open.id} person=${open} changed=${changed} close=${() => setOpen(null)} />`}
    ${making && html`<${NewAccount} bot made=${(/** @type {any} */ account) => bots.change((items) => [account, ...items])} close=${() => setMaking(false)} open=${setOpen} />`}
  </${SettingsPage}>`;
}

/** Those of open channels; a private channel's are its owners' business. */
function Hooks() {
  const list = usePages((cursor) => api.everyWebhook(cursor), '');
  const [leaving, setLeaving] = useState(/** @type {any} */ (null));
  const remove = async () => {
    await chat.deleteWebhook(leaving.channel_id, leaving.id);
    list.change((items) => items.filter(({ id }) => id !== leaving.id));
    notify(t('that_webhook_is_gone'));
  };
  /** @type {import('../table.js').Column[]} */
  const columns = [
    { name: t('webhook'), cell: (hook) => html`<b><bdi>${cleanName(hook.name)}</bdi></b>` },
    { name: t('writes_in'), cell: (hook) => html`<a class="inline-link" href=${channelPath(hook.channel_id)}><bdi>#${cleanName(hook.channel_name)}</bdi></a>` },
    { name: t('responsible'), cell: (hook) => html`<bdi>@${hook.created_by}</bdi>` },
    { name: t('last_used'), cell: (hook) => (hook.last_used_at ? html`<${Time} at=${hook.last_used_at} />` : html`<span class="dim">${t('not_used_yet')}</span>`) },
    { name: t('actions'), silent: true, class: 'end', cell: (hook) => html`<button type="button" class="btn small danger" aria-label=${t('delete_the_webhook', { name: cleanName(hook.name) })} onClick=${() => setLeaving(hook)}>${t('delete')}</button>` },
  ];
  return html`<${Block} title=${t('webhooks')} lead=${t('webhooks_are_made_in_channels')}>
    <${Table} label=${t('webhooks')} columns=${columns} rows=${list.items} />
    <${PagesEnd} list=${list} none=${t('there_is_none')} />
    ${leaving && html`<${Confirm} title=${t('delete_the_webhook', { name: cleanName(leaving.name) })} action=${t('delete')} run=${remove} close=${() => setLeaving(null)}><p>${t('its_address_is_worth_nothing')}</p></${Confirm}>`}
  </${Block}>`;
}
