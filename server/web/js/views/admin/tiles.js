import { html } from '../html.js';

/** Figures side by side: what each is, its value, and a word on it. @param {{tiles:any[][]}} props */
export function Tiles({ tiles }) {
  return html`<dl class="kpis">${tiles.map(([name, value, note]) => html`<div key=${name}><dt>${name}</dt><dd><b>${value}</b><small>${note}</small></dd></div>`)}</dl>`;
}
