import { NewInvitation } from '../admin/invitations.js';
import { Dialog } from '../dialog.js';
import { html } from '../html.js';

export function Invite() {
  return html`<${Dialog} title="Invite people"><div class="dialog-b">
    <p class="lead">Whoever opens the link can make an account in this workspace.</p>
    <${NewInvitation} autofocus />
  </div></${Dialog}>`;
}
