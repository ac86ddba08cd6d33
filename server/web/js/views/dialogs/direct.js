/** A conversation with one person, or with a few. */
import { openDirect } from '../../direct_conversation.js';
import { dialog } from '../../layout.js';
import { personName } from '../../names.js';
import { t } from '../../page_words.js';
import { Dialog } from '../dialog.js';
import { html, useState } from '../html.js';
import { Icon } from '../icon.js';
import { PeopleFinder } from '../people_finder.js';

export function NewDirect() {
  const [chosen, setChosen] = useState(/** @type {any[]} */ ([]));
  const open = () => {
    dialog.value = '';
    void openDirect(chosen.map(({ id }) => id));
  };
  const without = (/** @type {any} */ user) => setChosen(chosen.filter(({ id }) => id !== user.id));
  return html`<${Dialog} title=${t('new_direct_message')}><div class="dialog-b">
    ${chosen.length > 0 && html`<div class="chosen">${chosen.map((user) => html`<button type="button" key=${user.id} class="chip" aria-label=${t('leave_out', { name: personName(user) })} onClick=${() => without(user)}><bdi>${personName(user)}</bdi><${Icon} name="x" small /></button>`)}
      <button type="button" class="btn primary small" onClick=${open}>${chosen.length === 1 ? t('start_the_conversation') : t('start_a_conversation_of', { value: chosen.length + 1 })}</button></div>`}
    <${PeopleFinder} label=${chosen.length ? t('add_another_person') : t('find_a_person')} action=${t('choose')} except=${new Set(chosen.map(({ id }) => id))} choose=${(/** @type {any} */ user) => setChosen([...chosen, user])} />
  </div></${Dialog}>`;
}
