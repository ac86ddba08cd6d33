/** Files of a message: pictures drawn, everything else as a card. */
import { download, isPicture, kindText, shownSize, sizeText, thumbnailAddress } from '../files.js';
import { cleanName } from '../clean.js';
import { openDialog } from '../layout.js';
import { t } from '../words.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { Action } from './action.js';
import { Icon, IconButton } from './icon.js';

/** @typedef {import('../files.js').FileData} FileData */

/** Fetched when it comes this near to the view. */
const NEAR_PX = 400;
/** A blurhash says no more than this many pixels. */
const SHADOW_SIDE = 24;

/** @param {{message:import('../timeline.js').Message}} props */
export function Attachments({ message }) {
  const files = message.files ?? [];
  if (!files.length) return null;
  const pictures = files.filter(isPicture);
  const others = files.filter((file) => !isPicture(file));
  return html`${pictures.length > 0 && html`<div class="pictures">${pictures.map((file, at) => html`<${Thumbnail} key=${file.id} file=${file} open=${() => openDialog('lightbox', { files: pictures, at, channel_id: message.channel_id })} />`)}</div>`}
    ${others.map((file) => html`<${FileCard} key=${file.id} file=${file} />`)}`;
}

/** @param {{file:FileData, open:()=>void}} props */
function Thumbnail({ file, open }) {
  const element = useRef(/** @type {HTMLElement|null} */ (null));
  const [address, setAddress] = useState('');
  const [failed, setFailed] = useState(false);
  const size = shownSize(file);
  useEffect(() => {
    if (!element.current || address) return undefined;
    let gone = false;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      thumbnailAddress(file).then((found) => { if (!gone) setAddress(found); }, () => { if (!gone) setFailed(true); });
    }, { rootMargin: `${NEAR_PX}px` });
    observer.observe(element.current);
    return () => { gone = true; observer.disconnect(); };
  }, [file.id]);
  if (failed) return html`<${FileCard} file=${file} />`;
  const name = cleanName(file.filename);
  return html`<button type="button" class="picture-at" ref=${element} aria-label=${t('picture_open', { name })} title=${name} onClick=${open} style=${{ width: `${size.width}px`, aspectRatio: `${size.width} / ${size.height}` }}>
    ${file.blurhash && !address && html`<${Shadow} hash=${file.blurhash} />`}
    ${address && html`<img src=${address} alt="" width=${size.width} height=${size.height} onError=${() => setFailed(true)} />`}</button>`;
}

/** @param {{hash:string}} props */
function Shadow({ hash }) {
  const canvas = useRef(/** @type {HTMLCanvasElement|null} */ (null));
  useLayoutEffect(() => {
    void import('../blurhash.js').then(({ decodeBlurhash }) => {
      const pixels = decodeBlurhash(hash, SHADOW_SIDE, SHADOW_SIDE);
      const context = canvas.current?.getContext('2d');
      if (!pixels || !context) return;
      const image = context.createImageData(SHADOW_SIDE, SHADOW_SIDE);
      image.data.set(pixels);
      context.putImageData(image, 0, 0);
    }, () => {}); // the picture itself follows
  }, [hash]);
  return html`<canvas ref=${canvas} width=${SHADOW_SIDE} height=${SHADOW_SIDE} aria-hidden="true"></canvas>`;
}

/** @param {{file:FileData}} props */
export function FileCard({ file }) {
  const [abort, setAbort] = useState(/** @type {AbortController|null} */ (null));
  const name = cleanName(file.filename);
  const fetchIt = async () => {
    const controller = new AbortController();
    setAbort(controller);
    await download(file, controller.signal).finally(() => setAbort(null));
  };
  return html`<div class="file"><span class="ic" aria-hidden="true">${kindText(file)}</span><span class="file-t"><bdi class="nm" title=${name}>${name}</bdi><span class="mt">${sizeText(file.file_size)}${abort ? t('downloading') : ''}</span></span>
    ${abort ? html`<${IconButton} icon="x" label=${t('stop_the_download_of', { name })} onClick=${() => abort.abort()} />`
      : html`<${Action} class="icon-btn" label=${t('download', { name })} run=${fetchIt}><${Icon} name="down" /></${Action}>`}</div>`;
}
