/** The preferences, one section at a time. */
import { Profile } from './preferences/profile.js';
import { Security } from './preferences/security.js';
import { Sessions } from './preferences/sessions.js';
import { MyTokens } from './preferences/tokens.js';
import { html } from './html.js';
import { currentSection, SettingsPage } from './settings.js';

const SECTIONS = /** @type {Record<string, any>} */ ({ profile: Profile, security: Security, sessions: Sessions, tokens: MyTokens });

export function Preferences() {
  const { section } = currentSection();
  if (!section) return html`<${SettingsPage} title="Not here"><p class="lead">There is no such page. Choose one of the list.</p></${SettingsPage}>`;
  return html`<${SECTIONS[section.name]} key=${section.name} />`;
}
