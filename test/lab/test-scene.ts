/** A scene for an end-to-end test file: built once, closed with the file, its logs shown if something failed. */
import t from 'tap';
import { buildPage } from '../../tools/build-page.ts';
import { elevate } from './elevate.ts';
import type { Guest } from './guest.ts';
import { Lab } from './lab.ts';
import { logTails } from './log-tails.ts';
import { openScene, type Scene, type SceneOptions } from './scene.ts';

/** tap's own 30 s are for unit tests; test/e2e/run.ts ends a file that hangs. */
const FILE_TIMEOUT_MS = 290_000;

export type TestScene = Scene & { readonly guest: Guest; readonly other: Guest };

export async function openTestScene(options: Partial<SceneOptions> = {}): Promise<TestScene> {
  elevate();
  t.setTimeout(FILE_TIMEOUT_MS);
  const labs: Lab[] = [];
  // Before the lab's own way out, which removes the logs: a file may also break outside its tests.
  process.once('exit', (code) => {
    const [lab] = labs;
    if (code !== 0 && lab?.isOpen === true) process.stderr.write(`${logTails(lab)}\n`);
  });
  const lab = new Lab();
  labs.push(lab);
  t.teardown(async () => {
    if (!t.passing()) t.comment(logTails(lab));
    await lab.close();
  });
  await buildPage();
  const scene = await openScene(lab, { guests: 2, ...options });
  const [guest, other] = scene.guests as readonly [Guest, Guest];
  return { ...scene, guest, other };
}
