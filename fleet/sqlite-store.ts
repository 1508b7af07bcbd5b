/**
 * FleetStore in one SQLite file of this process: one writer, which sees its own open transaction, and one reader.
 *
 * A proof that follows the end of its chain, as nearly all do, is judged from memory and written once its transaction has ended,
 * by when it is durable in the log; committed with many others (lazy-commit.ts). Whatever else comes is written at once, in a
 * transaction of SQLite of its own.
 */
import type { Database } from 'better-sqlite3';
import type { Address } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import type { ProofUpload } from '../protocol/traffic-proof-wire.ts';
import { ChainTails, isNextOf, placeBehind } from './chain-tails.ts';
import { ChannelTotals } from './channel-totals.ts';
import type { ChainHead, Equivocation, FleetStore, FleetTx, Place, StoredVerdict, VerdictRow } from './fleet-store.ts';
import { HeldProofs } from './held-proofs.ts';
import type { ProvenChannel } from './judge-proof.ts';
import { LazyCommit } from './lazy-commit.ts';
import type { ChainStartEntry, ClockCorrectionEntry, LogEntry, RejudgementEntry, UploadEntry } from './proof-entry.ts';
import type { LogPosition } from './proof-log.ts';
import { beforeFromRow, blob, columnsFromEntry, PROOF_TABLES, storedFromRow } from './proof-rows.ts';
import { type ChainCells, provenFromCells, rowFromCells, type UndatedCells, undatedFromCells } from './sqlite-cells.ts';
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
import { readSignedProof } from './upload-reader.ts';

/** Raised with each change of PROOF_TABLES, or of what is kept in them. */
const STORE_VERSION = 10n;
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
  readonly #held: HeldProofs;
  readonly #tails: ChainTails;
  readonly #totals: ChannelTotals;
  readonly #commits: LazyCommit;
  #turn: Promise<unknown> = Promise.resolve();
  /** What the log holds that was taken up here, committed or not; undefined: as the file says. */
  #position: LogPosition | undefined;
  /** Of the open transaction: rows to be written at its end, the devices that they are of, how far in the log they reach. */
  readonly #rows: (readonly unknown[])[] = [];
  readonly #rowsOf = new Set<Address>();
  #reached: LogPosition | undefined;
  /** Rows of both tables are numbered in order of arrival. */
  #nextId: bigint;

  /** Opens or creates the file; one that cannot be used is made anew, empty. Call catchUp before anything else. */
  constructor(path: string, cached = DEFAULT_CACHED, maxHeld = MAX_HELD) {
    this.#database = openDatabase(path, PROOF_TABLES, STORE_VERSION);
    this.#reader = openReader(path);
    this.#statements = prepareStatements(this.#database);
    this.#nextId = (this.#statements.lastId.get() as bigint) + 1n;
    this.#held = new HeldProofs(this.#statements, maxHeld);
    this.#tails = new ChainTails(cached, (device) => {
      this.#writeRowsOf(device);
      return readTail(this.#statements, blob(device));
    });
    this.#totals = new ChannelTotals(cached, {
      read: (id) => provenFromCells(this.#statements.channel.get(blob(id))),
      write: (id, { bytes, paid }) => this.#statements.setChannel.run(blob(id), `${bytes}`, `${paid}`),
    });
    this.#commits = new LazyCommit(this.#database, () => {
      this.#totals.write();
      if (this.#position !== undefined) this.#statements.setPosition.run(this.#position.segment, this.#position.offset);
    });
  }

  position(): LogPosition {
    if (this.#position !== undefined) return this.#position;
    const row = this.#statements.position.get() as { segment: bigint; offset: bigint } | undefined;
    return { segment: Number(row?.segment ?? 0n), offset: Number(row?.offset ?? 0n) };
  }

  tx<T>(f: (tx: FleetTx) => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => this.#transact(f));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Commits what waits to be; a second or so later it would be anyway. */
  commit(): void {
    this.#commits.commit();
  }

  verdicts(device: Address, afterId: bigint, limit: number): readonly VerdictRow[] {
    this.commit();
    return listedVerdicts(this.#reader, device, afterId, limit);
  }

  chain(device: Address): ChainHead {
    this.commit();
    return chainHead(this.#reader, device, MAX_MISSING);
  }

  equivocations(device: Address, limit: number): readonly Equivocation[] {
    this.commit();
    return listedEquivocations(this.#reader, device, limit);
  }

  clear(): void {
    this.#commits.forget();
    this.#position = undefined;
    const tables = [
      'proofs',
      'rejects',
      'held',
      'shares',
      'gaps',
      'channels',
      'corrections',
      'chain_starts',
      'position',
    ];
    this.#database.exec(tables.map((table) => `DELETE FROM ${table};`).join(' '));
    this.#tails.clear();
    this.#totals.clear();
  }

  close(): void {
    try {
      this.#commits.commit();
    } catch {
      // A restart takes it up from the log.
    }
    this.#commits.forget();
    this.#reader.close();
    this.#database.close();
  }

  async #transact<T>(f: (tx: FleetTx) => Promise<T>): Promise<T> {
    // Says so if rows that this would build upon could not be written.
    this.#commits.open();
    try {
      const result = await f(this.#tx);
      this.#keep();
      return result;
    } catch (error) {
      this.#totals.abandon();
      this.#tails.clear();
      this.#commits.abandon();
      throw error;
    } finally {
      this.#rows.length = 0;
      this.#rowsOf.clear();
      this.#reached = undefined;
      this.#held.forgetFilled();
    }
  }

  /** In one turn of the event loop, so that nobody reads one half of it. */
  #keep(): void {
    const rows = this.#rows.length;
    try {
      this.#commits.open();
      this.#writeRows();
      this.#held.release();
    } catch (error) {
      // Some of the rows may stand beside others that are durable.
      this.#commits.fail(error);
      throw error;
    }
    this.#totals.keep();
    this.#position = this.#reached ?? this.#position;
    this.#commits.keep(rows);
  }

  #writeRows(): void {
    for (const columns of this.#rows) this.#statements.insert.run(this.#nextId++, ...columns);
    this.#rows.length = 0;
    this.#rowsOf.clear();
  }

  /** Before anything is written, or read, that rows of this transaction may bear upon. */
  #writeEarly(): void {
    this.#commits.hold();
    this.#writeRows();
  }

  #writeRowsOf(device: Address): void {
    if (this.#rowsOf.has(device)) this.#writeEarly();
  }

  readonly #tx: FleetTx = {
    place: (device, seq) => this.#place(device, seq),
    startOf: (device) => startFromCells(this.#statements.start.get(blob(device))),
    rejected: (bodyHash): StoredVerdict | undefined => {
      const cells = this.#statements.rejected.get(bodyHash) as ChainCells | undefined;
      return cells === undefined ? undefined : storedFromRow(rowFromCells(cells));
    },
    channels: (ids, seq) => new Map(ids.map((id) => [id, this.#provenBefore(id, seq)])),
    sharesAfter: (id, seq) => this.#held.sharesFrom(id, seq + 1n),
    held: (device, seq) => this.#held.at(device, seq),
    missing: (device) => rangesFrom(this.#statements.gaps.all(blob(device), MAX_MISSING) as GapRow[]),
    bootOf: (device, seq) => this.#statements.boot.get(blob(device), seq, seq) as bigint | undefined,
    undated: (device, from, to) => {
      this.#writeRowsOf(device);
      return (this.#statements.undated.all(blob(device), from, to) as UndatedCells[]).map(undatedFromCells);
    },
    apply: (entry: LogEntry) => this.#apply(entry),
    setPosition: (position) => {
      this.#reached = position;
    },
  };

  #place(device: Address, seq: bigint): Place {
    const tail = this.#tails.of(device);
    const behind = placeBehind(tail, seq);
    if (behind !== undefined) return behind;
    this.#writeRowsOf(device);
    const rows = this.#statements.around.all(blob(device), seq - 1n) as ChainCells[];
    let place: Place = { hasLater: false, hasRejected: tail.hasRejected };
    for (const row of rows.map(rowFromCells)) {
      if (row.seq === seq) place = { ...place, same: storedFromRow(row) };
      else if (row.seq < seq) place = { ...place, before: beforeFromRow(row) };
      else if (row.seq > seq + 1n) place = { ...place, hasLater: true };
      else place = { ...place, after: { prev: readSignedProof(row.proof).prev }, hasLater: true };
    }
    if (place.before !== undefined) return place;
    return placeAtStart(place, seq, startFromCells(this.#statements.start.get(blob(device))));
  }

  #apply(entry: LogEntry): void {
    if (entry.kind === 'upload') {
      this.#applyUpload(entry);
      return;
    }
    this.#writeEarly();
    if (entry.kind === 'rejudgement') this.#applyRejudgement(entry);
    else if (entry.kind === 'clock-correction') this.#applyCorrection(entry);
    else this.#applyStart(entry);
  }

  #applyUpload(entry: UploadEntry): void {
    const { upload, judgement } = entry;
    const { device, seq } = upload.proof;
    const tail = this.#tails.of(device);
    const columns = columnsFromEntry(entry);
    if (judgement.joinsChain && isNextOf(tail, seq)) {
      this.#rows.push(columns);
      this.#rowsOf.add(device);
      this.#tails.follow(entry, tail);
      this.#addShares(upload);
      return;
    }
    this.#writeEarly();
    const { insert, reject } = this.#statements;
    const { changes } = (judgement.joinsChain ? insert : reject).run(this.#nextId++, ...columns);
    if (changes === 0) return;
    this.#tails.follow(entry, tail);
    if (!judgement.joinsChain) return;
    this.#addShares(upload);
    this.#held.take(entry, columns[0] as Uint8Array, tail);
  }

  #addShares({ leaves }: ProofUpload): void {
    for (const { channelId, bytesUp, bytesDown, paid } of leaves)
      this.#totals.add(channelId, { bytes: bytesUp + bytesDown, paid });
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

  /** All that is proven without what came before its turn: with `seq` not on file, all higher numbers are held. */
  #provenBefore(id: Hex, seq: bigint | undefined): ProvenChannel {
    const all = this.#totals.of(id);
    if (seq === undefined) return all;
    let { bytes, paid } = all;
    for (const share of this.#held.sharesFrom(id, seq)) {
      bytes -= share.bytes;
      paid -= share.paid;
    }
    return { bytes, paid };
  }
}
