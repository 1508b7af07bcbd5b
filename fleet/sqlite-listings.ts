/** What the embedded store tells of a device, read beside the open transaction: committed rows only. */
import type { Database } from 'better-sqlite3';
import type { Address } from '../protocol/address.ts';
import { hexFromBytes } from '../protocol/hex.ts';
import type { ChainHead, Equivocation, VerdictRow } from './fleet-store.ts';
import { blob, type ProofRow, verdictFromRow } from './proof-rows.ts';
import {
  CHAIN_START,
  EQUIVOCATIONS,
  GAPS,
  type GapRow,
  headAtStart,
  LAST_OF_CHAIN,
  LISTED,
  ROWS_AROUND,
  rangesFrom,
} from './sqlite-statements.ts';
import { readSignedProof } from './upload-reader.ts';

/** In order of arrival, after row `afterId`. */
export function listedVerdicts(
  reader: Database,
  device: Address,
  afterId: bigint,
  limit: number,
): readonly VerdictRow[] {
  const address = blob(device);
  const rows = reader
    .prepare(LISTED)
    .all(...[address, afterId, limit], ...[address, afterId, limit], limit) as ProofRow[];
  return rows.map(verdictFromRow);
}

/** `maxMissing`: so many ranges are named at most. */
export function chainHead(reader: Database, device: Address, maxMissing: number): ChainHead {
  const address = blob(device);
  const row = reader.prepare(LAST_OF_CHAIN).get(address) as ProofRow | undefined;
  const missing = rangesFrom(reader.prepare(GAPS).all(address, maxMissing) as GapRow[]);
  if (row === undefined) return headAtStart(reader.prepare(CHAIN_START).raw().get(address), missing);
  const last = { proof: readSignedProof(row.proof), verdict: row.verdict, receivedS: row.received_s };
  return { nextSeq: row.seq + 1n, prev: hexFromBytes(row.digest), missing, last };
}

/** Each with the proof in the chain that it contradicts. */
export function listedEquivocations(reader: Database, device: Address, limit: number): readonly Equivocation[] {
  const address = blob(device);
  const inChain = reader.prepare(ROWS_AROUND);
  return (reader.prepare(EQUIVOCATIONS).all(address, limit) as ProofRow[]).flatMap((row) => {
    const around = inChain.all(address, row.seq - 1n, row.seq + 1n) as ProofRow[];
    const other = around.find(({ seq }) => seq === row.seq) ?? around[0];
    if (other === undefined) return [];
    const [first, second] = [readSignedProof(other.proof), readSignedProof(row.proof)];
    const isSlashable = first.seq === second.seq && first.epoch === second.epoch;
    return [{ first, second, reason: row.reason, isSlashable }];
  });
}
