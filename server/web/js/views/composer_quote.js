import { plainWords } from '../format.js';
import { t } from '../channel_words.js';
import { PersonName } from './avatar.js';
import { html } from './html.js';
import { Icon, IconButton } from './icon.js';

const EXCERPT_CHARACTERS = 160;

/** What the message that is being written quotes. @param {{message:import('../timeline.js').Message, remove:()=>void}} props */
export function ComposerQuote({ message, remove }) {
  return html`<div class="quoting"><div class="quoted"><span class="quoted-h"><${Icon} name="quote" small /><span class="sr">${t('quoting')} </span><b><${PersonName} user=${message.sender} /></b></span>
    <span class="quoted-t" dir="auto">${plainWords(message.content).slice(0, EXCERPT_CHARACTERS) || t('a_file')}</span></div><${IconButton} icon="x" small label=${t('do_not_quote')} onClick=${remove} /></div>`;
}
