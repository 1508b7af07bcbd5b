/** The SQL of the embedded store (sqlite-store.ts), prepared once. */
import type { Database, Statement } from 'better-sqlite3';
import { hexFromBytes } from '../protocol/hex.ts';
import { GENESIS_PREV } from '../protocol/traffic-proof.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { Tail } from './chain-tails.ts';
import type { ChainHead, ChainStart, MissingRange, Place } from './fleet-store.ts';
import { INSERT_PROOF, INSERT_REJECT } from './proof-rows.ts';
import { readSignedProof } from './upload-reader.ts';

/** In hot statements cells, not rows: better-sqlite3 makes rows by a function that it compiles, often anew. */
const CHAIN_COLUMNS = 'seq, digest, proof, verdict, received_s';

const ROW_COLUMNS = 'id, device, seq, digest, proof, verdict, reason, received_s';
export const LAST_OF_CHAIN = `SELECT ${ROW_COLUMNS} FROM proofs WHERE device = ? ORDER BY seq DESC LIMIT 1`;
// Numbers first, from the indexes alone: to keep an order of arrival by device up with every proof would cost more than the pages
// that few ask for.
const listedOf = (table: 'proofs' | 'rejects'): string =>
  `SELECT ${ROW_COLUMNS} FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE device = ? AND +id > ? ORDER BY id LIMIT ?)`;
export const LISTED = `${listedOf('proofs')} UNION ALL ${listedOf('rejects')} ORDER BY id LIMIT ?`;
export const EQUIVOCATIONS = `SELECT ${ROW_COLUMNS} FROM rejects WHERE device = ? AND verdict = 'equivocation' ORDER BY id LIMIT ?`;
const IN_CHAIN = 'FROM proofs WHERE device = ?';
export const ROWS_AROUND = `SELECT ${ROW_COLUMNS} ${IN_CHAIN} AND seq BETWEEN ? AND ?`;
export const CHAIN_START = 'SELECT seq, prev FROM chain_starts WHERE device = ?';
export const GAPS = 'SELECT first, last FROM gaps WHERE device = ? ORDER BY first LIMIT ?';

export function prepareStatements(database: Database) {
  const prepare = (sql: string): Statement => database.prepare(sql);
  return {
    position: prepare('SELECT segment, offset FROM position'),
    setPosition: prepare('INSERT OR REPLACE INTO position (one, segment, offset) VALUES (1, ?, ?)'),
    insert: prepare(INSERT_PROOF),
    reject: prepare(INSERT_REJECT),
    lastId: prepare(
      'SELECT max((SELECT ifnull(max(id), 0) FROM proofs), (SELECT ifnull(max(id), 0) FROM rejects))',
    ).pluck(),
    rejected: prepare(`SELECT ${CHAIN_COLUMNS} FROM rejects WHERE body_hash = ?`).raw(),
    // The one before, the same, the one after, and whether there is any later one.
    around: prepare(`SELECT ${CHAIN_COLUMNS} ${IN_CHAIN} AND seq >= ? ORDER BY seq LIMIT 4`).raw(),
    verdict: prepare(`SELECT verdict, received_s ${IN_CHAIN} AND seq = ?`).raw(),
    tail: prepare(`SELECT seq, digest, verdict, proof ${IN_CHAIN} ORDER BY seq DESC LIMIT 1`).raw(),
    besides: prepare(
      'SELECT EXISTS (SELECT 1 FROM rejects WHERE device = ?), (SELECT first FROM gaps WHERE device = ? ORDER BY first LIMIT 1)',
    ).raw(),
    held: prepare('SELECT body FROM held WHERE device = ? AND seq = ?').pluck(),
    nthHeld: prepare('SELECT seq FROM held WHERE device = ? ORDER BY seq DESC LIMIT 1 OFFSET ?').pluck(),
    hold: prepare('INSERT OR REPLACE INTO held (device, seq, body) VALUES (?, ?, ?)'),
    release: prepare('DELETE FROM held WHERE device = ? AND seq < ?'),
    firstGap: prepare('SELECT first FROM gaps WHERE device = ? ORDER BY first LIMIT 1').pluck(),
    shares: prepare(
      'SELECT seq, bytes, paid, amount, ack_bytes FROM shares WHERE channel = ? AND seq >= ? ORDER BY seq',
    ).raw(),
    holdShare: prepare(
      'INSERT OR REPLACE INTO shares (channel, seq, device, bytes, paid, amount, ack_bytes) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    releaseShares: prepare('DELETE FROM shares WHERE device = ? AND seq < ?'),
    rejudge: prepare('UPDATE proofs SET verdict = ?, reason = ? WHERE device = ? AND seq = ?'),
    boot: prepare(
      'SELECT boot_s FROM corrections WHERE device = ? AND last >= ? AND first <= ? ORDER BY last LIMIT 1',
    ).pluck(),
    correct: prepare('INSERT OR IGNORE INTO corrections (device, last, first, boot_s) VALUES (?, ?, ?, ?)'),
    undated: prepare(
      `SELECT verdict, reason, proof, received_s ${IN_CHAIN} AND seq BETWEEN ? AND ? AND clock_state = 0 ORDER BY seq`,
    ).raw(),
    gaps: prepare(GAPS),
    gapAt: prepare('SELECT first, last FROM gaps WHERE device = ? AND first <= ? AND last >= ?'),
    addGap: prepare('INSERT INTO gaps (device, first, last) VALUES (?, ?, ?)'),
    dropGap: prepare('DELETE FROM gaps WHERE device = ? AND first = ?'),
    start: prepare(CHAIN_START).raw(),
    setStart: prepare('INSERT OR IGNORE INTO chain_starts (device, seq, prev) VALUES (?, ?, ?)'),
    channel: prepare('SELECT bytes, paid FROM channels WHERE id = ?').raw(),
    setChannel: prepare('INSERT OR REPLACE INTO channels (id, bytes, paid) VALUES (?, ?, ?)'),
  };
}

type TailCells = readonly [bigint, Uint8Array, Verdict, Uint8Array];

/** How a device's chain ends. */
export function readTail(statements: ReturnType<typeof prepareStatements>, device: Uint8Array): Tail {
  const { tail, besides, start } = statements;
  const cells = tail.get(device) as TailCells | undefined;
  const [isRejected, gap] = besides.get(device, device) as [bigint, bigint | null];
  const rest = { firstGap: gap ?? undefined, hasRejected: isRejected === 1n };
  if (cells === undefined) {
    const from = startFromCells(start.get(device));
    if (from === undefined) return { end: undefined, ...rest };
    // As if the other key's last proof were this one's; when its interval ended is not known here.
    return { end: { seq: from.seq - 1n, digest: from.prev, verdict: 'clock-unsynced', endS: 0n }, ...rest };
  }
  const [seq, digest, verdict, proof] = cells;
  return { end: { seq, digest: hexFromBytes(digest), verdict, endS: readSignedProof(proof).endS }, ...rest };
}

export function startFromCells(cells: unknown): ChainStart | undefined {
  if (cells === undefined) return undefined;
  const [seq, prev] = cells as readonly [bigint, Uint8Array];
  return { seq, prev: hexFromBytes(prev) };
}

/** The place of a chain's first number, where the chain goes on from another key's. */
export function placeAtStart(place: Place, seq: bigint, start: ChainStart | undefined): Place {
  return start?.seq === seq ? { ...place, before: { digest: start.prev } } : place;
}

export type GapRow = { readonly first: bigint; readonly last: bigint };

export function rangesFrom(rows: readonly GapRow[]): readonly MissingRange[] {
  return rows.map(({ first, last }) => ({ from: first, to: last }));
}

/** The head of a chain that has no proof yet. */
export function headAtStart(cells: unknown, missing: readonly MissingRange[]): ChainHead {
  const start = startFromCells(cells);
  return { nextSeq: start?.seq ?? 0n, prev: start?.prev ?? GENESIS_PREV, missing };
}
