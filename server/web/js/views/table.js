import { html } from './html.js';

/**
 * @typedef {{name:string, cell:(row:any)=>any, class?:string, silent?:boolean}} Column silent: the heading is for screen readers only
 */

/**
 * Rows and columns. In a narrow window each row is a stack, with the column's name before each value; the roles are spelled
 * out because a table that is laid out otherwise loses its own.
 * @param {{label:string, columns:Column[], rows:any[], id?:(row:any)=>string}} props
 */
export function Table({ label, columns, rows, id = (row) => row.id }) {
  if (!rows.length) return null;
  return html`<table class="table" role="table" aria-label=${label}>
    <thead role="rowgroup"><tr role="row">${columns.map(({ name, silent }) => html`<th key=${name} role="columnheader" scope="col">${silent ? html`<span class="sr">${name}</span>` : name}</th>`)}</tr></thead>
    <tbody role="rowgroup">${rows.map((row) => html`<tr key=${id(row)} role="row">${columns.map(({ name, cell, class: extra = '', silent }) => html`<td key=${name} role="cell" class=${extra} data-name=${silent ? undefined : name}><div>${cell(row)}</div></td>`)}</tr>`)}</tbody>
  </table>`;
}
