/** A channel opened for a while by a superuser who is no member of it, with a reason that stays. */
import { ApiError } from '../../api.js';
import { api } from '../../page_api.js';
import { chat } from '../../page_chat_api.js';
import { shortText } from '../../clock.js';
import { cleanName } from '../../format.js';
import { channelTitle } from '../../names.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { channelPath } from '../../router.js';
import { channels, isConversation, putChannel } from '../../store.js';
import { Choice, Field, FormError, TextArea } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useEffect } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Block } from '../settings.js';
import { Table } from '../table.js';
import { Time } from '../time.js';
import { PersonById } from './invitations.js';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** @type {[string, string][]} */
const HOURS = [['1', t('n_1_hour')], ['2', t('n_2_hours')], ['4', t('n_4_hours')], ['8', t('n_8_hours')], ['24', t('n_24_hours')]];

export function BreakGlass() {
  const opened = useLoaded(() => api.breakGlass());
  const known = useLoaded(() => chat.channels({ limit: 100 }).catch(() => ({ items: [] })));
  // A private channel has a name for me as long as it is open to me.
  const openIds = (opened.value?.items ?? []).filter(isOpen).map((/** @type {any} */ row) => row.channel_id);
  useEffect(() => {
    for (const id of openIds) if (!channels.value.has(id)) chat.channel(id).then((channel) => putChannel({ role: null, ...channel }), () => {});
  }, [openIds.join()]);
  const nameOf = (/** @type {string} */ id) => {
    const channel = known.value?.items.find((/** @type {any} */ one) => one.id === id) ?? channels.value.get(id);
    return channel ? `${isConversation(channel) ? '' : '#'}${cleanName(channelTitle(channel))}` : id;
  };
  const end = async (/** @type {any} */ row) => {
    await api.endBreakGlass(row.id);
    await opened.reload();
    notify(t('the_channel_is_closed_to_you'));
  };
  const columns = [
    { name: t('channel'), class: 'wrap-any', cell: (/** @type {any} */ row) => (isOpen(row) ? html`<a class="inline-link" href=${channelPath(row.channel_id)}>${nameOf(row.channel_id)}</a>` : nameOf(row.channel_id)) },
    { name: t('by'), cell: (/** @type {any} */ row) => html`<${PersonById} userId=${row.user_id} /><small>${shortText(row.created_at)}</small>` },
    { name: t('reason'), class: 'wrap-any', cell: (/** @type {any} */ row) => html`<bdi>${cleanName(row.reason)}</bdi>` },
    { name: t('state'), cell: (/** @type {any} */ row) => (isOpen(row) ? html`<span class="pill warn">${t('open')}</span><small>${t('until_2')} <${Time} at=${row.expires_at} /></small>`
      : html`<span class="pill info">${t('ended')}</span><small>${shortText(row.ended_at ?? row.expires_at)}</small>`) },
    { name: t('actions'), silent: true, class: 'end', cell: (/** @type {any} */ row) => isOpen(row) && html`<${Action} class="btn small" label=${t('end_the_opening_of', { name: nameOf(row.channel_id) })} run=${() => end(row)}>${t('end')}</${Action}>` },
  ];
  const items = opened.value?.items ?? [];
  return html`<${Block} title=${t('break_glass')} lead=${t('read_a_channel_you_are_not')}>
    <${Opening} channels=${known.value?.items ?? []} opened=${opened.reload} />
    ${!opened.value ? html`<${Waiting} ...${opened} />` : html`<${Table} label=${t('opened_channels')} columns=${columns} rows=${items} />`}
  </${Block}>`;
}

/** @param {any} row */
function isOpen(row) {
  return !row.ended_at && new Date(row.expires_at) > new Date();
}

/** @param {{channels:any[], opened:()=>Promise<void>}} props */
function Opening({ channels: offered, opened }) {
  const open = async (/** @type {any} */ { channel_id: channel, reason, hours }) => {
    const text = channel.trim().replace(/^#/, '');
    const id = ID.test(text) ? text : offered.find((one) => one.name === text)?.id;
    // Nobody is shown the names of private channels that they are not in, a superuser neither.
    if (!id) throw new ApiError(0, '', { fields: { channel_id: t('you_see_no_channel_of_this') } });
    return api.openBreakGlass({ channel_id: id, reason: reason.trim(), hours: Number(hours) });
  };
  const form = useForm({ channel_id: '', reason: '', hours: '1' }, open, {
    done: () => {
      form.reset();
      notify(t('the_channel_is_open_to_you'));
      void opened();
    },
  });
  const { field, busy, message, onSubmit } = form;
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <div class="two"><${Field} ...${field('channel_id', 'glass-')} label=${t('channel')} required list="glass-channels" autocomplete="off" placeholder=${t('name_or_id')} />
      <${Choice} ...${field('hours', 'glass-')} label=${t('for')} options=${HOURS} /></div>
    <datalist id="glass-channels">${offered.filter((channel) => !isConversation(channel)).map((channel) => html`<option key=${channel.id} value=${channel.name}></option>`)}</datalist>
    <${TextArea} ...${field('reason', 'glass-')} label=${t('reason')} required minlength="10" maxlength="500" rows="2" help=${t('at_least_ten_characters')} />
    <div class="btns"><${Submit} busy=${busy} class="btn">${t('open_the_channel')}</${Submit}></div>
  </form>`;
}
