/** A line of figures over time. The numbers stand beside it in words: the drawing is for the eye alone. */
import { html } from './html.js';

const WIDTH = 960;
const HEIGHT = 120;

/**
 * @param {{title:string, note:string, values:number[], most:number}} props values: oldest first; most: how many fit, so that a short line begins at the right edge
 */
export function Plot({ title, note, values, most }) {
  const peak = Math.max(1, ...values);
  const x = (/** @type {number} */ at) => WIDTH - (values.length - 1 - at) * (WIDTH / Math.max(1, most - 1));
  const y = (/** @type {number} */ value) => HEIGHT - 4 - (value / peak) * (HEIGHT - 12);
  const line = smooth(values.map((value, at) => [x(at), y(value)]));
  return html`<figure class="plot"><figcaption><span>${title}</span><span class="tnum">${note}</span></figcaption>
    <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      ${[0.33, 0.66].map((part) => html`<line key=${part} class="grid" x1="0" x2=${WIDTH} y1=${HEIGHT * part} y2=${HEIGHT * part} />`)}
      ${values.length > 1 && html`<path class="area" d=${`${line} L ${WIDTH} ${HEIGHT} L ${x(0)} ${HEIGHT} Z`} /><path class="line" d=${line} />`}
    </svg></figure>`;
}

/** Through each point, without overshooting: a count is never drawn below nothing. @param {number[][]} points */
export function smooth(points) {
  return points.map(([x, y], at) => {
    if (!at) return `M ${x.toFixed(1)} ${y.toFixed(1)}`;
    const [fromX, fromY] = points[at - 1];
    const middle = ((fromX + x) / 2).toFixed(1);
    return `C ${middle} ${fromY.toFixed(1)} ${middle} ${y.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
  }).join(' ');
}
