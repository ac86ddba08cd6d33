/** Nothing else opens before a second factor is set up, where the server asks everyone for one. */
import { t } from '../page_words.js';
import { signOut } from '../session.js';
import { Frame } from './entry.js';
import { html } from './html.js';
import { Notices } from './notices.js';
import { TwoFactorSetup } from './preferences/two_factor.js';

/** @param {{done:()=>void}} props */
export function TwoFactorGate({ done }) {
  return html`<${Frame}><div class="entry-note gate">
    <div><h1>${t('set_up_a_second_factor')}</h1><p class="lead">${t('this_workspace_asks_everyone_for_a_2')}</p></div>
    <${TwoFactorSetup} done=${done} />
    <p class="lead"><button type="button" class="inline-link" onClick=${() => void signOut()}>${t('sign_out')}</button></p>
  </div></${Frame}><${Notices} />`;
}
