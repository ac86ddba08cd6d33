import { html } from './html.js';

/** Beside this file's folder, so that it has the version's name in its address too. @param {string} name */
export function assetPath(name) {
  return new URL(`../../${name}`, import.meta.url).pathname;
}


/** One symbol of the sprite. Decorative: the control around it carries the name. @param {{name:string, small?:boolean}} props */
export function Icon({ name, small }) {
  return html`<svg class=${small ? 'i sm' : 'i'} aria-hidden="true"><use href=${`${assetPath('icons.svg')}#${name}`} /></svg>`;
}

/** @param {{size?:number}} props */
export function Logo({ size = 28 }) {
  return html`<img class="logo" src=${assetPath('logo.svg')} width=${size} height=${size} alt="" />`;
}

/** @param {{icon:string, label:string, onClick:(event:any)=>void, class?:string, pressed?:boolean, expanded?:boolean, small?:boolean, disabled?:boolean}} props */
export function IconButton({ icon, label, onClick, class: extra = '', pressed, expanded, small, disabled }) {
  return html`<button type="button" class=${`icon-btn ${extra}`} aria-label=${label} title=${label} aria-pressed=${pressed} aria-expanded=${expanded}
    disabled=${disabled} onClick=${onClick}><${Icon} name=${icon} small=${small} /></button>`;
}
