/**
 * What the tests of death at labelled steps share: a scene with a guest that surfs on one paid connection all along and a
 * guest whose life brings the agent to its steps, and what must hold after each death.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { View } from '../../captive-portal/page/wire.ts';
import type { SignedQuote } from '../../protocol/quote.ts';
import { bundleAgent } from '../../tools/build-agent.ts';
import { elevate } from './elevate.ts';
import type { Label } from './fate.ts';
import { DEPOSIT_UNITS, type Guest } from './guest.ts';
import { unlabelled } from './labelled-steps.ts';
import { type Life, MortalAgent } from './mortal-agent.ts';
import type { SceneOptions } from './scene.ts';
import { openTestScene, type TestScene } from './test-scene.ts';
import { until } from './wait.ts';

/** All deaths of a story, and more, on a busy machine. */
export const PATIENCE_MS = 120_000;
const MOST_BACK_MS = 10_000;
/**
 * Three times what all deaths of a story take on a quiet machine of two cores. Where more is gone the labels that are left are
 * skipped, and named: the time limit of a file would fail the whole story for them.
 */
const BUDGET_MS = 140_000;
/** Of which procd waits so long (openwrt/files/etc/init.d/shareagent). */
const RESPAWN_MS = 5_000;
/** Lasts longer than any test may. */
const SURFER_MB = 20n;
const SURFER_BYTES_PER_S = 100_000;
const FIRST_UNITS = 2_000n;

const MORTAL_MAIN = fileURLToPath(new URL('./mortal-main.ts', import.meta.url));
/** Below the checkout, so that what is there finds its packages. */
const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));

export class MortalStory {
  readonly scene: TestScene;
  readonly mortal: MortalAgent;
  readonly surfer: Guest;
  readonly payer: Guest;
  /** The connection that begins before the first death. */
  readonly flow: string;
  readonly quote: SignedQuote;
  readonly lives: Life[] = [];
  /** What the paying guest has signed, and what of it the router has said yes to. */
  signedUnits = 0n;
  acknowledgedUnits = 0n;

  private constructor(scene: TestScene, flow: string, quote: SignedQuote) {
    const { guest: surfer, other: payer } = scene;
    this.scene = scene;
    this.surfer = surfer;
    this.payer = payer;
    this.flow = flow;
    this.quote = quote;
    this.mortal = new MortalAgent(scene, { guest: surfer, flow }, payer);
  }

  /** `extra`: more guests than the two, and options of the agent beyond the story's. */
  static async begin(extra: Partial<SceneOptions> = {}): Promise<MortalStory> {
    elevate();
    const folder = temporaryFolder();
    const command = [process.execPath, await bundleAgent(MORTAL_MAIN, folder)];
    // The next life need not compile again what this one has.
    process.env['NODE_COMPILE_CACHE'] = `${folder}/compiled`;
    const options = { session: { sample_ms: '200', flush: '2s' }, proofs: { interval: '2s' }, ...extra.options };
    const scene = await openTestScene({ ...extra, command, options });
    const { guest: surfer, other: payer } = scene;
    await Promise.all([surfer.join(), payer.join()]);
    await surfer.buy(SURFER_MB);
    const { quote } = await payer.portal.terms();
    const flow = await surfer.startDownload(4, Number(SURFER_MB) * 1_000_000, SURFER_BYTES_PER_S);
    return new MortalStory(scene, flow, quote);
  }

  /** The paying guest opens its channel, however often it must ask. */
  async open(): Promise<View> {
    const { payer, quote } = this;
    this.signedUnits = quote.openFee + FIRST_UNITS;
    await payer.portal.openPatiently(payer.passCode.code, DEPOSIT_UNITS, this.signedUnits, 'stream', PATIENCE_MS);
    const view = await payer.viewWhere('credit', 20_000, ({ creditUnits }) => creditUnits > 0n);
    this.acknowledgedUnits = this.signedUnits;
    return view;
  }

  /** Dies at one after the other while `act` goes on; a held step is where the life before has come to on its own. */
  async dieInTurn(t: Test, labels: readonly Label[], act: () => Promise<unknown>): Promise<void> {
    const [first] = labels;
    if (first !== undefined) this.mortal.fate.order({ label: first, isHeld: true });
    const acting = act();
    acting.catch(() => undefined);
    for (const [i, label] of labels.entries()) {
      if (process.uptime() * 1_000 > BUDGET_MS) {
        t.pass(labels.slice(i).join(', '), { skip: 'this machine is too slow today' });
        break;
      }
      this.#holds(t, await this.mortal.dieAt(label, labels[i + 1]));
    }
    this.mortal.fate.lift();
    await acting;
  }

  /** The guest asks again and again until it is so, as a page does that gets no answer. */
  async insist(what: string, ask: () => Promise<unknown>, isSo: (view: View) => boolean): Promise<void> {
    await until(what, PATIENCE_MS, async () => {
      if (isSo(await this.payer.portal.view())) return true;
      await ask();
      return false;
    });
  }

  paidBytes(units: bigint): bigint {
    const { openFee, unitsPerMb } = this.quote;
    return units < openFee ? 0n : ((units - openFee) * 1_000_000n) / unitsPerMb;
  }

  /**
   * Whether it was back in time after each death, and no step that changes something has gone unlabelled. Time in which other
   * programs had the processors does not count: how slow the machine is today must hide no agent that is slow itself.
   */
  judge(t: Test): void {
    const backMs = this.lives.map((life) => Math.round(life.backMs)).toSorted((a, b) => a - b);
    t.comment(`${backMs.length} lives: back after ${backMs[0]} to ${backMs.at(-1)} ms`);
    t.same(unlabelled(this.mortal.fate.steps()), []);
    for (const life of this.lives) {
      const ownMs = Math.round(life.backMs - life.waitedMs);
      t.ok(ownMs + RESPAWN_MS < MOST_BACK_MS, `${ownMs} ms, ${life.label}`);
    }
  }

  #holds(t: Test, life: Life): void {
    const { label, backMs, waitedMs, bytesAtDeath, bytesBack, flowError, view, voucherUnits, grantedBytes } = life;
    const { acknowledgedUnits, signedUnits } = this;
    this.lives.push(life);
    t.comment(
      `${label}: back after ${Math.round(backMs)} ms, ${Math.round(waitedMs)} ms of them waiting for a processor`,
    );
    t.equal(flowError, undefined, `the paid connection lives, ${label}`);
    t.ok(bytesBack > bytesAtDeath, `and has moved from ${bytesAtDeath} to ${bytesBack}`);
    // Before there is a channel nothing is promised, and when it is settled the books are closed.
    const known = voucherUnits ?? acknowledgedUnits;
    t.ok(known >= acknowledgedUnits, `the voucher of ${known} is known, acknowledged was ${acknowledgedUnits}`);
    t.ok(view.creditUnits <= signedUnits, `credit ${view.creditUnits}, signed ${signedUnits}`);
    t.ok(view.phase !== 'active' || view.creditUnits >= acknowledgedUnits, `credit ${view.creditUnits}`);
    const paid = this.paidBytes(known);
    t.ok(grantedBytes <= paid, `the kernel granted ${grantedBytes} of ${paid} paid bytes`);
  }
}

function temporaryFolder(): string {
  mkdirSync(BUILD, { recursive: true });
  const folder = mkdtempSync(`${BUILD}mortal-`);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
