/** Claims and the totals they lead to, in one SQLite file of this process. */
import type { Database } from 'better-sqlite3';
import type { Address } from '../protocol/address.ts';
import { bytesFromHex } from '../protocol/hex.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { Claims, ClaimTx, DayTotal } from './claims.ts';
import type { ProofLog, SegmentRef } from './proof-log.ts';
import { openDatabase } from './sqlite-database.ts';

const VERSION = 1n;
const TABLES = `
  CREATE TABLE segments (segment INTEGER PRIMARY KEY, worker TEXT, until_ms INTEGER, is_done INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE totals (device BLOB, day INTEGER, verdict TEXT, proofs INTEGER NOT NULL, bytes TEXT NOT NULL,
    paid TEXT NOT NULL, PRIMARY KEY (device, day, verdict)) STRICT, WITHOUT ROWID;
`;

type TotalRow = { day: bigint; verdict: Verdict; proofs: bigint; bytes: string; paid: string };

export class SqliteClaims implements Claims {
  readonly #database: Database;
  readonly #nowMs: () => number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string, nowMs: () => number = Date.now) {
    this.#database = openDatabase(path, TABLES, VERSION);
    this.#nowMs = nowMs;
  }

  async claim(log: ProofLog, worker: string, leaseMs: number): Promise<SegmentRef | null> {
    const sealed = await log.segments(this.#doneUpTo());
    const take = this.#database.prepare(`
      INSERT INTO segments (segment, worker, until_ms) VALUES (?, ?, ?)
      ON CONFLICT (segment) DO UPDATE SET worker = excluded.worker, until_ms = excluded.until_ms
      WHERE is_done = 0 AND until_ms < ?`);
    const nowMs = this.#nowMs();
    return sealed.find(({ segment }) => take.run(segment, worker, nowMs + leaseMs, nowMs).changes === 1) ?? null;
  }

  finish(ref: SegmentRef, worker: string, effects: (tx: ClaimTx) => Promise<void>): Promise<void> {
    const result = this.#turn.then(() => this.#finish(ref, worker, effects));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  totals(device: Address, fromDay: bigint, toDay: bigint): readonly DayTotal[] {
    const sql = 'SELECT * FROM totals WHERE device = ? AND day BETWEEN ? AND ? AND proofs > 0 ORDER BY day, verdict';
    const rows = this.#database.prepare(sql).all(bytesFromHex(device), fromDay, toDay) as TotalRow[];
    return rows.map((row) => ({ ...totalFrom(row), device }));
  }

  clear(): void {
    this.#database.exec('DELETE FROM segments; DELETE FROM totals');
  }

  close(): void {
    this.#database.close();
  }

  /** Segments are taken in order, so the processed ones at the start need no second look. */
  #doneUpTo(): number {
    const sql = 'SELECT MIN(segment) - 1 AS up_to FROM segments WHERE is_done = 0';
    const { up_to } = this.#database.prepare(sql).get() as { up_to: bigint | null };
    if (up_to !== null) return Number(up_to);
    const { last } = this.#database.prepare('SELECT MAX(segment) AS last FROM segments').get() as {
      last: bigint | null;
    };
    return Number(last ?? 0n);
  }

  async #finish({ segment }: SegmentRef, worker: string, effects: (tx: ClaimTx) => Promise<void>): Promise<void> {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const done = this.#database.prepare(
        'UPDATE segments SET is_done = 1 WHERE segment = ? AND worker = ? AND is_done = 0 AND until_ms >= ?',
      );
      if (done.run(segment, worker, this.#nowMs()).changes !== 1) {
        throw new RangeError(`worker ${worker} does not hold segment ${segment}`);
      }
      await effects({ add: (total) => this.#add(total) });
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #add({ device, day, verdict, proofs, bytes, paid }: DayTotal): void {
    const key = [bytesFromHex(device), day, verdict];
    const select = this.#database.prepare('SELECT * FROM totals WHERE device = ? AND day = ? AND verdict = ?');
    const row = select.get(...key) as TotalRow | undefined;
    const before = row === undefined ? { proofs: 0n, bytes: 0n, paid: 0n } : totalFrom(row);
    this.#database
      .prepare('INSERT OR REPLACE INTO totals (device, day, verdict, proofs, bytes, paid) VALUES (?, ?, ?, ?, ?, ?)')
      .run(...key, before.proofs + proofs, `${before.bytes + bytes}`, `${before.paid + paid}`);
  }
}

function totalFrom({ day, verdict, proofs, bytes, paid }: TotalRow) {
  return { day, verdict, proofs, bytes: BigInt(bytes), paid: BigInt(paid) };
}
