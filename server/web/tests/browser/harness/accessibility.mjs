/** The judgement of axe over a page as it stands. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { axePath } from './packages.mjs';

let source = '';

/** @param {import('playwright-core').Page} page @param {string} what for the words of a failure */
export async function judge(page, what) {
  source ||= await readFile(axePath(), 'utf8');
  // Told to the browser, not put into the page: the page's policy forbids scripts of others.
  if (!(await page.evaluate('typeof axe !== "undefined"'))) await page.evaluate(source);
  const violations = /** @type {any[]} */ (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations.map(({ id, help, nodes }) =>
    ({ id, help, nodes: nodes.slice(0, 5).map(({ target, failureSummary }) => target.join(' ') + ': ' + failureSummary.split('\\n').slice(1).join(' ').trim()) })))`));
  assert.deepEqual(violations, [], `axe on ${what}`);
}
