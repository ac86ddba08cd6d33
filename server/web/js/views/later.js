/** What is still to come: drafts, scheduled messages, reminders. */
import { changes, changed } from '../changes.js';
import { chat } from '../page_chat_api.js';
import { whenText } from '../clock.js';
import { draftKey, drafts, placeOf, setDraft } from '../drafts.js';
import { receive } from '../events.js';
import { clean, cleanName, plainWords } from '../format.js';
import { openDialog, showThread } from '../layout.js';
import { attempt, notify } from '../notices.js';
import { t } from '../page_words.js';
import { channelPath, navigate } from '../router.js';
import { channels, timelineOf } from '../store.js';
import { clearUploads } from '../uploads.js';
import { Action } from './form.js';
import { html, useState } from './html.js';
import { KeptTabs } from './kept_tabs.js';
import { useLoaded, Waiting } from './loading.js';
import { Page } from './page.js';
import { Block } from './settings.js';
import { channelLabel } from './channel_name.js';
import { Time } from './time.js';

const EXCERPT_CHARACTERS = 240;

export function LaterPage() {
  return html`<${Page} title=${t('drafts_and_later')} nav=${html`<${KeptTabs} />`} actions=${html`<button type="button" class="btn" onClick=${() => openDialog('remind', {})}>${t('new_reminder')}</button>`}>
    <${Drafts} /><${Scheduled} /><${Reminders} /></${Page}>`;
}

/** @param {{where:string, when?:any, text:string, children:any, bad?:string}} props */
function Entry({ where, when, text, children, bad }) {
  return html`<li class="listed plain"><div class="hit-in"><div class="ctx"><b><bdi>${cleanName(where)}</bdi></b>${when}</div>
    <p class="listed-t" dir="auto">${clean(text).slice(0, EXCERPT_CHARACTERS) || t('files_only')}</p>${bad && html`<p class="help bad">${bad}</p>`}<div class="btns">${children}</div></div></li>`;
}

/** @param {string} channelId @param {string|null} [parentId] */
function placeText(channelId, parentId) {
  return `${parentId ? t('thread_in') : ''}${channelLabel({ channel: channels.value.get(channelId) })}`;
}

function Drafts() {
  const list = [...drafts.value].filter(([, text]) => text.trim());
  const open = async (/** @type {import('../drafts.js').Place} */ { channelId, parentId }) => {
    navigate(channelPath(channelId));
    if (!parentId) return;
    const root = timelineOf(channelId).items.find(({ id }) => id === parentId) ?? (await attempt(chat.message(parentId)));
    if (root) showThread(root);
  };
  const throwAway = (/** @type {import('../drafts.js').Place} */ place) => {
    setDraft(place, '', []);
    clearUploads(draftKey(place));
  };
  return html`<${Block} title=${t('drafts')} lead=${list.length ? '' : t('you_have_begun_nothing_that_is')}>
    <ol>${list.map(([key, text]) => {
      const place = placeOf(key);
      return html`<${Entry} key=${key} where=${placeText(place.channelId, place.parentId)} text=${text}>
        <button type="button" class="btn small" onClick=${() => void open(place)}>${t('go_on_writing')}</button><button type="button" class="btn small danger" onClick=${() => throwAway(place)}>${t('throw_away')}</button></${Entry}>`;
    })}</ol></${Block}>`;
}

function Scheduled() {
  const { value, error, reload } = useLoaded(() => chat.scheduledMessages(), [changes.scheduled.value, changes.sight.value]);
  const items = (value?.items ?? []).filter((/** @type {any} */ { state }) => !['sent', 'withdrawn'].includes(state));
  const withdraw = async (/** @type {any} */ { id }) => {
    await chat.withdrawScheduled(id);
    changed('scheduled');
  };
  const sendNow = async (/** @type {any} */ scheduled) => {
    receive(await chat.sendScheduled(scheduled.id));
    changed('scheduled');
    notify(t('it_is_sent'));
  };
  const times = (/** @type {any} */ { send_at: at }) => html` · <${Time} at=${at} text=${whenText} />`;
  return html`<${Block} title=${t('scheduled_messages')} lead=${value && !items.length ? t('none_waits_choose_send_later_beside') : ''}>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<ol>${items.map((/** @type {any} */ one) => html`<${Entry} key=${one.id} where=${placeText(one.channel_id, one.parent_id)} when=${times(one)} text=${one.content} bad=${one.state === 'failed' ? t('not_sent', { value: one.reason_text ?? one.reason ?? '' }) : ''}>
      <button type="button" class="btn small" onClick=${() => openDialog('schedule', one)}>${t('change')}</button>
      <${Action} class="btn small" run=${() => sendNow(one)}>${t('send_now')}</${Action}><${Action} class="btn small danger" run=${() => withdraw(one)}>${t('withdraw')}</${Action}></${Entry}>`)}</ol>`}</${Block}>`;
}

function Reminders() {
  const { value, error, reload } = useLoaded(() => chat.reminders(), [changes.reminders.value, changes.sight.value]);
  const [gone, setGone] = useState(/** @type {string[]} */ ([]));
  const items = (value?.items ?? []).filter((/** @type {any} */ { id, done_at: done }) => !done && !gone.includes(id));
  const remove = async (/** @type {any} */ { id }) => {
    await chat.removeReminder(id);
    setGone([...gone, id]);
  };
  return html`<${Block} title=${t('reminders')} lead=${value && !items.length ? t('nothing_waits_remind_me_stands_in') : ''}>
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<ol>${items.map((/** @type {any} */ { id, text, message, channel_id: channelId, remind_at: at }) => html`<${Entry} key=${id} text=${text || plainWords(message?.content) || t('a_message')}
        where=${channelId || message ? placeText(channelId ?? message.channel_id) : t('for_you')} when=${html` · <${Time} at=${at} text=${whenText} />`}>
      ${message && html`<a class="btn small" href=${channelPath(message.channel_id, message.seq)}>${t('open')}</a>`}<${Action} class="btn small danger" run=${() => remove({ id })}>${t('do_not_remind')}</${Action}></${Entry}>`)}</ol>`}</${Block}>`;
}
