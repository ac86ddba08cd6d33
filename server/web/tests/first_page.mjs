/** What the page begins with, as server/src/web/bundle.rs puts it together. */
import { readFileSync } from 'node:fs';

const web = new URL('../', import.meta.url);
const STATIC_IMPORT = /(?:^|[;}])\s*(?:import|export)\b(?:[^'"();=]*?\bfrom)?\s*["']([^"']+)["']/gm;

/** The modules that one names, by address. @param {string} href @returns {string[]} */
export function imports(href) {
  return [...readFileSync(new URL(href), 'utf8').matchAll(STATIC_IMPORT)].map(([, path]) => new URL(path, href).href);
}

/** What is fetched before anything is drawn: paths from the client's folder, each after those that it needs. */
export function firstModules() {
  /** @type {Set<string>} */
  const met = new Set();
  const order = /** @type {string[]} */ ([]);
  const visit = (/** @type {string} */ href) => {
    if (met.has(href)) return;
    met.add(href);
    imports(href).forEach(visit);
    order.push(href.slice(web.href.length));
  };
  visit(new URL('js/app.js', web).href);
  return order;
}
