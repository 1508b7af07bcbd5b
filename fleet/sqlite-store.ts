/** FleetStore in one SQLite file of this process: one writer, which sees its own open transaction, and one reader. */
import type { Database } from 'better-sqlite3';
import type { Address } from '../protocol/address.ts';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import type { ProofUpload } from '../protocol/traffic-proof-wire.ts';
import type { Verdict } from '../protocol/verdict.ts';
import { ChainTails, placeBehind, type Tail } from './chain-tails.ts';
import { ChannelTotals } from './channel-totals.ts';
import type {
  ChainHead,
  Equivocation,
  FleetStore,
  FleetTx,
  HeldProof,
  HeldShare,
  Place,
  StoredVerdict,
  VerdictRow,
} from './fleet-store.ts';
import type { ProvenChannel } from './judge-proof.ts';
import type { ChainStartEntry, ClockCorrectionEntry, LogEntry, RejudgementEntry, UploadEntry } from './proof-entry.ts';
import type { LogPosition } from './proof-log.ts';
import { beforeFromRow, blob, columnsFromEntry, PROOF_TABLES, storedFromRow } from './proof-rows.ts';
import {
  type ChainCells,
  provenFromCells,
  rowFromCells,
  type ShareCells,
  shareFromCells,
  type UndatedCells,
  undatedFromCells,
} from './sqlite-cells.ts';
import { openDatabase, openReader } from './sqlite-database.ts';
import { chainHead, listedEquivocations, listedVerdicts } from './sqlite-listings.ts';
import {
  type GapRow,
  placeAtStart,
  prepareStatements,
  rangesFrom,
  readTail,
  startFromCells,
} from './sqlite-statements.ts';

/** Raised with each change of PROOF_TABLES, or of what is kept in them. */
const STORE_VERSION = 8n;
/** So many ranges are named to a router at once; the others after it has sent these. */
const MAX_MISSING = 16;
/** Ends of chains, and channels, that are kept in memory: some 60 MiB when full. */
const DEFAULT_CACHED = 131_072;
/** Held of a device for what is missing before; the lowest beyond it keep their verdict for good. A month offline is 8,640. */
const MAX_HELD = 10_000;

export class SqliteStore implements FleetStore {
  readonly #database: Database;
  readonly #reader: Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #maxHeld: number;
  readonly #tails: ChainTails;
  readonly #totals: ChannelTotals;
  #turn: Promise<unknown> = Promise.resolve();
  /** Devices that had a number filled in by the open transaction: less of theirs may have to be held. */
  readonly #filled = new Map<string, Uint8Array>();

  /** Opens or creates the file; one that cannot be used is made anew, empty. Call catchUp before anything else. */
  constructor(path: string, cached = DEFAULT_CACHED, maxHeld = MAX_HELD) {
    this.#database = openDatabase(path, PROOF_TABLES, STORE_VERSION);
    this.#reader = openReader(path);
    this.#maxHeld = maxHeld;
    this.#statements = prepareStatements(this.#database);
    this.#tails = new ChainTails(cached, (device) => readTail(this.#statements, blob(device)));
    this.#totals = new ChannelTotals(cached, {
      read: (id) => this.#provenOf(blob(id)),
      write: (id, { bytes, paid }) => this.#statements.setChannel.run(blob(id), `${bytes}`, `${paid}`),
    });
  }

  position(): LogPosition {
    const row = this.#statements.position.get() as { segment: bigint; offset: bigint } | undefined;
    return { segment: Number(row?.segment ?? 0n), offset: Number(row?.offset ?? 0n) };
  }

  tx<T>(f: (tx: FleetTx) => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#transact(f));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  verdicts(device: Address, afterId: bigint, limit: number): readonly VerdictRow[] {
    return listedVerdicts(this.#reader, device, afterId, limit);
  }

  chain(device: Address): ChainHead {
    return chainHead(this.#reader, device, MAX_MISSING);
  }

  equivocations(device: Address, limit: number): readonly Equivocation[] {
    return listedEquivocations(this.#reader, device, limit);
  }

  clear(): void {
    const tables = ['proofs', 'held', 'shares', 'gaps', 'channels', 'corrections', 'chain_starts', 'position'];
    this.#database.exec(tables.map((table) => `DELETE FROM ${table};`).join(' '));
    this.#forget();
  }

  close(): void {
    this.#reader.close();
    this.#database.close();
  }

  async #transact<T>(f: (tx: FleetTx) => Promise<T>): Promise<T> {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = await f(this.#tx);
      this.#totals.write();
      for (const device of this.#filled.values()) this.#release(device);
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#forget();
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      throw error;
    } finally {
      this.#filled.clear();
    }
  }

  #forget(): void {
    this.#tails.clear();
    this.#totals.clear();
  }

  readonly #tx: FleetTx = {
    place: (device, seq) => this.#place(device, seq),
    startOf: (device) => startFromCells(this.#statements.start.get(blob(device))),
    rejected: (bodyHash): StoredVerdict | undefined => {
      const cells = this.#statements.rejected.get(bodyHash) as ChainCells | undefined;
      return cells === undefined ? undefined : storedFromRow(rowFromCells(cells));
    },
    channels: (ids, seq) => new Map(ids.map((id) => [id, this.#provenBefore(id, seq)])),
    sharesAfter: (id, seq) => this.#sharesFrom(id, seq + 1n),
    held: (device, seq) => this.#held(device, seq),
    missing: (device) => rangesFrom(this.#statements.gaps.all(blob(device), MAX_MISSING) as GapRow[]),
    bootOf: (device, seq) => this.#statements.boot.get(blob(device), seq, seq) as bigint | undefined,
    undated: (device, from, to) =>
      (this.#statements.undated.all(blob(device), from, to) as UndatedCells[]).map(undatedFromCells),
    apply: (entry: LogEntry) => this.#apply(entry),
    setPosition: ({ segment, offset }) => {
      this.#statements.setPosition.run(segment, offset);
    },
  };

  #place(device: Address, seq: bigint): Place {
    const tail = this.#tails.of(device);
    const behind = placeBehind(tail, seq);
    if (behind !== undefined) return behind;
    const rows = this.#statements.around.all(blob(device), seq - 1n) as ChainCells[];
    let place: Place = { hasLater: false, hasRejected: tail.hasRejected };
    for (const row of rows.map(rowFromCells)) {
      if (row.seq === seq) place = { ...place, same: storedFromRow(row) };
      else if (row.seq < seq) place = { ...place, before: beforeFromRow(row) };
      else if (row.seq > seq + 1n) place = { ...place, hasLater: true };
      else place = { ...place, after: { prev: hexFromBytes(row.prev) }, hasLater: true };
    }
    if (place.before !== undefined) return place;
    return placeAtStart(place, seq, startFromCells(this.#statements.start.get(blob(device))));
  }

  #held(device: Address, seq: bigint): HeldProof | undefined {
    const address = blob(device);
    const body = this.#statements.held.get(address, seq) as Uint8Array | undefined;
    if (body === undefined) return undefined;
    const [verdict, receivedS] = this.#statements.verdict.get(address, seq) as [Verdict, bigint];
    return { body, verdict, receivedS };
  }

  #apply(entry: LogEntry): void {
    if (entry.kind === 'upload') this.#applyUpload(entry);
    else if (entry.kind === 'rejudgement') this.#applyRejudgement(entry);
    else if (entry.kind === 'clock-correction') this.#applyCorrection(entry);
    else this.#applyStart(entry);
  }

  #applyUpload(entry: UploadEntry): void {
    const { upload, judgement, body } = entry;
    const { proof } = upload;
    const columns = columnsFromEntry(entry);
    const device = columns[0] as Uint8Array;
    const tail = this.#tails.of(proof.device);
    const { changes } = this.#statements.insert.run(...columns);
    if (changes === 0) return;
    this.#tails.follow(entry, tail);
    if (!judgement.joinsChain) return;
    const isHeld = this.#noteGaps(device, proof.seq, tail);
    if (isHeld) this.#statements.hold.run(device, proof.seq, body);
    this.#addShares(upload, device, isHeld);
    // Not each time: counting reads them all.
    if (isHeld && proof.seq % BigInt(Math.ceil(this.#maxHeld / 8)) === 0n) this.#releaseBeyondMost(device);
  }

  #releaseBeyondMost(device: Uint8Array): void {
    const lowest = this.#statements.nthHeld.get(device, this.#maxHeld - 1) as bigint | undefined;
    if (lowest !== undefined) this.#releaseBelow(device, lowest);
  }

  #releaseBelow(device: Uint8Array, seq: bigint): void {
    this.#statements.release.run(device, seq);
    this.#statements.releaseShares.run(device, seq);
  }

  #addShares({ proof, leaves, vouchers }: ProofUpload, device: Uint8Array, isHeld: boolean): void {
    for (const leaf of leaves) {
      const bytes = leaf.bytesUp + leaf.bytesDown;
      this.#totals.add(leaf.channelId, { bytes, paid: leaf.paid });
      if (!isHeld) continue;
      const id = blob(leaf.channelId);
      const { amount, ackBytes } = vouchers.find(({ channelId }) => channelId === leaf.channelId) ?? NO_VOUCHER;
      this.#statements.holdShare.run(id, proof.seq, device, `${bytes}`, `${leaf.paid}`, `${amount}`, `${ackBytes}`);
    }
  }

  #applyRejudgement({ device, seq, verdict, reason }: RejudgementEntry): void {
    this.#statements.rejudge.run(verdict, reason, blob(device), seq);
    this.#tails.forget(device);
  }

  #applyCorrection({ device, fromSeq, toSeq, bootS }: ClockCorrectionEntry): void {
    this.#statements.correct.run(blob(device), toSeq, fromSeq, bootS);
  }

  #applyStart({ device, seq, prev }: ChainStartEntry): void {
    this.#statements.setStart.run(blob(device), seq, blob(prev));
    this.#tails.forget(device);
  }

  /** Lets go of the proofs with nothing missing before them. */
  #release(device: Uint8Array): void {
    const missing = this.#statements.firstGap.get(device) as bigint | undefined;
    this.#releaseBelow(device, missing ?? NO_SEQ);
  }

  /** `seq` has joined the chain that `head` was the head of. @returns whether a lower number is missing */
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

  #provenOf(id: Uint8Array): ProvenChannel {
    return provenFromCells(this.#statements.channel.get(id));
  }

  /** All that is proven without what came before its turn: with `seq` not on file, all higher numbers are held. */
  #provenBefore(id: Hex, seq: bigint | undefined): ProvenChannel {
    const all = this.#totals.of(id);
    if (seq === undefined) return all;
    let { bytes, paid } = all;
    for (const share of this.#sharesFrom(id, seq)) {
      bytes -= share.bytes;
      paid -= share.paid;
    }
    return { bytes, paid };
  }

  #sharesFrom(id: Hex, seq: bigint): readonly HeldShare[] {
    return (this.#statements.shares.all(blob(id), seq) as ShareCells[]).map(shareFromCells);
  }
}

const NO_VOUCHER = { amount: 0n, ackBytes: 0n };
/** Above all numbers of proofs, which are of 32 bits. */
const NO_SEQ = 1n << 32n;
