/** Cells of hot statements (sqlite-statements.ts), in the order of their columns, and what they mean. */
import type { Verdict } from '../protocol/verdict.ts';
import type { UndatedProof } from './fleet-store.ts';
import type { ProofRow } from './proof-rows.ts';

type ChainRow = Pick<ProofRow, 'seq' | 'digest' | 'prev' | 'verdict' | 'end_s' | 'received_s'>;
export type ChainCells = readonly [bigint, Uint8Array, Uint8Array, Verdict, bigint, bigint];

export function rowFromCells([seq, digest, prev, verdict, end_s, received_s]: ChainCells): ChainRow {
  return { seq, digest, prev, verdict, end_s, received_s };
}

export type UndatedCells = readonly [bigint, Verdict, string, bigint, bigint, string, string, string, bigint];

export function undatedFromCells([
  seq,
  verdict,
  reason,
  startS,
  endS,
  up,
  down,
  paid,
  receivedS,
]: UndatedCells): UndatedProof {
  const figures = { bytesUp: BigInt(up), bytesDown: BigInt(down), paid: BigInt(paid) };
  return { seq, verdict, reason, startS, endS, ...figures, receivedS };
}
