/** The signed-in person's corner of the sidebar: who I am, my status, my menu. */
import { nextTheme, openDialog, sidebarOpen, theme } from '../layout.js';
import { cleanName } from '../clean.js';
import { markAllRead } from '../marks.js';
import { administers } from '../permissions.js';
import { adminPath, preferencesPath } from '../router.js';
import { signOut } from '../session.js';
import { me, myStatus } from '../store.js';
import { t } from '../words.js';
import { Avatar, PersonName } from './avatar.js';
import { html } from './html.js';
import { Icon } from './icon.js';
import { Menu } from './menu.js';

const THEME = { system: { icon: 'screen', label: t('theme_as_the_system_change_to') }, light: { icon: 'sun', label: t('theme_light_change_to_dark') }, dark: { icon: 'moon', label: t('theme_dark_change_to_as_the') } };

export function MyCorner() {
  const text = cleanName(myStatus.value?.text ?? '');
  const close = () => { sidebarOpen.value = false; };
  return html`<div class="me">
    <${Menu} label=${t('your_menu')} class="opens-up" items=${[
      { label: text ? t('change_your_status') : t('set_a_status'), icon: 'smile', act: () => openDialog('status') },
      { label: t('preferences'), icon: 'gear', href: preferencesPath(), act: close },
      administers(me.value) && { label: t('administration'), icon: 'users', href: adminPath(), act: close },
      { label: t('mark_everything_read'), icon: 'check', act: () => void markAllRead() },
      { ...THEME[theme.value], act: nextTheme },
      { label: t('keyboard'), icon: 'slash', act: () => openDialog('keys') },
      { label: t('sign_out'), icon: 'exit', act: () => void signOut() },
    ]}>
      <span class="me-av"><${Avatar} user=${me.value} presence /></span>
      <span class="who"><${PersonName} user=${me.value} /><small>${text ? html`<bdi>${text}</bdi>` : `@${me.value?.username ?? ''}`}</small></span>
    </${Menu}>
    <span class="ctl"><${Link} icon="bell" label=${t('notifications')} href=${preferencesPath('notifications')} /><${Link} icon="gear" label=${t('preferences')} href=${preferencesPath()} /></span></div>`;
}

/** @param {{icon:string, label:string, href:string}} props */
function Link({ icon, label, href }) {
  return html`<a class="icon-btn" href=${href} aria-label=${label} title=${label} onClick=${() => { sidebarOpen.value = false; }}><${Icon} name=${icon} /></a>`;
}
