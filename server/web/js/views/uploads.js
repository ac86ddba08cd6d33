/** Files on their way into a message. */
import { api } from '../api.js';
import { html, useRef, useState } from './html.js';
import { IconButton } from './icon.js';
import { sizeText } from './message.js';

/** Most files of one message. */
const MAX_FILES = 10;

/** @typedef {{key:number, name:string, size:number, file?:any, error?:string}} UploadState */

/** Files chosen for the next message. Each is sent to the server at once, so that sending the message does not wait. @returns {[UploadState[], (files:FileList)=>void, (key:number)=>void, ()=>void]} */
export function useUploads() {
  const [uploads, setUploads] = useState(/** @type {UploadState[]} */ ([]));
  const change = (/** @type {number} */ key, /** @type {Partial<UploadState>} */ news) => setUploads((known) => known.map((upload) => (upload.key === key ? { ...upload, ...news } : upload)));
  const add = (/** @type {FileList} */ files) => {
    for (const file of [...files].slice(0, MAX_FILES - uploads.length)) {
      const key = Math.random();
      setUploads((known) => [...known, { key, name: file.name, size: file.size }]);
      api.upload(file).then((stored) => change(key, { file: stored }), (error) => change(key, { error: error.message }));
    }
  };
  return [uploads, add, (key) => setUploads((known) => known.filter((upload) => upload.key !== key)), () => setUploads([])];
}

/** @param {{upload:UploadState, remove:()=>void}} props */
export function Upload({ upload, remove }) {
  return html`<div class="up"><bdi class="nm">${upload.name}</bdi><span class="mt">${upload.error ? 'Failed' : upload.file ? 'Ready' : 'Uploading…'}</span>
    <span class="mt">${upload.error ?? sizeText(upload.size)}</span><button type="button" class="mt" aria-label=${`Remove ${upload.name}`} onClick=${remove}>Remove</button></div>`;
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
