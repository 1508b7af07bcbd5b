/** Rows of the embedded store's table `proofs`, to and from what the collector speaks of. */
import { createHash } from 'node:crypto';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import type { SignedTrafficProof } from '../protocol/traffic-proof.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { StoredVerdict, VerdictRow } from './fleet-store.ts';
import type { Neighbours } from './judge-proof.ts';
import type { UploadEntry } from './proof-entry.ts';

// Byte counts and amounts are decimal text: a lying device may claim up to 2^64-1, and sums of that.
export const PROOF_TABLES = `
  CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), segment INTEGER NOT NULL, offset INTEGER NOT NULL) STRICT;
  CREATE TABLE proofs (
    id INTEGER PRIMARY KEY,
    device BLOB NOT NULL,
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    digest BLOB NOT NULL,
    prev BLOB NOT NULL,
    sessions_root BLOB NOT NULL,
    signature BLOB NOT NULL,
    clock_state INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    joins_chain INTEGER NOT NULL,
    body_hash BLOB,
    start_s INTEGER NOT NULL,
    end_s INTEGER NOT NULL,
    bytes_up TEXT NOT NULL,
    bytes_down TEXT NOT NULL,
    paid TEXT NOT NULL,
    received_s INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX chain ON proofs (device, seq) WHERE joins_chain = 1;
  CREATE UNIQUE INDEX rejected ON proofs (body_hash) WHERE body_hash IS NOT NULL;
  CREATE INDEX equivocations ON proofs (device) WHERE verdict = 'equivocation';
  CREATE INDEX rejects ON proofs (device) WHERE joins_chain = 0;
  CREATE TABLE held (device BLOB, seq INTEGER, body BLOB NOT NULL, PRIMARY KEY (device, seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE gaps (device BLOB, first INTEGER, last INTEGER NOT NULL, PRIMARY KEY (device, first)) STRICT, WITHOUT ROWID;
  CREATE TABLE channels (id BLOB PRIMARY KEY, bytes TEXT NOT NULL, paid TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE shares (channel BLOB, seq INTEGER, device BLOB NOT NULL, bytes TEXT NOT NULL, paid TEXT NOT NULL,
    amount TEXT NOT NULL, ack_bytes TEXT NOT NULL, PRIMARY KEY (channel, seq)) STRICT, WITHOUT ROWID;
  CREATE TABLE corrections (device BLOB, last INTEGER, first INTEGER NOT NULL, boot_s INTEGER NOT NULL,
    PRIMARY KEY (device, last)) STRICT, WITHOUT ROWID;
  CREATE TABLE chain_starts (device BLOB PRIMARY KEY, seq INTEGER NOT NULL, prev BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX shares_of_device ON shares (device, seq);
`;

export type ProofRow = {
  readonly id: bigint;
  readonly device: Uint8Array;
  readonly seq: bigint;
  readonly epoch: bigint;
  readonly digest: Uint8Array;
  readonly prev: Uint8Array;
  readonly sessions_root: Uint8Array;
  readonly signature: Uint8Array;
  readonly clock_state: bigint;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly start_s: bigint;
  readonly end_s: bigint;
  readonly bytes_up: string;
  readonly bytes_down: string;
  readonly paid: string;
  readonly received_s: bigint;
};

/** An upload that did not join a chain then may be judged anew once its device is enrolled: it is still one upload. */
export const INSERT_PROOF = `
  INSERT INTO proofs (device, seq, epoch, digest, prev, sessions_root, signature, clock_state, verdict, reason,
    joins_chain, body_hash, start_s, end_s, bytes_up, bytes_down, paid, received_s)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (body_hash) WHERE body_hash IS NOT NULL
    DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, received_s = excluded.received_s
  ON CONFLICT DO NOTHING`;

/** In the order of INSERT_PROOF. A proof in its chain is found by its number, any other by its bytes. */
export function columnsFromEntry({ body, upload, digest, judgement, receivedS }: UploadEntry): readonly unknown[] {
  const { proof } = upload;
  return [
    blob(proof.device),
    proof.seq,
    proof.epoch,
    blob(digest),
    blob(proof.prev),
    blob(proof.sessionsRoot),
    blob(proof.signature),
    proof.clockState,
    judgement.verdict,
    judgement.reason,
    judgement.joinsChain ? 1 : 0,
    judgement.joinsChain ? null : hashOf(body),
    proof.startS,
    proof.endS,
    proof.bytesUp.toString(),
    proof.bytesDown.toString(),
    proof.paid.toString(),
    receivedS,
  ];
}

/** From Buffer's pool: a small array of V8's own heap has to be moved out of it before native code can read it. */
export function blob(hex: Hex): Buffer {
  return Buffer.from(hex.slice(2), 'hex');
}

export function hashOf(body: Uint8Array): Uint8Array {
  return createHash('sha256').update(body).digest();
}

export function storedFromRow({
  digest,
  verdict,
  received_s,
}: Pick<ProofRow, 'digest' | 'verdict' | 'received_s'>): StoredVerdict {
  return { digest: hexFromBytes(digest), verdict, receivedS: received_s };
}

export function beforeFromRow(row: Pick<ProofRow, 'digest' | 'verdict' | 'end_s'>): NonNullable<Neighbours['before']> {
  const digest = hexFromBytes(row.digest);
  return row.verdict === 'clock-unsynced' ? { digest } : { digest, endS: row.end_s };
}

export function verdictFromRow(row: ProofRow): VerdictRow {
  return {
    id: row.id,
    seq: row.seq,
    epoch: row.epoch,
    digest: hexFromBytes(row.digest),
    verdict: row.verdict,
    reason: row.reason,
    startS: row.start_s,
    endS: row.end_s,
    bytesUp: BigInt(row.bytes_up),
    bytesDown: BigInt(row.bytes_down),
    paid: BigInt(row.paid),
    receivedS: row.received_s,
  };
}

export function proofFromRow(row: ProofRow): SignedTrafficProof {
  return {
    device: hexFromBytes(row.device),
    epoch: row.epoch,
    seq: row.seq,
    startS: row.start_s,
    endS: row.end_s,
    bytesUp: BigInt(row.bytes_up),
    bytesDown: BigInt(row.bytes_down),
    paid: BigInt(row.paid),
    sessionsRoot: hexFromBytes(row.sessions_root),
    prev: hexFromBytes(row.prev),
    clockState: row.clock_state === 1n ? 1n : 0n,
    signature: hexFromBytes(row.signature),
  };
}
