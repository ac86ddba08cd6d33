/** The dialogs of the workspace. Each one's code comes when it is first opened. */
import { html } from './html.js';
import { lazy } from './lazy.js';
import { PendingMessage } from './log.js';
import { Editor, MessageTools } from './message.js';
import { picker } from './reactions.js';

/** @param {() => Promise<Record<string, any>>} load @param {string} name */
const from = (load, name) => lazy(load, name, { quiet: true });

const Picker = from(() => import('./picker.js'), 'Picker');

const DIALOGS = /** @type {Record<import('../layout.js').DialogName, any>} */ ({
  switcher: from(() => import('./switcher.js'), 'Switcher'),
  create: from(() => import('./dialogs/create_channel.js'), 'CreateChannel'),
  browse: from(() => import('./dialogs/browse.js'), 'BrowseChannels'),
  direct: from(() => import('./dialogs/direct.js'), 'NewDirect'),
  invite: from(() => import('./dialogs/invite.js'), 'Invite'),
  details: from(() => import('./channel_details.js'), 'ChannelDetails'),
  keys: from(() => import('./dialogs/keys.js'), 'Keys'),
  status: from(() => import('./status_dialog.js'), 'StatusDialog'),
  forward: from(() => import('./dialogs/forward.js'), 'Forward'),
  history: from(() => import('./dialogs/history.js'), 'History'),
  remind: from(() => import('./dialogs/remind.js'), 'Remind'),
  schedule: from(() => import('./dialogs/schedule.js'), 'Schedule'),
  lightbox: from(() => import('./lightbox.js'), 'Lightbox'),
  reactions: from(() => import('./dialogs/reactions.js'), 'CustomReactions'),
  reactors: from(() => import('./dialogs/reactors.js'), 'Reactors'),
});

/**
 * Who opens the list of channels or a thread by a key types on at once: its code must be there before, or the words go where the focus was.
 * @param {{ahead:() => void}} pane
 */
export function fetchAhead(pane) {
  (globalThis.requestIdleCallback ?? setTimeout)(() => { DIALOGS.switcher.ahead(); Picker.ahead(); MessageTools.ahead(); Editor.ahead(); PendingMessage.ahead(); pane.ahead(); });
}

/** @param {{name:import('../layout.js').DialogName | ''}} props */
export function Dialogs({ name }) {
  const Open = name ? DIALOGS[name] : null;
  return html`${Open && html`<${Open} key=${name} />`}${picker.value && html`<${Picker} />`}`;
}
