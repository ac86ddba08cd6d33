/** The administration, one section at a time; only the sections that this account can use exist for it. */
import { t } from '../page_words.js';
import { ServerAssistant } from './admin/assistant.js';
import { Audit } from './admin/audit.js';
import { Channels } from './admin/channels.js';
import { Invitations } from './admin/invitations.js';
import { Overview } from './admin/overview.js';
import { People } from './admin/people.js';
import { Plugins } from './admin/plugins.js';
import { Policy } from './admin/policy.js';
import { Roles } from './admin/roles.js';
import { SearchIndex } from './admin/search_index.js';
import { Server } from './admin/server.js';
import { Transfers } from './admin/transfers.js';
import { Webhooks } from './admin/webhooks.js';
import { html } from './html.js';
import { currentSection, SettingsPage } from './settings.js';

const SECTIONS = /** @type {Record<string, any>} */ ({
  overview: Overview, people: People, roles: Roles, channels: Channels, plugins: Plugins, webhooks: Webhooks, assistant: ServerAssistant, index: SearchIndex, transfers: Transfers, audit: Audit,
  invitations: Invitations, policy: Policy, server: Server,
});

export function Administration() {
  const { section, sections } = currentSection();
  if (!section) {
    return html`<${SettingsPage} title=${sections.length ? t('not_here') : t('not_for_you')}><p class="lead">${sections.length ? t('there_is_no_such_page_or') : t('your_roles_permit_nothing_that_is')}</p></${SettingsPage}>`;
  }
  return html`<${SECTIONS[section.name]} key=${section.name} />`;
}
