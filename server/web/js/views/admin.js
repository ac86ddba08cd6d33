/** The administration, one section at a time; only the sections that this account can use exist for it. */
import { Audit } from './admin/audit.js';
import { Invitations } from './admin/invitations.js';
import { Overview } from './admin/overview.js';
import { People } from './admin/people.js';
import { Policy } from './admin/policy.js';
import { Roles } from './admin/roles.js';
import { Server } from './admin/server.js';
import { html } from './html.js';
import { currentSection, SettingsPage } from './settings.js';

const SECTIONS = /** @type {Record<string, any>} */ ({ overview: Overview, people: People, roles: Roles, invitations: Invitations, audit: Audit, policy: Policy, server: Server });

export function Administration() {
  const { section, sections } = currentSection();
  if (!section) {
    return html`<${SettingsPage} title=${sections.length ? 'Not here' : 'Not for you'}><p class="lead">${sections.length ? 'There is no such page, or it is not yours to see. Choose one of the list.' : 'Your roles permit nothing that is done here. Ask an administrator.'}</p></${SettingsPage}>`;
  }
  return html`<${SECTIONS[section.name]} key=${section.name} />`;
}
