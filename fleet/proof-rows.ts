/** Rows of the embedded store's table `proofs`, to and from what the collector speaks of. */
import { createHash } from 'node:crypto';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import type { Verdict } from '../protocol/verdict.ts';
import type { StoredVerdict, VerdictRow } from './fleet-store.ts';
import type { Neighbours } from './judge-proof.ts';
import type { UploadEntry } from './proof-entry.ts';
import { readSignedProof, signedProofBytes } from './upload-reader.ts';

// Byte counts and amounts are decimal text: a lying device may claim up to 2^64-1, and sums of that. `proof` is the signed proof
// as it came, which says the rest: a row is written for every proof, and read for few. `proofs` has those in their chains,
// `rejects` all others: partial indexes on one table would make SQLite plan its statements anew with every value bound.
export const PROOF_TABLES = `
  CREATE TABLE position (one INTEGER PRIMARY KEY CHECK (one = 1), segment INTEGER NOT NULL, offset INTEGER NOT NULL) STRICT;
  CREATE TABLE proofs (
    id INTEGER PRIMARY KEY,
    device BLOB NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    proof BLOB NOT NULL,
    clock_state INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    received_s INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX chain ON proofs (device, seq);
  CREATE TABLE rejects (
    id INTEGER PRIMARY KEY,
    body_hash BLOB NOT NULL UNIQUE,
    device BLOB NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    proof BLOB NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    received_s INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX rejects_of_device ON rejects (device);
  CREATE INDEX equivocations ON rejects (device) WHERE verdict = 'equivocation';
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
  readonly digest: Uint8Array;
  readonly proof: Uint8Array;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly received_s: bigint;
};

/** A proof in its chain is found by its number. */
export const INSERT_PROOF = `
  INSERT INTO proofs (id, device, seq, digest, proof, clock_state, verdict, reason, received_s)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

/** Any other by its bytes. It may be judged anew, once its device is enrolled: it is still one upload. */
export const INSERT_REJECT = `
  INSERT INTO rejects (id, body_hash, device, seq, digest, proof, verdict, reason, received_s)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (body_hash)
    DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, received_s = excluded.received_s`;

/** In the order of INSERT_PROOF, or INSERT_REJECT, behind the id. */
export function columnsFromEntry({ body, upload, digest, judgement, receivedS }: UploadEntry): readonly unknown[] {
  const { seq, clockState } = upload.proof;
  const { verdict, reason, joinsChain } = judgement;
  const proof = signedProofBytes(body);
  const device = deviceOf(proof);
  return joinsChain
    ? [device, seq, blob(digest), proof, clockState, verdict, reason, receivedS]
    : [hashOf(body), device, seq, blob(digest), proof, verdict, reason, receivedS];
}

/** The first item of a signed proof. */
function deviceOf(proof: Uint8Array): Uint8Array {
  return proof.subarray(1, 21);
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

/** `proof` as columns have it. */
export function beforeFromRow({
  digest,
  verdict,
  proof,
}: Pick<ProofRow, 'digest' | 'verdict' | 'proof'>): NonNullable<Neighbours['before']> {
  const before = { digest: hexFromBytes(digest) };
  return verdict === 'clock-unsynced' ? before : { ...before, endS: readSignedProof(proof).endS };
}

export function verdictFromRow(row: ProofRow): VerdictRow {
  const { seq, epoch, startS, endS, bytesUp, bytesDown, paid } = readSignedProof(row.proof);
  const { id, verdict, reason, received_s: receivedS } = row;
  return {
    id,
    seq,
    epoch,
    digest: hexFromBytes(row.digest),
    verdict,
    reason,
    startS,
    endS,
    bytesUp,
    bytesDown,
    paid,
    receivedS,
  };
}
