/** What a message said before it was changed. */
import { chat } from '../../page_chat_api.js';
import { dialogSubject } from '../../layout.js';
import { t } from '../../page_words.js';
import { Dialog } from '../dialog.js';
import { html } from '../html.js';
import { useLoaded, Waiting } from '../loading.js';
import { FormattedText } from '../text.js';
import { Time } from '../time.js';

export function History() {
  const message = dialogSubject.value;
  const { value, error, reload } = useLoaded(() => chat.history(message.id), [message?.id]);
  const newestFirst = [...(value?.items ?? [])].sort((left, right) => right.version - left.version);
  return html`<${Dialog} title=${t('edit_history')} class="tall"><div class="dialog-b">
    ${!value ? html`<${Waiting} error=${error} reload=${reload} />` : html`<ol class="versions">${newestFirst.map((version) => html`<li key=${version.version}>
      <p class="src-h"><b>${version.version === message.version ? t('now') : version.version === 1 ? t('as_it_was_written') : t('version_2', { version: version.version })}</b> <${Time} at=${version.created_at} /></p>
      <div class="body"><${FormattedText} text=${version.content} /></div></li>`)}</ol>`}
  </div></${Dialog}>`;
}
