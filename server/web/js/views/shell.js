/** The frame of the workspace: sidebar, main, right pane, banner, dialogs, keyboard. */
import { closePanel, dialog, openDialog, panel, sidebarOpen, toggleAssistant } from '../layout.js';
import { live } from '../live.js';
import { waiting } from '../outbox.js';
import { channelPath, navigate, route, searchPath } from '../router.js';
import { channels, channelsLoaded, connection, myChannels, viewing } from '../store.js';
import { t } from '../words.js';
import { ChannelView } from './channel.js';
import { Dialogs, fetchAhead } from './dialogs.js';
import { html, useEffect, useLayoutEffect, useState } from './html.js';
import { IconButton } from './icon.js';
import { lazy } from './lazy.js';
import { Notices } from './notices.js';
import { Sidebar, sidebarOrder } from './sidebar.js';

const Administration = lazy(() => import('./admin.js'), 'Administration');
const Preferences = lazy(() => import('./preferences.js'), 'Preferences');
const SearchPage = lazy(() => import('./search.js'), 'SearchPage');
const ThreadsPage = lazy(() => import('./threads_page.js'), 'ThreadsPage');
const SavedPage = lazy(() => import('./saved.js'), 'SavedPage');
const LaterPage = lazy(() => import('./later.js'), 'LaterPage');
const JoinPage = lazy(() => import('./join.js'), 'JoinPage');
const AssistantPane = lazy(() => import('./assistant.js'), 'AssistantPane', { class: 'panel' });
const ThreadPane = lazy(() => import('./thread.js'), 'ThreadPane', { inChannel: true, class: 'panel' });
const InboxPane = lazy(() => import('./inbox.js'), 'InboxPane', { class: 'panel' });
const PinsPane = lazy(() => import('./pins.js'), 'PinsPane', { class: 'panel' });

/** Pages beside the channels, by the name of their route. */
const PAGES = /** @type {Record<string, any>} */ ({ search: SearchPage, threads: ThreadsPage, saved: SavedPage, later: LaterPage, join: JoinPage, preferences: Preferences, admin: Administration });
/** Where a pane of the right side stands beside the page. */
const WITH_PANEL = ['channel', 'search', 'threads', 'saved', 'later'];

const SettingsSide = lazy(() => import('./settings.js'), 'SettingsSide', { class: 'side' });

const LAST_CHANNEL_KEY = 'confab-last-channel';

export function Shell() {
  // Before the next frame: whoever sees the page may press a key at once.
  useLayoutEffect(() => {
    addEventListener('keydown', onKey);
    fetchAhead(ThreadPane);
    return () => removeEventListener('keydown', onKey);
  }, []);
  useEffect(openSomething, [route.value, channelsLoaded.value, myChannels.value.length]);
  const { name } = route.value;
  const settings = name === 'preferences' || name === 'admin';
  const side = !WITH_PANEL.includes(name) || (panel.value === 'pins' && name !== 'channel') ? '' : panel.value;
  return html`<div class=${`shell ${side ? '' : 'no-panel'} ${sidebarOpen.value ? 'side-open' : ''}`}>
    <a class="skip" href="#main">${settings ? t('skip_to_the_page') : t('skip_to_messages')}</a>
    <${ConnectionBanner} />
    <${settings ? SettingsSide : Sidebar} />
    ${sidebarOpen.value && html`<button class="side-scrim" aria-label=${t('close_the_list')} onClick=${() => { sidebarOpen.value = false; }}></button>`}
    <${Page} />
    ${side === 'assistant' && html`<${AssistantPane} />`}
    ${(side === 'inbox' || side === 'mentions') && html`<${InboxPane} key=${side} mentions=${side === 'mentions'} />`}
    ${side === 'pins' && html`<${PinsPane} />`}
    ${side === 'thread' && html`<${ThreadPane} />`}
    <${Dialogs} name=${dialog.value} />
    <${Notices} />
  </div>`;
}

function Page() {
  const { name, channelId } = route.value;
  if (name === 'channel') return html`<${ChannelView} key=${channelId} channelId=${channelId} />`;
  return PAGES[name] ? html`<${PAGES[name]} />` : html`<${NothingOpen} />`;
}

/** At "/" the channel that was open last opens again, or else the first one. */
function openSomething() {
  const { name, channelId } = route.value;
  if (name === 'channel') localStorage.setItem(LAST_CHANNEL_KEY, channelId);
  if (!['home', 'missing'].includes(name) || !channelsLoaded.value || !myChannels.value.length) return;
  const last = channels.value.get(localStorage.getItem(LAST_CHANNEL_KEY) ?? '');
  const first = myChannels.value.find((channel) => channel.name === 'general') ?? sidebarOrder()[0];
  navigate(channelPath((last?.role ? last : first).id), { replace: true });
}

function NothingOpen() {
  return html`<main class="main" id="main"><header class="top"><${IconButton} icon="menu" label=${t('open_channel_list')} class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} /></header>
    <div class="empty">${channelsLoaded.value && !myChannels.value.length
      ? html`<h1>${t('no_channels_yet')}</h1><p>${t('join_a_public_channel_or_create')}</p>
        <p class="row-btns"><button class="btn primary" onClick=${() => openDialog('browse')}>${t('browse_channels')}</button><button class="btn" onClick=${() => openDialog('create')}>${t('create_a_channel')}</button></p>`
      : html`<p role="status">${t('loading')}</p>`}</div></main>`;
}

/** Shown when the connection has been away for a moment: a short hiccup is not worth a banner. */
function ConnectionBanner() {
  const { status, retryAt, reason } = connection.value;
  const [seconds, setSeconds] = useState(0);
  const [due, setDue] = useState(false);
  const away = status !== 'online';
  useEffect(() => {
    setDue(false);
    if (!away) return undefined;
    const timer = setTimeout(() => setDue(true), 1_500);
    return () => clearTimeout(timer);
  }, [away]);
  useEffect(() => {
    const tick = () => setSeconds(Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [retryAt]);
  if (reason === 'protocol') {
    return html`<div class="banner" role="alert">${t('this_page_is_older_than_the')} <button onClick=${() => location.reload()}>${t('reload')}</button></div>`;
  }
  if (!away || !due) return null;
  const count = waiting().length;
  return html`<div class="banner" role="status"><span class="spin" aria-hidden="true"></span>
    ${t('connection_lost')} ${status === 'offline' && seconds > 0 ? t('reconnecting_in', { seconds }) : t('reconnecting')}${count ? `; ${t('messages_wait', { count })}` : ''}.
    <button onClick=${() => live.value?.retryNow()}>${t('try_now')}</button></div>`;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const command = event.metaKey || event.ctrlKey;
  const typing = /** @type {Element} */ (event.target).closest?.('input, textarea, select, [contenteditable]');
  const key = event.key.toLowerCase();
  if (!dialog.value && document.querySelector('dialog[open]')) return undefined; // the dialog of a page: nothing opens over it
  if (command && !event.shiftKey && key === 'k') return act(event, () => openDialog(dialog.value === 'switcher' ? '' : 'switcher'));
  if (command && !event.shiftKey && key === 'j') return act(event, toggleAssistant);
  if (dialog.value) return undefined;
  if (event.altKey && !command && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) return act(event, () => step(event.key === 'ArrowDown' ? 1 : -1, event.shiftKey));
  if (event.key === 'Escape' && !event.defaultPrevented && panel.value) return act(event, closePanel);
  if (typing || command || event.altKey) return undefined;
  if (event.key === '/') return act(event, () => navigate(searchPath('')));
  if (event.key === '?') return act(event, () => openDialog('keys'));
  return undefined;
}

/** @param {Event} event @param {() => void} action */
function act(event, action) {
  event.preventDefault();
  action();
}

/** To the next channel of the sidebar. @param {1|-1} direction @param {boolean} unreadOnly */
function step(direction, unreadOnly) {
  const order = sidebarOrder();
  const from = order.findIndex((channel) => channel.id === (route.value.channelId || viewing.value.channelId));
  for (let offset = 1; offset <= order.length; offset += 1) {
    const next = order[(from + direction * offset + order.length * 2) % order.length];
    if (!unreadOnly || next.unread_count) return navigate(channelPath(next.id));
  }
  return undefined;
}
