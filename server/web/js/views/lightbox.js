/** A picture as large as the window lets it be, with the others of its message. */
import { chat } from '../chat_api.js';
import { download, sizeText } from '../files.js';
import { cleanName } from '../format.js';
import { dialog, dialogSubject } from '../layout.js';
import { t } from '../page_words.js';
import { Dialog } from './dialog.js';
import { Action } from './form.js';
import { html, useEffect, useState } from './html.js';
import { Icon, IconButton } from './icon.js';

export function Lightbox() {
  const { files, at: first } = dialogSubject.value ?? { files: [], at: 0 };
  const [at, setAt] = useState(first);
  const [shown, setShown] = useState({ id: '', address: '', error: '' });
  const file = files[at];
  useEffect(() => {
    if (!file) return undefined;
    const abort = new AbortController();
    let address = '';
    chat.fileContent(file.id, abort.signal).then((blob) => {
      address = URL.createObjectURL(blob);
      setShown({ id: file.id, address, error: '' });
    }, (error) => { if (!abort.signal.aborted) setShown({ id: file.id, address: '', error: error.message }); });
    return () => { abort.abort(); if (address) URL.revokeObjectURL(address); };
  }, [file?.id]);
  if (!file) return null;
  const step = (/** @type {number} */ by) => setAt((at + by + files.length) % files.length);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    step(event.key === 'ArrowLeft' ? -1 : 1);
  };
  const name = cleanName(file.filename);
  return html`<${Dialog} title=${t('picture', { name })} bare class="lightbox"><div class="lightbox-in" onKeyDown=${onKeyDown}>
    <header><span class="file-t"><bdi class="nm">${name}</bdi><span class="mt">${file.width && file.height ? `${file.width} × ${file.height} · ` : ''}${sizeText(file.file_size)}${files.length > 1 ? t('of', { value: at + 1, count: files.length }) : ''}</span></span>
      ${files.length > 1 && html`<button type="button" class="icon-btn" aria-label=${t('previous_picture')} title=${t('previous_picture')} onClick=${() => step(-1)}><${Icon} name="left" /></button><button type="button" class="icon-btn" aria-label=${t('next_picture')} title=${t('next_picture')} onClick=${() => step(1)}><${Icon} name="right" /></button>`}
      <${Action} class="icon-btn" label=${t('download', { name })} run=${() => download(file)}><${Icon} name="down" /></${Action}>
      <${IconButton} icon="x" label=${t('close')} onClick=${() => { dialog.value = ''; }} /></header>
    <div class="lightbox-p">${shown.id !== file.id ? html`<p class="page-note" role="status">${t('loading')}</p>`
      : shown.error ? html`<p class="form-error" role="alert">${shown.error}</p>` : html`<img src=${shown.address} alt=${name} width=${file.width ?? undefined} height=${file.height ?? undefined} />`}</div>
  </div></${Dialog}>`;
}
