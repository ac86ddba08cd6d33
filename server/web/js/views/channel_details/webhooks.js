/** Addresses by which other programs write into the channel. */
import { chat } from '../../page_chat_api.js';
import { cleanName } from '../../format.js';
import { notify } from '../../notices.js';
import { t } from '../../page_words.js';
import { Field, FormError } from '../field.js';
import { Action, Submit, useForm } from '../form.js';
import { html, useState } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { Secret } from '../secret.js';
import { Time } from '../time.js';

/** @param {{channel:import('../../store.js').Channel}} props */
export function ChannelWebhooks({ channel }) {
  const { value, error, reload } = useLoaded(() => chat.webhooks(channel.id), [channel.id]);
  const [shown, setShown] = useState(/** @type {any} the one whose address is known here */ (null));
  const show = async (/** @type {any} */ answer) => {
    setShown(answer);
    await reload();
  };
  const remove = async (/** @type {any} */ { id }) => {
    await chat.deleteWebhook(channel.id, id);
    if (shown?.id === id) setShown(null);
    await reload();
    notify(t('that_webhook_is_gone'));
  };
  const items = value?.items ?? [];
  return html`<${NewWebhook} channel=${channel} made=${show} />
    ${shown && html`<div class="once" role="status"><${Secret} id="webhook-address" label=${t('address_of_the_webhook', { name: cleanName(shown.name) })} value=${shown.url} help=${t('whoever_knows_it_writes_here')} /></div>`}
    <h3 class="src-h">${t('webhooks')}</h3>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : items.length ? html`<ul class="pick">${items.map((/** @type {any} */ row) => html`<li key=${row.id}><span class="pick-t wraps"><b><bdi>${cleanName(row.name)}</bdi></b>
        <small>${row.last_used_at ? html`${t('last_used')} <${Time} at=${row.last_used_at} />` : t('not_used_yet')}</small></span>
      <${Action} class="btn small" label=${t('new_address_for', { name: cleanName(row.name) })} run=${async () => show(await chat.rotateWebhook(channel.id, row.id))}>${t('new_address')}</${Action}>
      <${Action} class="btn small danger" label=${t('delete_the_webhook', { name: cleanName(row.name) })} run=${() => remove(row)}>${t('delete')}</${Action}></li>`)}</ul>` : html`<p class="lead">${t('there_is_none')}</p>`}`;
}

/** @param {{channel:import('../../store.js').Channel, made:(answer:any)=>Promise<void>}} props */
function NewWebhook({ channel, made }) {
  const create = (/** @type {any} */ { name }) => chat.makeWebhook(channel.id, { name: name.trim() });
  const form = useForm({ name: '' }, create, {
    done: (answer) => {
      void made(answer);
      form.reset();
    },
  });
  const { field, busy, message, onSubmit } = form;
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <p class="lead">${t('other_programs_write_here_by_a_webhook')}</p>
    <${Field} ...${field('name', 'webhook-')} label=${t('name')} help=${t('what_its_messages_are_signed_with')} maxlength="80" required />
    <div class="btns"><${Submit} busy=${busy} class="btn primary">${t('make_a_webhook')}</${Submit}></div>
  </form>`;
}
