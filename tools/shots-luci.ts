/**
 * Takes screenshots of the LuCI pages: docs/images/luci-*.png, or every page in every state into the directory that is
 * the argument. Needs Chromium; LUCI_STATIC=DIR draws them with an installed LuCI instead of our stub of it.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL, URL } from 'node:url';
import { viewNames } from '../test/openwrt/luci/support/app-files.ts';
import type { FakeRouter } from '../test/openwrt/luci/support/fake-rpcd.ts';
import { openLuci } from '../test/openwrt/luci/support/luci-stage.ts';
import { BUSY, QUIET, STOPPED, SWITCHED_OFF, WITH_PASSES } from '../test/openwrt/luci/support/sample-router.ts';

const SIZES = { desktop: { width: 960, height: 640 }, phone: { width: 390, height: 844 } };
type Shot = {
  readonly view: string;
  readonly state: string;
  readonly router: FakeRouter;
  readonly size: keyof typeof SIZES;
  readonly isDark?: boolean;
};

/** What the documents show. */
const KEPT: readonly Shot[] = [
  { view: 'overview', state: 'busy', router: BUSY, size: 'desktop' },
  { view: 'overview', state: 'busy', router: BUSY, size: 'phone' },
  { view: 'overview', state: 'stopped', router: STOPPED, size: 'desktop' },
  { view: 'guests', state: 'busy', router: BUSY, size: 'desktop' },
  { view: 'rewards', state: 'busy', router: BUSY, size: 'desktop' },
];

const [target] = process.argv.slice(2);
const out = target === undefined ? new URL('../docs/images/', import.meta.url) : pathToFileURL(`${target}/`);
mkdirSync(out, { recursive: true });
const luci = await openLuci();
for (const shot of target === undefined ? KEPT : everything()) await take(shot);
await luci.close();

function everything(): readonly Shot[] {
  const states = { busy: WITH_PASSES, quiet: QUIET, stopped: STOPPED, off: SWITCHED_OFF };
  return viewNames().flatMap((view) =>
    Object.entries(states).flatMap(([state, router]) => [
      { view, state, router, size: 'desktop' as const },
      { view, state, router, size: 'phone' as const, isDark: state === 'quiet' },
    ]),
  );
}

async function take({ view, state, router, size, isDark = false }: Shot): Promise<void> {
  const { page, complaints } = await luci.visit(router, view, {
    viewport: SIZES[size],
    screen: SIZES[size],
    colorScheme: isDark ? 'dark' : 'light',
  });
  await page.waitForTimeout(400);
  const file = new URL(`luci-${view}-${state}-${size}.png`, out);
  await page.screenshot({ path: fileURLToPath(file), fullPage: target !== undefined });
  for (const complaint of complaints) console.error(`${view} ${state} ${size}: ${complaint}`);
}
