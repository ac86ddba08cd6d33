/** The signed-in person's corner of the sidebar: who I am, my status, my menu. */
import { nextTheme, openDialog, sidebarOpen, theme } from '../layout.js';
import { cleanName } from '../format.js';
import { adminSections } from '../permissions.js';
import { adminPath, preferencesPath } from '../router.js';
import { signOut } from '../session.js';
import { me, myStatus } from '../store.js';
import { markAllRead } from '../workspace.js';
import { Avatar, PersonName } from './avatar.js';
import { html } from './html.js';
import { Icon, IconButton } from './icon.js';
import { Menu } from './menu.js';

const THEME = { system: { icon: 'screen', label: 'Theme: as the system. Change to light' }, light: { icon: 'sun', label: 'Theme: light. Change to dark' }, dark: { icon: 'moon', label: 'Theme: dark. Change to as the system' } };

export function MyCorner() {
  const text = cleanName(myStatus.value?.text ?? '');
  const close = () => { sidebarOpen.value = false; };
  return html`<div class="me">
    <${Menu} label="Your menu" class="opens-up" items=${[
      { label: text ? 'Change your status' : 'Set a status', icon: 'smile', act: () => openDialog('status') },
      { label: 'Preferences', icon: 'gear', href: preferencesPath(), act: close },
      adminSections(me.value).length > 0 && { label: 'Administration', icon: 'users', href: adminPath(), act: close },
      { label: 'Mark everything read', icon: 'check', act: () => void markAllRead() },
      { label: 'Keyboard', icon: 'slash', act: () => openDialog('keys') },
      { label: 'Sign out', icon: 'exit', act: () => void signOut() },
    ]}>
      <span class="me-av"><${Avatar} user=${me.value} presence /></span>
      <span class="who"><${PersonName} user=${me.value} /><small>${text ? html`<bdi>${text}</bdi>` : `@${me.value?.username ?? ''}`}</small></span>
    </${Menu}>
    <span class="ctl"><${IconButton} icon=${THEME[theme.value].icon} label=${THEME[theme.value].label} onClick=${nextTheme} />
      <a class="icon-btn" href=${preferencesPath()} aria-label="Preferences" title="Preferences" onClick=${close}><${Icon} name="gear" /></a></span></div>`;
}
