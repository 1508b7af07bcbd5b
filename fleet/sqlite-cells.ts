/** Cells of hot statements (sqlite-statements.ts), in the order of their columns, and what they mean. */
import type { Verdict } from '../protocol/verdict.ts';
import type { HeldShare, UndatedProof } from './fleet-store.ts';
import type { ProvenChannel } from './judge-proof.ts';
import type { ProofRow } from './proof-rows.ts';
import { readSignedProof } from './upload-reader.ts';

type ChainRow = Pick<ProofRow, 'seq' | 'digest' | 'proof' | 'verdict' | 'received_s'>;
export type ChainCells = readonly [bigint, Uint8Array, Uint8Array, Verdict, bigint];

export function rowFromCells([seq, digest, proof, verdict, received_s]: ChainCells): ChainRow {
  return { seq, digest, proof, verdict, received_s };
}

export type UndatedCells = readonly [Verdict, string, Uint8Array, bigint];

export function undatedFromCells([verdict, reason, proof, receivedS]: UndatedCells): UndatedProof {
  const { seq, startS, endS, bytesUp, bytesDown, paid } = readSignedProof(proof);
  return { seq, verdict, reason, startS, endS, bytesUp, bytesDown, paid, receivedS };
}

export type ShareCells = readonly [bigint, string, string, string, string];

export function shareFromCells([seq, bytes, paid, amount, ackBytes]: ShareCells): HeldShare {
  return { seq, bytes: BigInt(bytes), paid: BigInt(paid), amount: BigInt(amount), ackBytes: BigInt(ackBytes) };
}

export function provenFromCells(cells: unknown): ProvenChannel {
  if (cells === undefined) return { bytes: 0n, paid: 0n };
  const [bytes, paid] = cells as readonly [string, string];
  return { bytes: BigInt(bytes), paid: BigInt(paid) };
}
