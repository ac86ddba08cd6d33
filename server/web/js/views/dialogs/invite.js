import { t } from '../../page_words.js';
import { NewInvitation } from '../admin/invitations.js';
import { Dialog } from '../dialog.js';
import { html } from '../html.js';

export function Invite() {
  return html`<${Dialog} title=${t('invite_people')}><div class="dialog-b">
    <p class="lead">${t('whoever_opens_the_link_can_make')}</p>
    <${NewInvitation} autofocus />
  </div></${Dialog}>`;
}
