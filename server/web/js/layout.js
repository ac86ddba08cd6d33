/** What is open on screen beside the channel: the right pane, the dialog, the sidebar of narrow windows, the theme. */
import { effect, signal } from '../vendor/signals-core.js';
import { lostChannel } from './changes.js';
import { route } from './router.js';
import { onLeave } from './session.js';
import { thread } from './store.js';
import { openThread } from './pages.js';

/** @typedef {'switcher'|'create'|'browse'|'direct'|'invite'|'details'|'keys'|'status'|'forward'|'history'|'remind'|'schedule'|'lightbox'|'reactions'|'reactors'} DialogName */

export const panel = signal(/** @type {''|'assistant'|'inbox'|'mentions'|'thread'|'pins'} */ (''));
export const dialog = signal(/** @type {DialogName|''} */ (''));
/** What the open dialog is about: a message, a file, a composer. */
export const dialogSubject = signal(/** @type {any} */ (null));
export const sidebarOpen = signal(false);
/** The message that is being edited. */
export const editing = signal('');
/** What is written there so far: the editor itself goes whenever the messages are read anew. */
export const edited = signal({ id: '', text: '' });
/** Marked after a jump: the message with this seq of the channel on screen. */
export const markedSeq = signal(0);
/** The same when a source of an answer was followed: generated text has a colour of its own, and so has what it cites. */
export const citedSeq = signal(0);

/** @param {DialogName|''} name @param {any} [subject] */
export function openDialog(name, subject = null) {
  sidebarOpen.value = false;
  dialogSubject.value = subject;
  dialog.value = name;
}

export function closeEditor() {
  editing.value = '';
  edited.value = { id: '', text: '' };
}
onLeave(closeEditor);

export function closePanel() {
  panel.value = '';
  thread.value = null;
}

export function toggleAssistant() {
  toggle('assistant');
}

export function toggleInbox() {
  toggle('inbox');
}

export function toggleMentions() {
  toggle('mentions');
}

export function togglePins() {
  toggle('pins');
}

/** @param {'assistant'|'inbox'|'mentions'|'pins'} name */
function toggle(name) {
  const next = panel.value === name ? '' : name;
  closePanel();
  panel.value = next;
  sidebarOpen.value = false;
}

/** @param {import('./timeline.js').Message} message a root, or one of its replies */
export function showThread(message) {
  panel.value = 'thread';
  void openThread(message.parent_id ?? message.id, message.channel_id);
}

// What is open of a channel that I lost sight of closes.
effect(() => {
  const { id: lost } = lostChannel.value;
  if (!lost) return;
  const here = route.peek().channelId === lost;
  if ((panel.peek() === 'thread' && !thread.peek()) || (panel.peek() === 'pins' && here)) closePanel();
  if (dialogSubject.peek()?.channel_id === lost || (dialog.peek() === 'details' && here)) dialog.value = '';
});

/** True when the right pane covers the channel. */
export function isNarrow() {
  return matchMedia('(max-width: 1180px)').matches;
}

const THEME_KEY = 'confab-theme';
/** @typedef {'system'|'light'|'dark'} Theme */
export const theme = signal(/** @type {Theme} */ (readTheme()));

/** @returns {Theme} */
function readTheme() {
  const stored = globalThis.localStorage?.getItem(THEME_KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export function nextTheme() {
  const order = /** @type {Theme[]} */ (['system', 'light', 'dark']);
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length];
}

const DENSITY_KEY = 'confab-density';
/** How close lines stand. */
export const density = signal(/** @type {'comfortable'|'compact'} */ (globalThis.localStorage?.getItem(DENSITY_KEY) === 'compact' ? 'compact' : 'comfortable'));

/** Keeps the document in the chosen theme and density. "system" leaves the choice to the browser. */
export function startTheme() {
  effect(() => {
    if (theme.value === 'system') {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem(THEME_KEY);
    } else {
      document.documentElement.dataset.theme = theme.value;
      localStorage.setItem(THEME_KEY, theme.value);
    }
  });
  effect(() => {
    if (density.value === 'compact') {
      document.documentElement.dataset.density = 'compact';
      localStorage.setItem(DENSITY_KEY, 'compact');
    } else {
      delete document.documentElement.dataset.density;
      localStorage.removeItem(DENSITY_KEY);
    }
  });
}
