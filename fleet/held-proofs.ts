/**
 * Proofs that came before their turn, in the embedded store: which numbers are missing before them, and their bytes and shares,
 * kept until nothing is, because their verdicts may change until then.
 */
import type { Address } from '../protocol/address.ts';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { Tail } from './chain-tails.ts';
import type { HeldProof, HeldShare } from './fleet-store.ts';
import type { UploadEntry } from './proof-entry.ts';
import { blob } from './proof-rows.ts';
import { type ShareCells, shareFromCells } from './sqlite-cells.ts';
import type { GapRow, prepareStatements } from './sqlite-statements.ts';

const NO_VOUCHER = { amount: 0n, ackBytes: 0n };
/** Above all numbers of proofs, which are of 32 bits. */
const NO_SEQ = 1n << 32n;

export class HeldProofs {
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #most: number;
  /** Devices that had a number filled in by the open transaction: less of theirs may have to be held. */
  readonly #filled = new Map<string, Uint8Array>();

  /** `most` of one device; the lowest beyond it are let go. */
  constructor(statements: ReturnType<typeof prepareStatements>, most: number) {
    this.#statements = statements;
    this.#most = most;
  }

  at(device: Address, seq: bigint): HeldProof | undefined {
    const address = blob(device);
    const body = this.#statements.held.get(address, seq) as Uint8Array | undefined;
    if (body === undefined) return undefined;
    const [verdict, receivedS] = this.#statements.verdict.get(address, seq) as [Verdict, bigint];
    return { body, verdict, receivedS };
  }

  /** Of one channel, from number `seq` on, lowest first. */
  sharesFrom(id: Hex, seq: bigint): readonly HeldShare[] {
    return (this.#statements.shares.all(blob(id), seq) as ShareCells[]).map(shareFromCells);
  }

  /** An upload has joined the chain that ended in `tail`: notes what is missing, and holds it if anything is before it. */
  take({ upload, body }: UploadEntry, device: Uint8Array, tail: Tail): void {
    const { seq } = upload.proof;
    if (!this.#noteGaps(device, seq, tail)) return;
    this.#statements.hold.run(device, seq, body);
    this.#holdShares(upload, device);
    // Not each time: counting reads them all.
    if (seq % BigInt(Math.ceil(this.#most / 8)) === 0n) this.#releaseBeyondMost(device);
  }

  /** At the end of the transaction: lets go of what has nothing missing before it any longer. */
  release(): void {
    for (const device of this.#filled.values()) {
      const missing = this.#statements.firstGap.get(device) as bigint | undefined;
      this.#releaseBelow(device, missing ?? NO_SEQ);
    }
  }

  forgetFilled(): void {
    this.#filled.clear();
  }

  #holdShares({ proof, leaves, vouchers }: UploadEntry['upload'], device: Uint8Array): void {
    for (const { channelId: id, bytesUp, bytesDown, paid } of leaves) {
      const { amount, ackBytes } = vouchers.find(({ channelId }) => channelId === id) ?? NO_VOUCHER;
      const figures = [bytesUp + bytesDown, paid, amount, ackBytes].map(String);
      this.#statements.holdShare.run(blob(id), proof.seq, device, ...figures);
    }
  }

  /** @returns whether a number below `seq` is missing */
  #noteGaps(device: Uint8Array, seq: bigint, { end, firstGap }: Tail): boolean {
    const last = end?.seq ?? -1n;
    if (seq > last) {
      if (seq > last + 1n) this.#statements.addGap.run(device, last + 1n, seq - 1n);
      return seq > last + 1n || firstGap !== undefined;
    }
    const isHeld = firstGap !== undefined && firstGap < seq;
    const gap = this.#statements.gapAt.get(device, seq, seq) as GapRow | undefined;
    if (gap === undefined) return isHeld;
    this.#filled.set(hexFromBytes(device), device);
    this.#statements.dropGap.run(device, gap.first);
    if (gap.first < seq) this.#statements.addGap.run(device, gap.first, seq - 1n);
    if (seq < gap.last) this.#statements.addGap.run(device, seq + 1n, gap.last);
    return isHeld;
  }

  #releaseBeyondMost(device: Uint8Array): void {
    const lowest = this.#statements.nthHeld.get(device, this.#most - 1) as bigint | undefined;
    if (lowest !== undefined) this.#releaseBelow(device, lowest);
  }

  #releaseBelow(device: Uint8Array, seq: bigint): void {
    this.#statements.release.run(device, seq);
    this.#statements.releaseShares.run(device, seq);
  }
}
