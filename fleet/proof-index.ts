/**
 * What the collector looks up: receipts by upload, each device's chain, what is proven of each channel, verdicts by device.
 * Made from the proof log alone and never ahead of it, so a lost or damaged index is made anew; hence no sync per proof.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import SqliteDatabase, { type Database, type Statement } from 'better-sqlite3';
import type { Address } from '../protocol/address.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../protocol/hex.ts';
import type { ProofUpload } from '../protocol/traffic-proof-wire.ts';
import type { SignedProofReceipt, Verdict } from '../protocol/verdict.ts';
import type { Neighbours, ProvenChannel } from './judge-proof.ts';
import { decodeProofEntry, type ProofEntry } from './proof-entry.ts';
import { isAfter, type LogPosition, type ProofLog } from './proof-log.ts';

/** One line of a device's list of verdicts. */
export type VerdictRow = {
  /** Counts up in order of arrival, over all devices. */
  readonly id: bigint;
  readonly seq: bigint;
  readonly epoch: bigint;
  readonly digest: Hex;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly startS: bigint;
  readonly endS: bigint;
  readonly bytesUp: bigint;
  readonly bytesDown: bigint;
  readonly paid: bigint;
  readonly receivedS: bigint;
};

/** Raised with each change of the tables: an index of another version is made anew. */
const INDEX_VERSION = 1n;

// Byte counts and amounts are decimal text: a lying device may claim up to 2^64-1, and sums of that.
const TABLES = `
  CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), segment INTEGER NOT NULL, offset INTEGER NOT NULL) STRICT;
  CREATE TABLE proofs (
    id INTEGER PRIMARY KEY,
    device BLOB NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    digest BLOB NOT NULL,
    prev BLOB NOT NULL,
    body_hash BLOB NOT NULL UNIQUE,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    joins_chain INTEGER NOT NULL,
    start_s INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    bytes_up TEXT NOT NULL,
    bytes_down TEXT NOT NULL,
    paid TEXT NOT NULL,
    collector BLOB NOT NULL,
    received_s INTEGER NOT NULL,
    signature BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX chain ON proofs (device, seq) WHERE joins_chain = 1;
  CREATE INDEX by_device ON proofs (device, id);
  CREATE TABLE channels (id BLOB PRIMARY KEY, bytes TEXT NOT NULL, paid TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

type ReceiptColumns = {
  digest: Uint8Array;
  verdict: string;
  collector: Uint8Array;
  received_s: bigint;
  signature: Uint8Array;
};

export class ProofIndex {
  readonly #database: Database;
  readonly #position: Statement;
  readonly #setPosition: Statement;
  readonly #insert: Statement;
  readonly #byBody: Statement;
  readonly #inChain: Statement;
  readonly #channel: Statement;
  readonly #setChannel: Statement;
  readonly #ofDevice: Statement;

  /** Opens or creates the file; one that cannot be used is made anew, empty. Call catchUp before anything else. */
  constructor(path: string) {
    this.#database = openIndex(path);
    const prepare = (sql: string): Statement => this.#database.prepare(sql);
    this.#position = prepare('SELECT segment, offset FROM position');
    this.#setPosition = prepare('INSERT OR REPLACE INTO position (one, segment, offset) VALUES (1, ?, ?)');
    // OR IGNORE: two equal uploads that arrive at once may both reach the log; the first one's receipt stands.
    this.#insert = prepare(`
      INSERT OR IGNORE INTO proofs (device, seq, epoch, digest, prev, body_hash, verdict, reason, joins_chain, start_s,
        end_s, bytes_up, bytes_down, paid, collector, received_s, signature)
      VALUES (@device, @seq, @epoch, @digest, @prev, @bodyHash, @verdict, @reason, @joinsChain, @startS,
        @endS, @bytesUp, @bytesDown, @paid, @collector, @receivedS, @signature)`);
    this.#byBody = prepare('SELECT digest, verdict, collector, received_s, signature FROM proofs WHERE body_hash = ?');
    this.#inChain = prepare('SELECT * FROM proofs WHERE device = ? AND seq = ? AND joins_chain = 1');
    this.#channel = prepare('SELECT bytes, paid FROM channels WHERE id = ?');
    this.#setChannel = prepare('INSERT OR REPLACE INTO channels (id, bytes, paid) VALUES (?, ?, ?)');
    this.#ofDevice = prepare('SELECT * FROM proofs WHERE device = ? AND id > ? ORDER BY id LIMIT ?');
  }

  /** Applies what the log has and the index has not; begins anew if the index knows more than the log. */
  async catchUp(log: ProofLog): Promise<void> {
    if (isAfter(this.#end(), log.end())) {
      this.#database.exec('DELETE FROM proofs; DELETE FROM channels; DELETE FROM position');
    }
    for await (const { payload, position } of log.frames(this.#end())) this.apply(decodeProofEntry(payload), position);
  }

  /** Takes up an entry that is durable in the log. @throws RangeError out of the log's order: catchUp would never come back to it */
  apply(entry: ProofEntry, position: LogPosition): void {
    this.#database.transaction(() => {
      if (!isAfter(position, this.#end())) throw new RangeError(`log entry at ${position.offset} is out of order`);
      this.#setPosition.run(BigInt(position.segment), BigInt(position.offset));
      const { changes } = this.#insert.run(columnsFromEntry(entry));
      if (changes === 0 || !entry.judgement.joinsChain) return;
      for (const leaf of entry.upload.leaves) {
        const proven = this.#provenOf(leaf.channelId) ?? { bytes: 0n, paid: 0n };
        const bytes = proven.bytes + leaf.bytesUp + leaf.bytesDown;
        this.#setChannel.run(bytesFromHex(leaf.channelId), bytes.toString(), (proven.paid + leaf.paid).toString());
      }
    })();
  }

  /** The receipt that this very upload got before. */
  receiptOfBody(body: Uint8Array): SignedProofReceipt | undefined {
    const row = this.#byBody.get(hashOf(body)) as ReceiptColumns | undefined;
    return row === undefined ? undefined : receiptFromRow(row);
  }

  /** The receipt of the proof that holds this number in the device's chain. */
  receiptOf(device: Address, seq: bigint): SignedProofReceipt | undefined {
    const row = this.#inChain.get(bytesFromHex(device), seq) as ReceiptColumns | undefined;
    return row === undefined ? undefined : receiptFromRow(row);
  }

  neighboursOf({ proof }: ProofUpload): Neighbours {
    const same = this.#chainRow(proof.device, proof.seq);
    const before = this.#chainRow(proof.device, proof.seq - 1n);
    const after = this.#chainRow(proof.device, proof.seq + 1n);
    return {
      ...(same === undefined ? {} : { same: { digest: hexFromBytes(same.digest) } }),
      ...(before === undefined ? {} : { before: beforeFromRow(before) }),
      ...(after === undefined ? {} : { after: { prev: hexFromBytes(after.prev) } }),
    };
  }

  channelsOf({ leaves }: ProofUpload): ReadonlyMap<Hex, ProvenChannel> {
    const proven = leaves.map(({ channelId }) => [channelId, this.#provenOf(channelId)] as const);
    return new Map(proven.filter((entry): entry is [Hex, ProvenChannel] => entry[1] !== undefined));
  }

  /** The device's uploads after row `afterId`, in order of arrival. */
  verdicts(device: Address, afterId: bigint, limit: number): readonly VerdictRow[] {
    const rows = this.#ofDevice.all(bytesFromHex(device), afterId, BigInt(limit)) as ProofRow[];
    return rows.map(verdictFromRow);
  }

  close(): void {
    this.#database.close();
  }

  #end(): LogPosition {
    const row = this.#position.get() as { segment: bigint; offset: bigint } | undefined;
    return { segment: Number(row?.segment ?? 0n), offset: Number(row?.offset ?? 0n) };
  }

  #chainRow(device: Address, seq: bigint): ProofRow | undefined {
    return this.#inChain.get(bytesFromHex(device), seq) as ProofRow | undefined;
  }

  #provenOf(id: Hex): ProvenChannel | undefined {
    const row = this.#channel.get(bytesFromHex(id)) as { bytes: string; paid: string } | undefined;
    return row === undefined ? undefined : { bytes: BigInt(row.bytes), paid: BigInt(row.paid) };
  }
}

type ProofRow = ReceiptColumns & {
  readonly id: bigint;
  readonly seq: bigint;
  readonly epoch: bigint;
  readonly prev: Uint8Array;
  readonly reason: string;
  readonly start_s: bigint;
  readonly end_s: bigint;
  readonly bytes_up: string;
  readonly bytes_down: string;
  readonly paid: string;
};

function openIndex(path: string): Database {
  try {
    return openUsableIndex(path);
  } catch {
    // Whatever is wrong with it: the log has everything, and catchUp brings it back.
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    return openUsableIndex(path);
  }
}

function openUsableIndex(path: string): Database {
  const database = new SqliteDatabase(path);
  try {
    database.defaultSafeIntegers(true);
    database.pragma('journal_mode = WAL');
    // Keeps the file whole at a power cut, though it may lose its newest rows: catchUp reads those from the log.
    database.pragma('synchronous = NORMAL');
    const version = database.pragma('user_version', { simple: true });
    if (version === 0n) database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${INDEX_VERSION}; COMMIT`);
    else if (version !== INDEX_VERSION)
      throw new RangeError(`index ${path} has version ${version}, expected ${INDEX_VERSION}`);
    if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') throw new RangeError(`index ${path} is damaged`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function hashOf(body: Uint8Array): Uint8Array {
  return createHash('sha256').update(body).digest();
}

function columnsFromEntry({ body, upload, judgement, receipt }: ProofEntry): object {
  const { proof } = upload;
  return {
    device: bytesFromHex(proof.device),
    seq: proof.seq,
    epoch: proof.epoch,
    digest: bytesFromHex(receipt.proof),
    prev: bytesFromHex(proof.prev),
    bodyHash: hashOf(body),
    verdict: judgement.verdict,
    reason: judgement.reason,
    joinsChain: judgement.joinsChain ? 1n : 0n,
    startS: proof.startS,
    endS: proof.endS,
    bytesUp: proof.bytesUp.toString(),
    bytesDown: proof.bytesDown.toString(),
    paid: proof.paid.toString(),
    collector: bytesFromHex(receipt.collector),
    receivedS: receipt.receivedS,
    signature: bytesFromHex(receipt.signature),
  };
}

function receiptFromRow(row: ReceiptColumns): SignedProofReceipt {
  return {
    collector: hexFromBytes(row.collector),
    proof: hexFromBytes(row.digest),
    verdict: row.verdict as Verdict,
    receivedS: row.received_s,
    signature: hexFromBytes(row.signature),
  };
}

function beforeFromRow(row: ProofRow): NonNullable<Neighbours['before']> {
  const digest = hexFromBytes(row.digest);
  return row.verdict === ('clock-unsynced' satisfies Verdict) ? { digest } : { digest, endS: row.end_s };
}

function verdictFromRow(row: ProofRow): VerdictRow {
  return {
    id: row.id,
    seq: row.seq,
    epoch: row.epoch,
    digest: hexFromBytes(row.digest),
    verdict: row.verdict as Verdict,
    reason: row.reason,
    startS: row.start_s,
    endS: row.end_s,
    bytesUp: BigInt(row.bytes_up),
    bytesDown: BigInt(row.bytes_down),
    paid: BigInt(row.paid),
    receivedS: row.received_s,
  };
}
