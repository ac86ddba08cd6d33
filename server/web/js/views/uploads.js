/** Files of the next message, as the composer shows them. */
import { sizeText } from '../files.js';
import { cleanName } from '../format.js';
import { removeUpload, tryAgain, uploadsOf } from '../uploads.js';
import { t } from '../channel_words.js';
import { html, useEffect, useRef, useState } from './html.js';
import { IconButton } from './icon.js';

/** @typedef {import('../uploads.js').Upload} UploadData */

/** @param {{place:string}} props place: the composer's key */
export function Uploads({ place }) {
  const list = uploadsOf(place);
  if (!list.length) return null;
  return html`<ul class="ups" aria-label=${t('files_of_this_message')}>${list.map((upload) => html`<${Upload} key=${upload.key} place=${place} upload=${upload} />`)}</ul>`;
}

/** @param {{place:string, upload:UploadData}} props */
function Upload({ place, upload }) {
  const { name, size, sent, file, error, preview } = upload;
  const shown = cleanName(name);
  const percent = size ? Math.floor((sent / size) * 100) : 0;
  const state = error ? t('failed') : file ? t('ready') : sent >= size ? t('checking') : `${percent} %`;
  return html`<li class=${error ? 'up is-failed' : 'up'}>
    ${preview && html`<img src=${preview} alt="" width="40" height="40" />`}
    <div class="up-t"><bdi class="nm" title=${shown}>${shown}</bdi><span class="mt">${state}</span>
      <span class="mt">${error ?? (file || !sent ? sizeText(size) : t('of_2', { size: sizeText(sent), size2: sizeText(size) }))}</span>
      <span class="up-a">${error && upload.source && html`<button type="button" class="inline-link" aria-label=${t('try_again_2', { shown })} onClick=${() => tryAgain(place, upload)}>${t('try_again')}</button>`}
        <button type="button" class="inline-link" aria-label=${`${file || error ? t('remove') : t('cancel')} ${shown}`} onClick=${() => removeUpload(place, upload)}>${file || error ? t('remove') : t('cancel')}</button></span></div>
    ${!error && html`<progress max=${size || 1} value=${file ? size || 1 : sent} aria-label=${t('upload_of', { shown })}></progress>`}
  </li>`;
}

/** @param {{addFiles:(files:FileList)=>void}} props */
export function AttachButton({ addFiles }) {
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));
  const onChange = () => {
    if (!input.current?.files) return;
    addFiles(input.current.files);
    input.current.value = '';
  };
  return html`<input ref=${input} type="file" multiple hidden onChange=${onChange} /><${IconButton} icon="clip" label=${t('attach_files')} onClick=${() => input.current?.click()} />`;
}

/** Pasted or dropped files become attachments; anything else is left to the field. @param {Event} event @param {DataTransfer|null} transfer @param {(files:FileList)=>void} addFiles */
export function takeFiles(event, transfer, addFiles) {
  if (!transfer?.files.length) return;
  event.preventDefault();
  addFiles(transfer.files);
}

/**
 * Files can be dropped anywhere on the part of the window that the composer stands in: beside it, the browser would leave the page to show them.
 * @param {{current:HTMLElement|null}} composer @param {(files:FileList)=>void} addFiles
 * @returns {boolean} whether files are held over it
 */
export function useDropZone(composer, addFiles) {
  const [over, setOver] = useState(false);
  const add = useRef(addFiles);
  add.current = addFiles;
  useEffect(() => {
    const zone = /** @type {HTMLElement|null|undefined} */ (composer.current?.closest('.main, .panel'));
    if (!zone) return undefined;
    const hold = (/** @type {DragEvent} */ event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (/** @type {DragEvent} */ event) => { if (!zone.contains(/** @type {Node|null} */ (event.relatedTarget))) setOver(false); };
    const drop = (/** @type {DragEvent} */ event) => {
      setOver(false);
      takeFiles(event, event.dataTransfer, add.current);
    };
    zone.addEventListener('dragover', hold);
    zone.addEventListener('dragleave', leave);
    zone.addEventListener('drop', drop);
    return () => {
      zone.removeEventListener('dragover', hold);
      zone.removeEventListener('dragleave', leave);
      zone.removeEventListener('drop', drop);
    };
  }, []);
  return over;
}
