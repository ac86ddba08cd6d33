/** The preferences, one section at a time. */
import { t } from '../page_words.js';
import { html } from './html.js';
import { lazy } from './lazy.js';
import { currentSection, SettingsPage } from './settings.js';

const SECTIONS = /** @type {Record<string, any>} */ ({
  profile: lazy(() => import('./preferences/profile.js'), 'Profile'),
  appearance: lazy(() => import('./preferences/appearance.js'), 'Appearance'),
  notifications: lazy(() => import('./preferences/notifications.js'), 'NotificationPreferences'),
  security: lazy(() => import('./preferences/security.js'), 'Security'),
  sessions: lazy(() => import('./preferences/sessions.js'), 'Sessions'),
  tokens: lazy(() => import('./preferences/tokens.js'), 'MyTokens'),
});

export function Preferences() {
  const { section } = currentSection();
  if (!section) return html`<${SettingsPage} title=${t('not_here')}><p class="lead">${t('there_is_no_such_page_choose')}</p></${SettingsPage}>`;
  return html`<${SECTIONS[section.name]} key=${section.name} />`;
}
