/**
 * Closes proof intervals. Closing is one transaction: the interval, and the sessions' proven marks. It is signed in the same
 * transaction while the collector keeps up; else it waits unsigned (core/proof-draft.ts) and proof-delivery.ts signs it when
 * its turn comes. So no number is signed twice with different content (invariant I5), whatever happens to the flash.
 */
import { channelId } from '../../protocol/channel.ts';
import { GENESIS_PREV, type SessionLeaf } from '../../protocol/traffic-proof.ts';
import { MAX_LEAVES } from '../../protocol/traffic-proof-wire.ts';
import { voucherDigestHex } from '../../protocol/voucher.ts';
import type { ProvenMarks } from '../core/events.ts';
import type { SessionId } from '../core/model.ts';
import { openShares, type ProofShare } from '../core/open-shares.ts';
import { compactDrafts, decodeDraft, encodeDraft, type ProofDraft } from '../core/proof-draft.ts';
import type { JournalEntry } from '../ports.ts';
import { ProofClock } from './proof-clock.ts';
import { ProofDelivery } from './proof-delivery.ts';
import type { ProofMakerDeps } from './proof-maker-deps.ts';
import { ProofSealer } from './proof-sealer.ts';

/** Bytes of flash for what the collector has not got yet: a month of ten-minute intervals, merged by and by. */
const DEFAULT_BUDGET_BYTES = 2 * 1024 * 1024;
/** So many signed proofs may wait, in at most a quarter of the budget; what comes after them can still be merged. */
const MAX_SIGNED_AHEAD = 64;
/** Intervals read at once: far more than fit the largest budget. */
const ALL = 1_000_000;

export class ProofMaker {
  readonly #deps: ProofMakerDeps;
  readonly #run: string;
  readonly #clock: ProofClock;
  readonly #sealer: ProofSealer;
  readonly #delivery: ProofDelivery;
  /** One change of chain and drafts at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #closeFailures = 0;
  #nextCloseMs = 0;
  /** End of the last interval, if by a clock that was set. */
  #lastEndS: bigint | undefined;
  #lastEpoch: bigint;
  #hasSetApart = false;

  constructor(deps: ProofMakerDeps) {
    const { journal, clock, signer, config } = deps;
    this.#deps = deps;
    this.#run = deps.run ?? '-';
    this.#clock = new ProofClock(clock);
    this.#sealer = new ProofSealer(signer, { chainId: config.chain.chainId, registry: config.chain.registry });
    const waiting = journal.drafts(ALL).at(-1);
    const last = waiting === undefined ? journal.proofs(1)[0]?.proof : decodeDraft(waiting.body);
    this.#lastEndS = last?.clockState === 1n ? last.endS : undefined;
    this.#lastEpoch = last?.epoch ?? 0n;
    this.#delivery = new ProofDelivery({
      ...deps,
      run: this.#run,
      proofClock: this.#clock,
      sealer: this.#sealer,
      inTurn: (work) => this.#inTurn(work),
    });
  }

  /** Why no proof is signed now, and what to do; undefined while they are. */
  get held(): string | undefined {
    return this.#delivery.maySign ? undefined : this.#deps.heldBecause;
  }

  /** Called with each tick: closes the interval when it is due, and uploads what waits. */
  poll(): void {
    const { driver, clock, config } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (!this.#hasSetApart) {
      this.#hasSetApart = true;
      // What the journal held at the start may be older than what the collector has: kept apart from what comes now.
      if (!this.#delivery.maySign) this.#startClosing(() => this.#setApart());
    }
    const dueMs = driver.state.proofs.startedMs + config.proofs.intervalSeconds * 1000;
    if (nowMs >= dueMs && nowMs >= this.#nextCloseMs) this.#startClosing(() => this.closeInterval());
    // Not before it is known which intervals the journal held at the start.
    if (this.#closing === undefined || this.#delivery.maySign) this.#delivery.poll();
  }

  /** Stores one interval over everything not yet proven; without any such thing the interval goes on. */
  closeInterval(): Promise<void> {
    return this.#inTurn(() => this.#closeInterval());
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#closing, this.#delivery.close()]);
  }

  async #closeInterval(): Promise<void> {
    const { driver, log } = this.#deps;
    const shares = openShares(driver.state).slice(0, MAX_LEAVES);
    if (shares.length === 0) return;
    const draft = this.#draftOf(shares);
    const proven: ProvenMarks = new Map(
      shares.map((share): [SessionId, ReturnType<typeof provenAfter>] => [share.session.id, provenAfter(share)]),
    );
    const marks = shares.map((share) => driver.sessionEntry(share.session, provenAfter(share)));
    if (this.#maySignNow()) {
      const sealed = this.#sealer.seal(draft, driver.state.proofs);
      await driver.commit([{ kind: 'proof', ...sealed }, ...marks]);
      const { proof, digest } = sealed.record;
      driver.dispatch({ kind: 'proof-stored', seq: proof.seq, digest, endS: proof.endS, proven });
      this.#delivery.signed(proof, this.#run);
      log.info({ seq: proof.seq.toString(), sessions: shares.length, paid: proof.paid.toString() }, 'proof-closed');
    } else {
      const body = encodeDraft(draft, this.#deps.signer.address);
      await driver.commit([{ kind: 'draft', run: this.#run, body }, ...marks]);
      driver.dispatch({ kind: 'interval-drafted', endS: draft.endS, proven });
      log.info({ sessions: shares.length }, 'interval-drafted');
      await this.#keepBudget();
    }
    this.#lastEndS = draft.clockState === 1n ? draft.endS : undefined;
    this.#lastEpoch = draft.epoch;
  }

  async #setApart(): Promise<void> {
    await this.closeInterval();
    this.#delivery.setApart(this.#deps.journal.drafts(ALL).map(({ id }) => id));
  }

  #maySignNow(): boolean {
    if (!this.#delivery.maySign) return false;
    const { drafts, signed, signedBytes } = this.#deps.journal.waiting();
    return drafts === 0 && signed < MAX_SIGNED_AHEAD && signedBytes < this.#budgetBytes() / 4;
  }

  #draftOf(shares: readonly ProofShare[]): ProofDraft {
    const { driver, clock } = this.#deps;
    const { timeS: endS, clockState } = this.#clock.now();
    const lastedS = BigInt(Math.max(0, Math.floor((clock.monotonicMs() - driver.state.proofs.startedMs) / 1000)));
    const lastEndS = clockState === 1n ? this.#lastEndS : undefined;
    const startS = lastEndS ?? endS - lastedS;
    return {
      epoch: this.#clock.epochOf({ timeS: endS, clockState }, this.#lastEpoch),
      // A wall clock that was set back must not make an interval end before it starts.
      startS: startS > endS ? endS : startS < 0n ? 0n : startS,
      endS,
      clockState,
      leaves: shares.map((share) => this.#leaf(share)),
      vouchers: shares.map(({ channel }) => ({ ...channel.voucher, config: channel.config })),
    };
  }

  #leaf({ channel, downBytes, upBytes, units }: ProofShare): SessionLeaf {
    const { chainId, channels } = this.#deps.config.chain;
    return {
      sessionId: GENESIS_PREV,
      channelId: channelId({ chainId, channels }, channel.config),
      bytesUp: upBytes,
      bytesDown: downBytes,
      paid: units,
      voucherDigest: voucherDigestHex({ chainId, channels }, channel.voucher),
    };
  }

  /** Merges what waits unsigned, oldest first, once it outgrows its share of the flash. */
  async #keepBudget(): Promise<void> {
    const { journal, driver, signer, log } = this.#deps;
    const { draftBytes, signedBytes } = journal.waiting();
    const budget = this.#budgetBytes() - signedBytes;
    if (draftBytes <= budget) return;
    const stored = journal
      .drafts(ALL)
      .map(({ id, run, body }) => ({ id, run, draft: decodeDraft(body), bytes: body.length }));
    const { changed, removed } = compactDrafts(stored, budget, signer.address);
    const entries: JournalEntry[] = [
      ...changed.map(({ id, draft }) => ({
        kind: 'draft-merged' as const,
        id,
        body: encodeDraft(draft, signer.address),
      })),
      ...removed.map((id) => ({ kind: 'draft-gone' as const, id })),
    ];
    if (entries.length > 0) await driver.commit(entries);
    const after = journal.waiting();
    const details = { merged: removed.length, intervals: after.drafts, bytes: after.draftBytes + after.signedBytes };
    if (after.draftBytes > budget) log.warn({ ...details, budgetBytes: this.#budgetBytes() }, 'proofs-over-budget');
    else log.info(details, 'intervals-merged');
  }

  #budgetBytes(): number {
    return Number(this.#deps.config.proofs.budgetBytes ?? DEFAULT_BUDGET_BYTES);
  }

  #startClosing(work: () => Promise<void>): void {
    this.#closing ??= work()
      .then(() => {
        this.#closeFailures = 0;
      })
      .catch((cause: unknown) => {
        this.#nextCloseMs = this.#deps.clock.monotonicMs() + this.#deps.retryDelayMs(this.#closeFailures++);
        this.#deps.log.error({ err: cause }, 'proof-close-failed');
      })
      .finally(() => {
        this.#closing = undefined;
        this.#delivery.poll();
      });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    // Whoever failed before has told its own caller.
    const done = this.#turn.then(work, work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

function provenAfter({ session, downBytes, upBytes, units }: ProofShare) {
  return {
    downBytes: session.proven.downBytes + downBytes,
    upBytes: session.proven.upBytes + upBytes,
    units: session.proven.units + units,
  };
}
