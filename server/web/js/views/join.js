/** Into a channel by a code: as a page for links, and in the directory. */
import { codeIn } from '../channel_code.js';
import { chat } from '../page_chat_api.js';
import { sidebarOpen } from '../layout.js';
import { t } from '../page_words.js';
import { route } from '../router.js';
import { joined as enter } from '../workspace.js';
import { Field, FormError } from './field.js';
import { Submit, useForm } from './form.js';
import { html } from './html.js';
import { IconButton } from './icon.js';

/** @param {{code?:string, joined?:()=>void, autofocus?:boolean}} props */
export function JoinForm({ code = '', joined = () => {}, autofocus }) {
  const done = (/** @type {any} */ channel) => { joined(); enter(channel); };
  const { field, busy, message, onSubmit } = useForm({ code }, (values) => chat.joinByCode(codeIn(values.code)), { done, fieldsOfCode: { not_found: ['code'] } });
  return html`<form class="stack-form" onSubmit=${onSubmit}>
    <${FormError} error=${message} />
    <${Field} ...${field('code', 'join-')} label=${t('code_or_link')} required autocomplete="off" spellcheck="false" autofocus=${autofocus} help=${t('whoever_invited_you_to_a_channel')} />
    <div class="btns"><${Submit} busy=${busy}>${t('join_the_channel')}</${Submit}></div>
  </form>`;
}

export function JoinPage() {
  const code = route.value.fragment;
  return html`<main class="page" id="main" tabindex="-1"><div class="wrap narrow">
    <header class="set-h"><${IconButton} icon="menu" label=${t('open_channel_list')} class="only-mobile" onClick=${() => { sidebarOpen.value = true; }} /><h1>${t('join_a_channel')}</h1></header>
    <p class="lead">${code ? t('you_were_invited_to_a_channel') : t('paste_the_code_or_the_link')}</p>
    <${JoinForm} key=${code} code=${code} />
  </div></main>`;
}
