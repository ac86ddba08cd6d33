/** Nothing else opens before a second factor is set up, where the server asks everyone for one. */
import { signOut } from '../session.js';
import { Frame } from './entry.js';
import { html } from './html.js';
import { Notices } from './notices.js';
import { TwoFactorSetup } from './preferences/two_factor.js';

/** @param {{done:()=>void}} props */
export function TwoFactorGate({ done }) {
  return html`<${Frame}><div class="entry-note gate">
    <div><h1>Set up a second factor</h1><p class="lead">This workspace asks everyone for a code at sign-in, beside the password. You need an authenticator app on a phone or a computer; it takes a minute.</p></div>
    <${TwoFactorSetup} done=${done} />
    <p class="lead"><button type="button" class="inline-link" onClick=${() => void signOut()}>Sign out</button></p>
  </div></${Frame}><${Notices} />`;
}
