/** axe-core in a page of the guest's: what breaks WCAG 2.2, levels A and AA, as far as a machine can tell. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const SOURCE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** Rule and elements of each violation; [] on a clean page. The protocol of the debugger is not bound by the page's CSP. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(SOURCE);
  return await page.evaluate<string[]>(`axe.run(document, { runOnly: ${JSON.stringify(TAGS)} }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ')))`);
}
