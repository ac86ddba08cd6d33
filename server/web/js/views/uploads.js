/** Files of the next message, as the composer shows them. */
import { sizeText } from '../files.js';
import { cleanName } from '../format.js';
import { removeUpload, tryAgain, uploadsOf } from '../uploads.js';
import { html, useRef } from './html.js';
import { IconButton } from './icon.js';

/** @typedef {import('../uploads.js').Upload} UploadData */

/** @param {{place:string}} props place: the composer's key */
export function Uploads({ place }) {
  const list = uploadsOf(place);
  if (!list.length) return null;
  return html`<ul class="ups" aria-label="Files of this message">${list.map((upload) => html`<${Upload} key=${upload.key} place=${place} upload=${upload} />`)}</ul>`;
}

/** @param {{place:string, upload:UploadData}} props */
function Upload({ place, upload }) {
  const { name, size, sent, file, error, preview } = upload;
  const shown = cleanName(name);
  const percent = size ? Math.floor((sent / size) * 100) : 0;
  const state = error ? 'Failed' : file ? 'Ready' : sent >= size ? 'Checking…' : `${percent} %`;
  return html`<li class=${error ? 'up is-failed' : 'up'}>
    ${preview && html`<img src=${preview} alt="" width="40" height="40" />`}
    <div class="up-t"><bdi class="nm" title=${shown}>${shown}</bdi><span class="mt">${state}</span>
      <span class="mt">${error ?? (file || !sent ? sizeText(size) : `${sizeText(sent)} of ${sizeText(size)}`)}</span>
      <span class="up-a">${error && upload.source && html`<button type="button" class="inline-link" aria-label=${`Try ${shown} again`} onClick=${() => tryAgain(place, upload)}>Try again</button>`}
        <button type="button" class="inline-link" aria-label=${`${file || error ? 'Remove' : 'Cancel'} ${shown}`} onClick=${() => removeUpload(place, upload)}>${file || error ? 'Remove' : 'Cancel'}</button></span></div>
    ${!error && html`<progress max=${size || 1} value=${file ? size || 1 : sent} aria-label=${`Upload of ${shown}`}></progress>`}
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
  return html`<input ref=${input} type="file" multiple hidden onChange=${onChange} /><${IconButton} icon="clip" label="Attach files" onClick=${() => input.current?.click()} />`;
}

/** Pasted or dropped files become attachments; anything else is left to the field. @param {Event} event @param {DataTransfer|null} transfer @param {(files:FileList)=>void} addFiles */
export function takeFiles(event, transfer, addFiles) {
  if (!transfer?.files.length) return;
  event.preventDefault();
  addFiles(transfer.files);
}
