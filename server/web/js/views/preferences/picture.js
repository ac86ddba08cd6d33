/** My picture: chosen, looked at, sent. */
import { picturePath } from '../../api.js';
import { api } from '../../page_api.js';
import { notify } from '../../notices.js';
import { fieldSentence } from '../../refusal.js';
import { info, me, users } from '../../store.js';
import { Avatar } from '../avatar.js';
import { FormError } from '../field.js';
import { Action } from '../form.js';
import { sizeText } from '../../files.js';
import { t } from '../../page_words.js';
import { html, useEffect, useRef, useState } from '../html.js';

const KINDS = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const DEFAULT_BYTES = 5 * 1024 * 1024;

export function Picture() {
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));
  const [chosen, setChosen] = useState(/** @type {{file:File, address:string}|null} */ (null));
  const [error, setError] = useState('');
  useEffect(() => () => { if (chosen) URL.revokeObjectURL(chosen.address); }, [chosen]);
  const most = info.value?.limits?.picture_bytes ?? DEFAULT_BYTES;
  const choose = () => {
    const file = input.current?.files?.[0];
    if (!file) return;
    const refusal = !KINDS.includes(file.type) ? t('choose_a_png_jpeg_gif_or') : file.size > most ? t('this_image_has_at_most_are', { size: sizeText(file.size), size2: sizeText(most) }) : '';
    setError(refusal);
    setChosen(refusal ? null : { file, address: URL.createObjectURL(file) });
    if (input.current) input.current.value = '';
  };
  const changed = (/** @type {any} */ account, /** @type {string} */ text) => {
    users.value = new Map(users.value).set(account.id, { ...users.value.get(account.id), ...account, picture_url: account.picture_url });
    me.value = { ...me.value, picture_url: account.picture_url };
    setChosen(null);
    setError('');
    notify(text);
  };
  const failed = (/** @type {any} */ failure) => setError(failure.fields?.file ? fieldSentence(t('this_file'), failure.fields.file) : failure.message);
  return html`<div class="picture">
    ${chosen ? html`<span class="av lg"><img src=${chosen.address} alt=${t('the_picture_you_chose')} /></span>` : html`<${Avatar} user=${me.value} size="lg" />`}
    <div><div class="btns">${chosen
      ? html`<${Action} class="btn primary" run=${() => api.setPicture(chosen.file).then((account) => changed(account, t('your_picture_is_set')))} failed=${failed}>${t('use_this_picture')}</${Action}>
        <button type="button" class="btn" onClick=${() => { setChosen(null); setError(''); }}>${t('cancel')}</button>`
      : html`<button type="button" class="btn" onClick=${() => input.current?.click()}>${t('choose_a_picture')}</button>
        ${picturePath(me.value?.picture_url) && html`<${Action} class="btn danger" run=${() => api.removePicture().then((account) => changed(account, t('your_picture_is_removed')))} failed=${failed}>${t('remove')}</${Action}>`}`}
    </div><p class="help">${t('png_jpeg_gif_or_webp_at_2', { size: sizeText(most) })}</p>
    <${FormError} error=${error} /></div>
    <input ref=${input} type="file" accept=${KINDS.join(',')} hidden aria-label=${t('picture_2')} onChange=${choose} />
  </div>`;
}
