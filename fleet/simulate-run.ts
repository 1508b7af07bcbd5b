/**
 * Ten thousand routers against one collector: each closes its interval when it is due, tells the truth or a lie, and looks at
 * the signed answer. At the end the collector's own list is read back and compared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../protocol/address.ts';
import { isProofReceiptSigned, type SignedProofReceipt, type Verdict } from '../protocol/verdict.ts';
import type { CollectorDeployment } from './judge-proof.ts';
import type { Poster } from './simulate-post.ts';
import { type Deed, type Expected, LIES, type Lie, type SimulatedRouter } from './simulate-router.ts';

export type SimulationPlan = {
  readonly deployment: CollectorDeployment;
  /** Whose signature receipts must bear. */
  readonly collector: Address;
  readonly routers: readonly SimulatedRouter[];
  readonly durationMs: number;
  readonly intervalMs: number;
  /** Part of all intervals that end in each lie; the rest is honest. */
  readonly rates: Readonly<Record<Lie, number>>;
  /** Every n-th receipt's signature is checked; it costs as much as making two proofs. */
  readonly checkEvery: number;
  /** Routers whose whole list is read back at the end. */
  readonly readBack: number;
  readonly random: () => number;
  readonly onProgress: (progress: Progress) => void;
};

export type Progress = {
  readonly elapsedMs: number;
  readonly sent: number;
  readonly wrong: number;
  readonly waiting: number;
  readonly p99Ms: number;
};

export type DeedTally = { sent: number; right: number; readonly got: Map<string, number> };

export type SimulationResult = {
  readonly tallies: ReadonlyMap<Expected['deed'], DeedTally>;
  readonly sent: number;
  /** Answers that are not what they must be, the first of them in words. */
  readonly wrong: number;
  readonly examples: readonly string[];
  readonly retries: number;
  readonly elapsedMs: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly signaturesChecked: number;
  readonly readBack: { readonly routers: number; readonly proofs: number; readonly missing: number };
};

const MAX_EXAMPLES = 10;
const PROGRESS_MS = 1_000;

export class Simulation {
  readonly #plan: SimulationPlan;
  readonly #poster: Poster;
  readonly #tallies = new Map<Expected['deed'], DeedTally>();
  readonly #latencies: number[] = [];
  readonly #examples: string[] = [];
  readonly #acknowledged = new Map<Address, Map<string, string>>();
  #sent = 0;
  #wrong = 0;
  #waiting = 0;
  #retries = 0;
  #checked = 0;

  constructor(plan: SimulationPlan, poster: Poster) {
    this.#plan = plan;
    this.#poster = poster;
  }

  async run(): Promise<SimulationResult> {
    const { routers, durationMs, onProgress } = this.#plan;
    const startedMs = performance.now();
    const progress = (): void => onProgress(this.#progress(performance.now() - startedMs));
    const timer = setInterval(progress, PROGRESS_MS);
    try {
      await Promise.all(routers.map((router, i) => this.#live(router, i, startedMs + durationMs)));
    } finally {
      clearInterval(timer);
    }
    progress();
    const elapsedMs = performance.now() - startedMs;
    const readBack = await this.#readBack();
    const sorted = Float64Array.from(this.#latencies).sort();
    return {
      tallies: this.#tallies,
      sent: this.#sent,
      wrong: this.#wrong,
      examples: this.#examples,
      retries: this.#retries,
      elapsedMs,
      latencyMs: { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: sorted.at(-1) ?? 0 },
      signaturesChecked: this.#checked,
      readBack,
    };
  }

  /** Routers start spread over one interval, as those of a fleet do. Each is looked at once at least. */
  async #live(router: SimulatedRouter, number: number, untilMs: number): Promise<void> {
    const { routers, intervalMs, durationMs } = this.#plan;
    await sleep((Math.min(intervalMs, durationMs) * number) / routers.length);
    let dueMs: number;
    do {
      dueMs = performance.now() + intervalMs;
      const nowS = BigInt(Math.floor(Date.now() / 1000));
      let first: SignedProofReceipt | undefined;
      for (const expected of router.act(this.#deed(), nowS)) {
        const receipt = await this.#send(router, expected, first);
        first ??= receipt;
      }
      await sleep(Math.max(0, Math.min(dueMs, untilMs) - performance.now()));
      // A timer may fire a part of a millisecond early: that the time is over is known before it.
    } while (dueMs < untilMs && performance.now() < untilMs);
  }

  #deed(): Deed {
    let rest = this.#plan.random();
    for (const lie of LIES) {
      rest -= this.#plan.rates[lie];
      if (rest < 0) return lie;
    }
    return 'honest';
  }

  async #send(
    router: SimulatedRouter,
    expected: Expected,
    earlier: SignedProofReceipt | undefined,
  ): Promise<SignedProofReceipt | undefined> {
    this.#waiting += 1;
    const posted = await this.#poster.post(expected.body);
    this.#waiting -= 1;
    this.#sent += 1;
    this.#retries += posted.retries;
    const tally = this.#tallyOf(expected.deed);
    tally.sent += 1;
    const got = posted.ok ? posted.receipt.verdict : 'no receipt';
    tally.got.set(got, (tally.got.get(got) ?? 0) + 1);
    if (posted.ok) this.#latencies.push(posted.ms);
    const flaw = posted.ok ? this.#flaw(expected, posted.receipt, earlier) : posted.message;
    if (flaw === undefined) tally.right += 1;
    else this.#blame(`${expected.deed} of ${router.address}: ${flaw}`);
    if (!posted.ok) return undefined;
    this.#acknowledge(router.address, posted.receipt, expected.listed);
    return posted.receipt;
  }

  #flaw(expected: Expected, receipt: SignedProofReceipt, earlier: SignedProofReceipt | undefined): string | undefined {
    const { collector, deployment, checkEvery } = this.#plan;
    if (receipt.verdict !== expected.verdict) return `must be ${expected.verdict}, is ${receipt.verdict}`;
    if (receipt.proof !== expected.digest) return `the receipt is for ${receipt.proof}`;
    if (receipt.collector !== collector) return `the receipt is of ${receipt.collector}`;
    if (expected.isRepeat && receipt.signature !== earlier?.signature) return 'a replay got a receipt of its own';
    if (this.#sent % checkEvery !== 0) return undefined;
    this.#checked += 1;
    return isProofReceiptSigned(deployment, receipt) ? undefined : 'the receipt is not signed by the collector';
  }

  #acknowledge(router: Address, receipt: SignedProofReceipt, listed: Verdict = receipt.verdict): void {
    const known = this.#acknowledged.get(router) ?? new Map<string, string>();
    known.set(receipt.proof, listed);
    this.#acknowledged.set(router, known);
  }

  /** What was acknowledged must be on the collector's list, once, with the same verdict; or with the one that it must have changed to. */
  async #readBack(): Promise<SimulationResult['readBack']> {
    const all = [...this.#acknowledged];
    const step = Math.max(1, Math.floor(all.length / Math.max(1, this.#plan.readBack)));
    const sample = all.filter((_, i) => i % step === 0).slice(0, this.#plan.readBack);
    let proofs = 0;
    let missing = 0;
    for (const [router, known] of sample) {
      const listed = await this.#listed(router).catch(() => []);
      for (const [digest, verdict] of known) {
        proofs += 1;
        const rows = listed.filter((row) => row.digest === digest);
        if (rows.length === 1 && rows[0]?.verdict === verdict) continue;
        missing += 1;
        this.#blame(
          `${router}: proof ${digest} must be listed once as ${verdict}, is ${rows.map((row) => row.verdict).join(', ') || 'not listed'}`,
        );
      }
    }
    return { routers: sample.length, proofs, missing };
  }

  async #listed(router: Address): Promise<readonly { digest: string; verdict: string }[]> {
    const rows: { digest: string; verdict: string }[] = [];
    const key = this.#plan.routers.find(({ address }) => address === router);
    for (let after = '0'; ; ) {
      const untilS = BigInt(Math.floor(Date.now() / 1000)) + 300n;
      const access = key?.readerHeader(this.#plan.collector, untilS) ?? '';
      const page = (await this.#poster.get(`/v1/proofs?device=${router}&after=${after}&limit=1000`, access)) as {
        proofs: { digest: string; verdict: string }[];
        next: string;
      };
      rows.push(...page.proofs);
      if (page.proofs.length < 1000) return rows;
      after = page.next;
    }
  }

  #blame(example: string): void {
    this.#wrong += 1;
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push(example);
  }

  #tallyOf(deed: Expected['deed']): DeedTally {
    const tally = this.#tallies.get(deed) ?? { sent: 0, right: 0, got: new Map() };
    this.#tallies.set(deed, tally);
    return tally;
  }

  #progress(elapsedMs: number): Progress {
    const recent = Float64Array.from(this.#latencies.slice(-1000)).sort();
    return { elapsedMs, sent: this.#sent, wrong: this.#wrong, waiting: this.#waiting, p99Ms: quantile(recent, 0.99) };
  }
}

function quantile(sorted: Float64Array, part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
