/** The images that this workspace uses as emoji: adding one, taking one away. */
import { changed } from '../../changes.js';
import { chat } from '../../chat_api.js';
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
  return html`<${Dialog} title="Emoji of this workspace" class="tall"><div class="dialog-b">
    <${NewReaction} />
    <h3 class="src-h">${own.length ? `${own.length} in use` : 'None yet'}</h3>
    <ul class="pick">${own.map((reaction) => html`<li key=${reaction.code}><span class="pick-t"><span class="e"><${Face} code=${reaction.code} /></span><b>:${reaction.code}:</b><small><bdi>${reaction.name ?? ''}</bdi></small></span>
      ${mayRemove(reaction) && html`<button type="button" class="btn small danger" aria-label=${`Delete :${reaction.code}:`} onClick=${() => setRemoving(reaction)}>Delete</button>`}</li>`)}</ul>
    ${removing && html`<${Confirm} title=${`Delete :${removing.code}:?`} action="Delete" run=${remove} close=${() => setRemoving(null)}><p>Where it was used, its name stays in its place.</p></${Confirm}>`}
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
    if (!image) throw new Error('Choose an image first.');
    return chat.addReaction(code.replace(/^:|:$/g, '').trim().toLowerCase(), name.trim() || code.trim(), image);
  };
  const form = useForm({ code: '', name: '' }, add, { done: () => { form.reset(); setImage(null); changed('reactions'); }, fieldsOfCode: { code_taken: ['code'] } });
  const take = () => {
    const file = input.current?.files?.[0] ?? null;
    setRefused(file && file.size > IMAGE_BYTES ? 'The image is larger than 256 KB.' : '');
    setImage(file && file.size <= IMAGE_BYTES ? file : null);
    if (file && !form.values.code) form.set('code', file.name.replace(/\.[^.]*$/, '').toLowerCase().replace(/[^a-z0-9_+-]+/g, '_').slice(0, 32));
    if (input.current) input.current.value = '';
  };
  return html`<form class="stack-form" onSubmit=${form.onSubmit}>
    <${FormError} error=${refused || form.message} />
    <div class="picture">${preview ? html`<img class="emoji large" src=${preview} alt="The image that was chosen" width="48" height="48" />` : html`<span class="emoji-none" aria-hidden="true"></span>`}
      <div><input ref=${input} type="file" accept="image/png,image/jpeg,image/gif,image/webp" hidden onChange=${take} /><button type="button" class="btn" onClick=${() => input.current?.click()}>${image ? 'Choose another image' : 'Choose an image'}</button><p class="help">PNG, JPEG, GIF or WebP, at most 256 KB. It is drawn small.</p></div></div>
    <div class="two"><${Field} ...${form.field('code', 'reaction-')} label="Code" required maxlength="34" autocomplete="off" autocapitalize="none" spellcheck="false" placeholder="party_parrot" help="What people write between colons." />
      <${Field} ...${form.field('name', 'reaction-')} label="Name (optional)" maxlength="100" autocomplete="off" /></div>
    <div class="btns"><${Submit} busy=${form.busy}>Add it</${Submit}></div>
  </form>`;
}
