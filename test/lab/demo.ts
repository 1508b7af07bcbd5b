/**
 * `make demo`: the whole product in one small world, told with figures. Ends with a table of promised against measured and
 * one line of JSON; exit code 0 only if every promise was kept. KEEP=1 leaves the world up until Ctrl-C.
 */
import { writeFileSync } from 'node:fs';
import { loadOrCreateKey } from '../../agent/adapters/device-key.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { buildPage } from '../../tools/build-page.ts';
import { deviceKeyPath } from './agent.ts';
import { tellArrival } from './demo-arrival.ts';
import { tellCut } from './demo-cut.ts';
import { emptyFigures, type Figures } from './demo-figures.ts';
import { howToLookAround } from './demo-keep.ts';
import { tellPurchase } from './demo-purchase.ts';
import { tellSettlement } from './demo-settlement.ts';
import { tellStream } from './demo-stream.ts';
import { elevate } from './elevate.ts';
import type { Guest } from './guest.ts';
import { Lab } from './lab.ts';
import { logTails } from './log-tails.ts';
import { openScene, type Scene } from './scene.ts';
import { Story } from './story.ts';
import { terminalPicture } from './terminal-picture.ts';

/** What the demo may take, as promised in the README. */
const MOST_SECONDS = Number(process.env['DEMO_MOST_SECONDS'] ?? 60);
/** Proofs every few seconds instead of every ten minutes: the last one is waited for. */
const OPTIONS = { portal: { faucet: '10' }, proofs: { interval: '3s' }, session: { sample_ms: '200', grace: '60s' } };

/** Everything said so far. DEMO_PICTURE=FILE draws it as an SVG (docs/images/demo.svg). */
let told = '';

refuseWhatItDoesNotKnow();
elevate();
process.exitCode = await main();

async function main(): Promise<number> {
  const story = new Story(say);
  const figures = emptyFigures();
  const lab = new Lab();
  let scene: Scene | undefined;
  let failure: unknown;
  try {
    scene = await build(story, lab);
    await tell(story, scene, figures);
    const { seconds } = story;
    story.promise('the whole story', `< ${MOST_SECONDS} s`, `${seconds.toFixed(1)} s`, seconds < MOST_SECONDS);
  } catch (error) {
    failure = error;
    say(`\nThe story broke off: ${error instanceof Error ? error.message : String(error)}\n${logTails(lab)}\n`);
  }
  const { seconds } = story;
  const isOk = failure === undefined && story.isKept;
  say(`\n${story.table()}\n`);
  if (process.env['KEEP'] === '1' && scene !== undefined) {
    // For the faucet: 100 guests may try.
    await scene.chain.give(addressFromSecretKey(loadOrCreateKey(deviceKeyPath(lab))), 10_000_000n);
    say(`${howToLookAround(scene)}${summary(isOk, figures, seconds)}\n`);
    // The lab itself cleans up and ends the process on Ctrl-C.
    await new Promise(() => setInterval(() => undefined, 60_000));
  }
  await lab.close();
  const picture = process.env['DEMO_PICTURE'];
  if (picture !== undefined) writeFileSync(picture, terminalPicture('$ make demo', told));
  say(`\n${summary(isOk, figures, seconds)}\n`);
  return isOk ? 0 : 1;
}

async function build(story: Story, lab: Lab): Promise<Scene> {
  const scenes: Scene[] = [];
  await story.step('a small world: internet, router, two guests, chain, collector', async () => {
    await buildPage();
    const scene = await openScene(lab, { guests: 2, options: OPTIONS });
    scenes.push(scene);
    const seconds = (scene.startMs / 1_000).toFixed(2);
    return `up, links without GRO and TSO so that all counters see the same packets; agent serves after ${seconds} s`;
  });
  return scenes[0] as Scene;
}

async function tell(story: Story, scene: Scene, figures: Figures): Promise<void> {
  const [phone, laptop] = scene.guests as readonly [Guest, Guest];
  await tellArrival(story, scene, phone);
  await tellPurchase(story, scene, phone, figures);
  await tellCut(story, scene, phone, figures);
  await tellStream(story, laptop);
  await tellSettlement(story, scene, [phone, laptop], figures);
}

/** A slip must not cost a minute, nor pass for what was meant. */
function refuseWhatItDoesNotKnow(): void {
  const [surplus] = process.argv.slice(2);
  const keep = process.env['KEEP'] ?? '';
  if (surplus === undefined && ['', '0', '1'].includes(keep)) return;
  const got = surplus === undefined ? `KEEP=${keep}` : `the argument ${surplus}`;
  process.stderr.write(
    `make demo takes no arguments; KEEP=1 leaves its world up, KEEP=0 or nothing does not; got ${got}\n`,
  );
  process.exit(2);
}

/** The last line: for scripts. */
function summary(ok: boolean, figures: Figures, seconds: number): string {
  const { wireBytes, meteredBytes, paidBytes, overshootBytes, refundUnits, vouchers, proofsAccepted } = figures;
  return JSON.stringify({
    ok,
    wireBytes: Number(wireBytes),
    meteredBytes: Number(meteredBytes),
    paidBytes: Number(paidBytes),
    overshootBytes: Number(overshootBytes),
    refundUnits: Number(refundUnits),
    vouchers,
    proofsAccepted,
    seconds: Math.round(seconds * 10) / 10,
  });
}

function say(text: string): void {
  told += text;
  process.stdout.write(text);
}
