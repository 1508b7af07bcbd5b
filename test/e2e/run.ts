/**
 * Runs every test/e2e/*.e2e.ts, two at a time (each builds networks of its own and mostly waits; their time limits leave
 * room for a busy machine), then prints "N passed, N failed". Arguments select files by a part of their name.
 */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { elevate } from '../lab/elevate.ts';
import { withCodeCache } from '../support/code-cache.ts';
import { inLanes, longestFirst } from '../support/lanes.ts';
import { reportOf, runTapProgram } from '../support/tap-program.ts';

/** More than any file may take. */
const MAX_SECONDS = 300;
/** More would only wait for the two processors of a small machine. */
const LANES = 2;
/** Half a minute and more, the longest first: one of them begun last would leave the other lane empty. */
const LONG = [
  'survive-identity',
  'portal-story',
  'survive-labels-paying',
  'luci-views',
  'survive-labels-settling',
  'portal-page',
  'survive-tunnels',
  'portal-hostile',
  'demo',
].map((name) => `${name}.e2e.ts`);

elevate();
const directory = fileURLToPath(new URL('.', import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.e2e.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const env = withCodeCache(process.env);
let failed = 0;
const startedMs = performance.now();
await inLanes(LANES, longestFirst(files, LONG), async (name) => {
  const result = await runTapProgram(`${directory}${name}`, { maxSeconds: MAX_SECONDS, env });
  process.stdout.write(reportOf(name, result));
  if (!result.isOk) failed += 1;
});
const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
process.stdout.write(`${files.length - failed} passed, ${failed} failed (${seconds} s)\n`);
process.exit(failed === 0 && files.length > 0 ? 0 : 1);
