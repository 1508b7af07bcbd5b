/**
 * What the tests of death at labelled steps share: a scene with a guest that surfs on one paid connection all along and a
 * guest whose life brings the agent to its steps, and what must hold after each death.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { View } from '../../captive-portal/page/wire.ts';
import type { SignedQuote } from '../../protocol/quote.ts';
import type { Label } from './fate.ts';
import { DEPOSIT_UNITS, type Guest } from './guest.ts';
import { unlabelled } from './labelled-steps.ts';
import { type Life, MORTAL_COMMAND, MortalAgent } from './mortal-agent.ts';
import { openTestScene, type TestScene } from './test-scene.ts';
import { until } from './wait.ts';

/** All deaths of a story, and more, on a busy machine. */
export const PATIENCE_MS = 120_000;
const MOST_BACK_MS = 10_000;
/**
 * A quiet machine of two cores needs half of it for all deaths of a story. Where more is gone the labels that are left are
 * skipped, and said to be: the time limit of a file would fail the whole story for them.
 */
const BUDGET_MS = 100_000;
/** Of which procd waits so long (openwrt/files/etc/init.d/shareagent). */
const RESPAWN_MS = 5_000;
/** On a machine that does much else, half of all lives may take so many times what the quickest took. */
const SLOW = 8;
/** Lasts longer than any test may. */
const SURFER_MB = 20n;
const SURFER_BYTES_PER_S = 100_000;
const FIRST_UNITS = 2_000n;

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

  static async begin(): Promise<MortalStory> {
    // The next life need not compile again what this one has: half of what a start costs.
    const compiled = mkdtempSync(join(tmpdir(), 'compiled-'));
    process.env['NODE_COMPILE_CACHE'] = compiled;
    process.once('exit', () => rmSync(compiled, { recursive: true, force: true }));
    const options = { session: { sample_ms: '200', flush: '2s' }, proofs: { interval: '2s' } };
    const scene = await openTestScene({ command: MORTAL_COMMAND, options });
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
      if (this.#isLate(t, label)) break;
      this.#holds(t, await this.mortal.dieAt(label, labels[i + 1]));
    }
    this.mortal.fate.lift();
    await acting;
  }

  #isLate(t: Test, what: string): boolean {
    if (process.uptime() * 1_000 < BUDGET_MS) return false;
    t.pass(`${what} and what follows it`, { skip: 'this machine is too slow today' });
    return true;
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

  /** Whether it was back in time after each death, and no step that changes something has gone unlabelled. */
  judge(t: Test): void {
    const backMs = this.lives.map((life) => life.backMs).toSorted((a, b) => a - b);
    const [quickest = Number.POSITIVE_INFINITY] = backMs;
    const median = backMs[backMs.length >> 1] ?? Number.POSITIVE_INFINITY;
    const most = backMs.at(-1) ?? Number.POSITIVE_INFINITY;
    t.comment(`${backMs.length} lives: back after ${Math.round(quickest)} to ${Math.round(most)} ms`);
    t.same(unlabelled(this.mortal.fate.steps()), []);
    if (this.#isLate(t, 'the time it took')) return;
    t.ok(quickest + RESPAWN_MS < MOST_BACK_MS, `${quickest} ms`);
    t.ok(median < Math.max(MOST_BACK_MS - RESPAWN_MS, SLOW * quickest), `${median} ms`);
  }

  #holds(t: Test, life: Life): void {
    const { label, backMs, bytesAtDeath, bytesBack, flowError, view, voucherUnits, grantedBytes } = life;
    const { acknowledgedUnits, signedUnits } = this;
    this.lives.push(life);
    t.comment(`${label}: back after ${Math.round(backMs)} ms`);
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
