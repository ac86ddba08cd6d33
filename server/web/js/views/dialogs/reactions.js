/** The images that this workspace uses as emoji: adding one, taking one away. */
import { changed } from '../../changes.js';
import { chat } from '../../page_chat_api.js';
import { t } from '../../page_words.js';
import { may } from '../../permissions.js';
import { customReactions, me } from '../../store.js';
import { Confirm, Dialog } from '../dialog.js';
import { Field, FormError } from '../field.js';
import { Submit, useForm } from '../form.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { Face } from '../reactions.js';

const IMAGE_BYTES = 256 * 1024;

export function CustomReactions() {
  const [removing, setRemoving] = useState(/** @type {any} */ (null));
  const own = customReactions.value.filter((reaction) => reaction.image_url && !reaction.plugin_id && !reaction.is_system);
  const mayRemove = (/** @type {any} */ reaction) => reaction.created_by_id === me.value?.id || may(me.value, 'reactions.manage');
  const remove = async () => {
    await chat.removeReaction(removing.code);
    customReactions.value = customReactions.value.filter(({ code }) => code !== removing.code);
    changed('reactions');
  };
  return html`<${Dialog} title=${t('emoji_of_this_workspace')} class="tall"><div class="dialog-b">
    <${NewReaction} />
    <h3 class="src-h">${own.length ? t('in_use', { count: own.length }) : t('none_yet')}</h3>
    <ul class="pick">${own.map((reaction) => html`<li key=${reaction.code}><span class="pick-t"><span class="e"><${Face} code=${reaction.code} /></span><b>:${reaction.code}:</b><small><bdi>${reaction.name ?? ''}</bdi></small></span>
      ${mayRemove(reaction) && html`<button type="button" class="btn small danger" aria-label=${t('delete_2x_2x', { code: reaction.code })} onClick=${() => setRemoving(reaction)}>${t('delete')}</button>`}</li>`)}</ul>
    ${removing && html`<${Confirm} title=${t('delete_2x_2', { code: removing.code })} action=${t('delete')} run=${remove} close=${() => setRemoving(null)}><p>${t('where_it_was_used_its_name')}</p></${Confirm}>`}
  </div></${Dialog}>`;
}

function NewReaction() {
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));
  const [image, setImage] = useState(/** @type {File|null} */ (null));
  const [preview, setPreview] = useState('');
  const [refused, setRefused] = useState('');
  useEffect(() => {
    if (!image) return setPreview('');
    const address = URL.createObjectURL(image);
    setPreview(address);
    return () => URL.revokeObjectURL(address);
  }, [image]);
  const add = async (/** @type {any} */ { code, name }) => {
    if (!image) throw new Error(t('choose_an_image_first'));
    return chat.addReaction(code.replace(/^:|:$/g, '').trim().toLowerCase(), name.trim() || code.trim(), image);
  };
  const form = useForm({ code: '', name: '' }, add, { done: () => { form.reset(); setImage(null); changed('reactions'); }, fieldsOfCode: { code_taken: ['code'] } });
  const take = () => {
    const file = input.current?.files?.[0] ?? null;
    setRefused(file && file.size > IMAGE_BYTES ? t('the_image_is_larger_than_256') : '');
    setImage(file && file.size <= IMAGE_BYTES ? file : null);
    if (file && !form.values.code) form.set('code', file.name.replace(/\.[^.]*$/, '').toLowerCase().replace(/[^a-z0-9_+-]+/g, '_').slice(0, 32));
    if (input.current) input.current.value = '';
  };
  return html`<form class="stack-form" onSubmit=${form.onSubmit}>
    <${FormError} error=${refused || form.message} />
    <div class="picture">${preview ? html`<img class="emoji large" src=${preview} alt=${t('the_image_that_was_chosen')} width="48" height="48" />` : html`<span class="emoji-none" aria-hidden="true"></span>`}
      <div><input ref=${input} type="file" accept="image/png,image/jpeg,image/gif,image/webp" hidden onChange=${take} /><button type="button" class="btn" onClick=${() => input.current?.click()}>${image ? t('choose_another_image') : t('choose_an_image')}</button><p class="help">${t('png_jpeg_gif_or_webp_at')}</p></div></div>
    <div class="two"><${Field} ...${form.field('code', 'reaction-')} label=${t('code')} required maxlength="34" autocomplete="off" autocapitalize="none" spellcheck="false" placeholder="party_parrot" help=${t('what_people_write_between_colons')} />
      <${Field} ...${form.field('name', 'reaction-')} label=${t('name_optional')} maxlength="100" autocomplete="off" /></div>
    <div class="btns"><${Submit} busy=${form.busy}>${t('add_it')}</${Submit}></div>
  </form>`;
}
