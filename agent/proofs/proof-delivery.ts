/**
 * Signs the intervals that wait and brings them to the collector, oldest first; only its signed receipt lets one go.
 *
 * Before anything is signed after a start, the collector is asked how far this device's chain goes: a journal that was lost,
 * or that came out of an old backup, does not know, and would sign numbers for the second time.
 */

import { clockCorrectionDigest } from '../../protocol/clock-statement.ts';
import type { SignedTrafficProof } from '../../protocol/traffic-proof.ts';
import { trafficProofDigestHex } from '../../protocol/traffic-proof.ts';
import { judgeHead } from '../core/judge-head.ts';
import { decodeDraft, encodeDraft } from '../core/proof-draft.ts';
import type { CollectorAnswer, JournalEntry, OutboxItem, ProofUploader } from '../ports.ts';
import { EPOCH_S, type ProofClock, type UndatedRange } from './proof-clock.ts';
import type { ProofMakerDeps } from './proof-maker-deps.ts';
import { ProofResend } from './proof-resend.ts';
import type { ProofSealer } from './proof-sealer.ts';

export type ProofDeliveryDeps = ProofMakerDeps & {
  readonly run: string;
  readonly proofClock: ProofClock;
  readonly sealer: ProofSealer;
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
};

type Head = Extract<Awaited<ReturnType<NonNullable<ProofUploader['head']>>>, { ok: true }>['head'];

/** Numbers back from the newest that are looked for in the journal; it forgets older ones by and by. */
const MAX_LOOK_BACK = 9_000n;

export class ProofDelivery {
  readonly #deps: ProofDeliveryDeps;
  #uploading: Promise<void> | undefined;
  #failures = 0;
  #nextUploadMs = 0;
  #isInStep = false;
  #isTimeAsked = false;
  #isClosed = false;
  /** Intervals that the journal held when the agent started: an old backup's may be proven already. */
  #setApart: readonly bigint[] = [];
  #undated: readonly UndatedRange[] = [];
  readonly #resend: ProofResend;
  /** Whether the collector may lack proofs of this device; after a start nobody knows. */
  #mayHaveGaps = true;

  constructor(deps: ProofDeliveryDeps) {
    this.#deps = deps;
    this.#resend = new ProofResend({ ...deps, isClosed: () => this.#isClosed });
  }

  /** Without a collector that can be asked, the journal's word must do. */
  get maySign(): boolean {
    return this.#deps.uploader?.head === undefined ? this.#deps.heldBecause === undefined : this.#isInStep;
  }

  setApart(draftIds: readonly bigint[]): void {
    this.#setApart = draftIds;
  }

  /** A proof was signed, over an interval that `run` closed. */
  signed({ seq, clockState }: Pick<SignedTrafficProof, 'seq' | 'clockState'>, run: string): void {
    if (clockState === 1n || run !== this.#deps.run) return;
    const last = this.#undated.at(-1);
    // What lies between two ranges may be of another run, whose seconds mean something else.
    this.#undated =
      last?.toSeq === seq - 1n
        ? [...this.#undated.slice(0, -1), { ...last, toSeq: seq }]
        : [...this.#undated, { fromSeq: seq, toSeq: seq }];
  }

  poll(): void {
    const { uploader, journal, clock, log } = this.#deps;
    if (uploader === undefined || this.#uploading !== undefined || this.#isClosed) return;
    if (clock.monotonicMs() < this.#nextUploadMs) return;
    const { signed, drafts } = journal.waiting();
    if (signed + drafts === 0 && this.#undated.length === 0 && !this.#mayHaveGaps) return;
    this.#uploading = this.#deliverAll(uploader)
      .catch((cause: unknown) => {
        // The collector may have it already; sent again it answers with the same receipt.
        log.error({ err: cause, retryInMs: this.#waitLonger() }, 'upload-failed');
      })
      .finally(() => {
        this.#uploading = undefined;
      });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#uploading;
  }

  /** Oldest first, so that the collector sees the chain in order; stops at the first failure and waits. */
  async #deliverAll(uploader: ProofUploader): Promise<void> {
    if (!(await this.#isReady(uploader))) return;
    while (!this.#isClosed) {
      const item = this.#deps.journal.outbox(1)[0];
      if (item === undefined) {
        if (await this.#deps.inTurn(() => this.#sealNext())) continue;
        if (!(await this.#fillGaps(uploader))) return;
        await this.#putClockRight(uploader);
        return;
      }
      if (!(await this.#deliver(uploader, item))) return;
    }
  }

  async #deliver(uploader: ProofUploader, item: OutboxItem): Promise<boolean> {
    const { driver, log } = this.#deps;
    const answer = await uploader.upload(item.body);
    if (!answer.ok) return this.#failed(answer.message, { seq: item.seq.toString() });
    await driver.commit([{ kind: 'receipt', digest: item.digest, receipt: answer.receipt }]);
    this.#failures = 0;
    const { verdict } = answer.receipt;
    if (verdict === 'gap') this.#mayHaveGaps = true;
    const details = { seq: item.seq.toString(), verdict };
    // Somebody else signs with this device's key, or this journal is not the only one.
    if (verdict === 'equivocation') log.error(details, 'proof-contradicted');
    else log.info(details, 'proof-acknowledged');
    return true;
  }

  async #fillGaps(uploader: ProofUploader): Promise<boolean> {
    if (!this.#mayHaveGaps) return true;
    const answer = await this.#resend.fillGaps(uploader);
    if (!answer.ok) return this.#failed(answer.message, { asked: 'missing' });
    this.#mayHaveGaps = false;
    this.#failures = 0;
    return true;
  }

  async #isReady(uploader: ProofUploader): Promise<boolean> {
    await this.#askTime(uploader);
    if (uploader.head === undefined || this.#isInStep) return true;
    const answer = await uploader.head();
    if (!answer.ok) return this.#failed(answer.message, { asked: 'head' });
    await this.#deps.inTurn(() => this.#takeHead(answer.head));
    this.#failures = 0;
    return true;
  }

  async #takeHead(head: Head): Promise<void> {
    const { driver, journal, config, proofClock, log } = this.#deps;
    const { chainId, registry } = config.chain;
    const digest = head === undefined ? undefined : trafficProofDigestHex({ chainId, registry }, head.proof);
    const now = proofClock.now();
    const judged = judgeHead(
      { nextSeq: driver.state.proofs.nextSeq, digestOf: (seq) => this.#digestOf(seq) },
      head === undefined || digest === undefined ? undefined : { proof: head.proof, digest },
      proofClock.epochOf(now, this.#deps.clock.wall().unixS / EPOCH_S),
    );
    if (judged.kind === 'forked' && head !== undefined && digest !== undefined) {
      const stale = journal.outbox(1_000_000).filter(({ seq, digest: own }) => seq >= head.proof.seq && own !== digest);
      const entries: JournalEntry[] = [
        {
          kind: 'chain-rebased',
          head: { proof: head.proof, digest, receipt: head.receipt },
          minEpoch: judged.minEpoch,
        },
        ...this.#setApart.map((id) => ({ kind: 'draft-gone' as const, id })),
        // Signed beside the collector's chain and not sent: signed anew, after it.
        ...stale.map(({ body }) => ({
          kind: 'draft' as const,
          run: '',
          body: encodeDraft(decodeDraft(body), this.#deps.signer.address),
        })),
      ];
      await driver.commit(entries);
      const { nextSeq, prev, minEpoch } = judged;
      driver.dispatch({ kind: 'chain-rebased', nextSeq, prev, minEpoch });
      const details = { head: head.proof.seq.toString(), epoch: minEpoch.toString(), dropped: this.#setApart.length };
      log.error({ ...details, signedAnew: stale.length }, 'chain-forked');
    }
    this.#setApart = [];
    this.#isInStep = true;
  }

  #digestOf(seq: bigint): OutboxItem['digest'] | undefined {
    const back = this.#deps.driver.state.proofs.nextSeq - seq;
    if (back > MAX_LOOK_BACK) return undefined;
    return this.#deps.journal.proofs(Number(back)).find(({ proof }) => proof.seq === seq)?.digest;
  }

  /** Signs the oldest interval that waits for it; false if there is none. */
  async #sealNext(): Promise<boolean> {
    const { driver, journal, sealer, proofClock, run, log } = this.#deps;
    const item = journal.drafts(1)[0];
    if (item === undefined || !this.maySign) return false;
    const draft = decodeDraft(item.body);
    const sealed = sealer.seal(item.run === run ? proofClock.revised(draft) : draft, driver.state.proofs);
    await driver.commit([
      { kind: 'proof', ...sealed },
      { kind: 'draft-gone', id: item.id },
    ]);
    const { proof, digest } = sealed.record;
    driver.dispatch({ kind: 'proof-sealed', seq: proof.seq, digest });
    this.signed(proof, item.run);
    log.info({ seq: proof.seq.toString(), paid: proof.paid.toString() }, 'proof-closed');
    return true;
  }

  /** Once a run; the proofs do not wait for it. */
  async #askTime({ time }: ProofUploader): Promise<void> {
    if (time === undefined || this.#isTimeAsked) return;
    const { clock, proofClock, config, log } = this.#deps;
    const askedMs = clock.monotonicMs();
    const answer = await time();
    if (!answer.ok) {
      log.info({ message: answer.message }, 'time-not-told');
      return;
    }
    this.#isTimeAsked = true;
    const { chainId, registry } = config.chain;
    proofClock.learn({ chainId, registry }, answer.statement, askedMs);
  }

  /** Tells the collector when the seconds were that proofs of this run were signed with, and asks for their new verdicts. */
  async #putClockRight(uploader: ProofUploader): Promise<void> {
    const { correct } = uploader;
    const { signer, config, proofClock, log } = this.#deps;
    const range = this.#undated[0];
    const correction = range === undefined ? undefined : proofClock.correction(signer.address, range);
    if (correct === undefined || range === undefined || correction === undefined) {
      // Looked at again when the next interval is delivered; meanwhile there is nothing to do.
      this.#nextUploadMs = this.#deps.clock.monotonicMs() + this.#deps.retryDelayMs(0);
      return;
    }
    const { chainId, registry } = config.chain;
    const signature = signer.sign(clockCorrectionDigest({ chainId, registry }, correction));
    const told: CollectorAnswer<object> = await correct({ ...correction, signature });
    const answer = told.ok
      ? await this.#resend.judgedAgain(uploader, 'clock-unsynced', range.fromSeq, range.toSeq)
      : told;
    if (!answer.ok) {
      this.#failed(answer.message, { asked: 'clock-correction' });
      return;
    }
    // One that was signed meanwhile is looked at with the next interval.
    const rest = { fromSeq: range.toSeq + 1n, toSeq: this.#undated[0]?.toSeq ?? range.toSeq };
    this.#undated = [...(rest.fromSeq > rest.toSeq ? [] : [rest]), ...this.#undated.slice(1)];
    log.info({ fromSeq: `${range.fromSeq}`, toSeq: `${range.toSeq}`, bootS: `${correction.bootS}` }, 'clock-corrected');
  }

  #failed(message: string, details: object): false {
    const retryInMs = this.#waitLonger();
    this.#deps.log.warn({ ...details, message, retryInMs }, 'proof-not-uploaded');
    return false;
  }

  /** Puts the next upload off, longer after each failure in a row; returns the wait. */
  #waitLonger(): number {
    const waitMs = this.#deps.retryDelayMs(this.#failures++);
    this.#nextUploadMs = this.#deps.clock.monotonicMs() + waitMs;
    return waitMs;
  }
}
