/**
 * Closes proof intervals and delivers the proofs. Interval close is one transaction: proof, outbox row, and the sessions'
 * proven marks; so an interval is never signed twice with different content (invariant I5).
 */
import { channelId } from '../protocol/channel.ts';
import { bytesFromHex, type Hex } from '../protocol/hex.ts';
import { keccak256, keccak256Text } from '../protocol/keccak.ts';
import {
  blindedSessionId,
  type SessionLeaf,
  sessionsRoot,
  type TrafficProof,
  trafficProofDigest,
  trafficProofDigestHex,
} from '../protocol/traffic-proof.ts';
import { encodeProofUpload, MAX_LEAVES } from '../protocol/traffic-proof-wire.ts';
import { voucherDigestHex } from '../protocol/voucher.ts';
import type { AgentConfig } from './core/config.ts';
import type { SessionId } from './core/model.ts';
import { openShares, type ProofShare } from './core/on-proof.ts';
import type { Driver, DriverLog } from './driver.ts';
import type { Clock, Journal, ProofUploader, Signer } from './ports.ts';

export type ProofMakerDeps = {
  readonly config: AgentConfig;
  readonly driver: Driver;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly uploader?: ProofUploader;
  /** Milliseconds to wait after the n-th failure in a row. */
  readonly retryDelayMs: (attempt: number) => number;
  /** Why no proof may be signed, or undefined: after the journal was lost a proof could contradict one signed before. */
  readonly heldBecause?: string;
  readonly log: DriverLog;
};

const EPOCH_S = 604_800n;

export class ProofMaker {
  readonly #deps: ProofMakerDeps;
  #blindingSecret: Uint8Array | undefined;
  #closing: Promise<void> | undefined;
  #uploading: Promise<void> | undefined;
  #failures = 0;
  #nextUploadMs = 0;
  #closeFailures = 0;
  #nextCloseMs = 0;
  #isClosed = false;

  constructor(deps: ProofMakerDeps) {
    this.#deps = deps;
  }

  /** Called with each tick: closes the interval when it is due, and uploads what waits. */
  poll(): void {
    const { driver, clock, config } = this.#deps;
    const nowMs = clock.monotonicMs();
    const dueMs = driver.state.proofs.startedMs + config.proofs.intervalSeconds * 1000;
    if (this.#deps.heldBecause === undefined && nowMs >= dueMs && nowMs >= this.#nextCloseMs) this.#startClosing();
    if (nowMs >= this.#nextUploadMs) this.#startUpload();
  }

  /** Signs and stores one proof over everything not yet proven; without any such thing the interval goes on. */
  async closeInterval(): Promise<void> {
    const { driver, clock, signer, config, log, heldBecause } = this.#deps;
    const shares = openShares(driver.state).slice(0, MAX_LEAVES);
    if (shares.length === 0 || heldBecause !== undefined) return;
    const wall = clock.wall();
    const chain = driver.state.proofs;
    const leaves = shares.map((share) => this.#leaf(share, wall.unixS / EPOCH_S));
    const sum = (pick: (share: ProofShare) => bigint) => shares.reduce((total, share) => total + pick(share), 0n);
    const proof: TrafficProof = {
      device: signer.address,
      epoch: wall.unixS / EPOCH_S,
      seq: chain.nextSeq,
      startS: earlier(chain.startedS, wall.unixS),
      endS: wall.unixS,
      bytesUp: sum(({ upBytes }) => upBytes),
      bytesDown: sum(({ downBytes }) => downBytes),
      paid: sum(({ units }) => units),
      sessionsRoot: sessionsRoot(leaves),
      prev: chain.prev,
      clockState: wall.isSynced ? 1n : 0n,
    };
    const deployment = { chainId: config.chain.chainId, registry: config.chain.registry };
    const digest = trafficProofDigestHex(deployment, proof);
    const signed = { ...proof, signature: signer.sign(trafficProofDigest(deployment, proof)) };
    const vouchers = shares.map(({ channel }) => ({ ...channel.voucher, config: channel.config }));
    const body = encodeProofUpload({ proof: signed, leaves, vouchers });
    const proven = new Map<SessionId, ReturnType<typeof provenAfter>>(
      shares.map((share) => [share.session.id, provenAfter(share)]),
    );
    await driver.commit([
      { kind: 'proof', record: { proof: signed, digest }, body },
      ...shares.map((share) => driver.sessionEntry(share.session, provenAfter(share))),
    ]);
    driver.dispatch({ kind: 'proof-stored', seq: proof.seq, digest, endS: proof.endS, proven });
    log.info({ seq: proof.seq.toString(), sessions: shares.length, paid: proof.paid.toString() }, 'proof-closed');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([this.#closing, this.#uploading]);
  }

  #startClosing(): void {
    this.#closing ??= this.closeInterval()
      .then(() => {
        this.#closeFailures = 0;
      })
      .catch((cause: unknown) => {
        this.#nextCloseMs = this.#deps.clock.monotonicMs() + this.#deps.retryDelayMs(this.#closeFailures++);
        this.#deps.log.error({ err: cause }, 'proof-close-failed');
      })
      .finally(() => {
        this.#closing = undefined;
      });
  }

  #startUpload(): void {
    if (this.#deps.uploader === undefined || this.#uploading !== undefined) return;
    if (this.#deps.journal.outbox(1).length === 0) return;
    this.#uploading = this.#uploadAll(this.#deps.uploader)
      .catch((cause: unknown) => {
        // The collector may have it already; sent again it answers with the same receipt.
        this.#deps.log.error({ err: cause, retryInMs: this.#waitLonger() }, 'upload-failed');
      })
      .finally(() => {
        this.#uploading = undefined;
      });
  }

  /** Oldest first, so that the collector sees the chain in order; stops at the first failure and waits. */
  async #uploadAll(uploader: ProofUploader): Promise<void> {
    for (;;) {
      const item = this.#deps.journal.outbox(1)[0];
      if (item === undefined || this.#isClosed) return;
      const answer = await uploader.upload(item.body);
      if (!answer.ok) {
        const retryInMs = this.#waitLonger();
        this.#deps.log.warn({ seq: item.seq.toString(), message: answer.message, retryInMs }, 'proof-not-uploaded');
        return;
      }
      await this.#deps.driver.commit([{ kind: 'receipt', digest: item.digest, receipt: answer.receipt }]);
      this.#failures = 0;
      this.#deps.log.info({ seq: item.seq.toString(), verdict: answer.receipt.verdict }, 'proof-acknowledged');
    }
  }

  /** Puts the next upload off, longer after each failure in a row; returns the wait. */
  #waitLonger(): number {
    const waitMs = this.#deps.retryDelayMs(this.#failures++);
    this.#nextUploadMs = this.#deps.clock.monotonicMs() + waitMs;
    return waitMs;
  }

  /** RFC 6979 makes the signature a deterministic secret of the device, also where the key itself cannot be read. */
  #secret(): Uint8Array {
    this.#blindingSecret ??= keccak256(bytesFromHex(this.#deps.signer.sign(keccak256Text('SSP-BLINDING-v1'))));
    return this.#blindingSecret;
  }

  #leaf({ session, channel, downBytes, upBytes, units }: ProofShare, epoch: bigint): SessionLeaf {
    const { chainId, channels } = this.#deps.config.chain;
    const id: Hex = channelId({ chainId, channels }, channel.config);
    return {
      sessionId: blindedSessionId(this.#secret(), session.channelId ?? id, epoch),
      channelId: id,
      bytesUp: upBytes,
      bytesDown: downBytes,
      paid: units,
      voucherDigest: voucherDigestHex({ chainId, channels }, channel.voucher),
    };
  }
}

function provenAfter({ session, downBytes, upBytes, units }: ProofShare) {
  return {
    downBytes: session.proven.downBytes + downBytes,
    upBytes: session.proven.upBytes + upBytes,
    units: session.proven.units + units,
  };
}

/** A wall clock that was set back must not make an interval end before it starts. */
function earlier(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}
