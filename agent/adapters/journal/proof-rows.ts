/**
 * The chain of traffic proofs, and the outbox of those the collector has not acknowledged. A proof and its outbox row are
 * stored in one transaction; only a receipt takes the row out. Nothing unacknowledged is ever pruned: it is money.
 */
import type { Database, Statement } from 'better-sqlite3';
import type { Hex } from '../../../protocol/hex.ts';
import type { ClockState } from '../../../protocol/traffic-proof.ts';
import { type SignedProofReceipt, VERDICTS } from '../../../protocol/verdict.ts';
import type { OutboxItem, ProofRecord } from '../../ports.ts';
import { hexOf, oneOf, toBlob, toInteger } from './columns.ts';
import { JournalError } from './journal-error.ts';

/** What is kept of acknowledged proofs. */
export type ProofHistory = {
  /** Bodies, to send them again if the collector asks: about 0.6 kB each. A day of ten-minute intervals: a nightly backup. */
  readonly bodies: number;
  /** Records, for the owner's view: about 0.4 kB each. */
  readonly records: number;
};

type ProofRow = {
  readonly seq: bigint;
  readonly epoch: bigint;
  readonly device: Uint8Array;
  readonly start_s: bigint;
  readonly end_s: bigint;
  readonly up_bytes: bigint;
  readonly down_bytes: bigint;
  readonly paid: bigint;
  readonly sessions_root: Uint8Array;
  readonly prev: Uint8Array;
  readonly clock_state: bigint;
  readonly signature: Uint8Array;
  readonly digest: Uint8Array;
  readonly collector: Uint8Array | null;
  readonly verdict: string | null;
  readonly received_s: bigint | null;
  readonly receipt_signature: Uint8Array | null;
};

export class ProofRows {
  readonly #history: ProofHistory;
  readonly #insert: Statement;
  readonly #insertBody: Statement;
  readonly #insertOutbox: Statement;
  readonly #waitingSeq: Statement;
  readonly #acknowledgedSeq: Statement;
  readonly #receive: Statement;
  readonly #leaveOutbox: Statement;
  readonly #pruneBodies: Statement;
  readonly #pruneRecords: Statement;
  readonly #newest: Statement;
  readonly #outbox: Statement;
  readonly #sizes: Statement;
  readonly #body: Statement;
  readonly #dropFrom: Statement;
  readonly #dropOutboxFrom: Statement;
  readonly #dropBodiesFrom: Statement;

  constructor(database: Database, history: ProofHistory) {
    this.#history = history;
    this.#insert = database.prepare(`
      INSERT INTO proofs (seq, epoch, device, start_s, end_s, up_bytes, down_bytes, paid, sessions_root, prev,
        clock_state, signature, digest)
      VALUES (@seq, @epoch, @device, @startS, @endS, @upBytes, @downBytes, @paid, @sessionsRoot, @prev,
        @clockState, @signature, @digest)`);
    this.#insertBody = database.prepare('INSERT INTO proof_bodies (seq, body) VALUES (?, ?)');
    this.#insertOutbox = database.prepare('INSERT INTO outbox (seq) VALUES (?)');
    // Oldest first: receipts come in that order, so this finds its row at once without an index on the digest.
    this.#waitingSeq = database
      .prepare('SELECT seq FROM outbox JOIN proofs USING (seq) WHERE digest = ? ORDER BY seq LIMIT 1')
      .pluck();
    this.#acknowledgedSeq = database.prepare('SELECT seq FROM proofs WHERE digest = ?').pluck();
    this.#receive = database.prepare(`
      UPDATE proofs SET collector = @collector, verdict = @verdict, received_s = @receivedS, receipt_signature = @signature
      WHERE seq = @seq`);
    this.#leaveOutbox = database.prepare('DELETE FROM outbox WHERE seq = ?');
    this.#pruneBodies = database.prepare(
      'DELETE FROM proof_bodies WHERE seq <= ? AND seq NOT IN (SELECT seq FROM outbox)',
    );
    this.#pruneRecords = database.prepare('DELETE FROM proofs WHERE seq <= ? AND seq NOT IN (SELECT seq FROM outbox)');
    this.#newest = database.prepare('SELECT * FROM proofs ORDER BY seq DESC LIMIT ?');
    this.#outbox = database.prepare(`
      SELECT seq, digest, body FROM outbox JOIN proofs USING (seq) JOIN proof_bodies USING (seq) ORDER BY seq LIMIT ?`);
    this.#body = database.prepare('SELECT body FROM proof_bodies WHERE seq = ?').pluck();
    this.#dropFrom = database.prepare('DELETE FROM proofs WHERE seq >= ?');
    this.#dropOutboxFrom = database.prepare('DELETE FROM outbox WHERE seq >= ?');
    this.#dropBodiesFrom = database.prepare('DELETE FROM proof_bodies WHERE seq >= ?');
    this.#sizes = database.prepare(`
      SELECT count(*) AS count, coalesce(sum(length(body)), 0) AS bytes FROM outbox JOIN proof_bodies USING (seq)`);
  }

  /** Appends to the chain (invariant I5). @throws JournalError JOURNAL_REFUSED if the proof does not follow the last one. */
  store({ proof, digest }: ProofRecord, body: Uint8Array): void {
    const last = this.newest(1)[0];
    const isNext = last === undefined || (proof.seq === last.proof.seq + 1n && proof.prev === last.digest);
    if (!isNext) {
      throw new JournalError(
        'JOURNAL_REFUSED',
        `proof ${proof.seq} after ${proof.prev} does not follow proof ${last.proof.seq} with digest ${last.digest}`,
      );
    }
    const seq = toInteger(proof.seq, 'proof number');
    this.#insert.run(columnsOf({ proof, digest }));
    this.#insertBody.run(seq, body);
    this.#insertOutbox.run(seq);
    this.#prune(seq);
  }

  /**
   * The chain goes on after `head`, which the collector has and this journal has not. Proofs signed beside it, after it or in
   * its place, must never leave the router: they stand against numbers that were signed before.
   */
  rebase(head: ProofRecord): void {
    const seq = toInteger(head.proof.seq, 'proof number');
    for (const drop of [this.#dropFrom, this.#dropOutboxFrom, this.#dropBodiesFrom]) drop.run(seq);
    this.#insert.run(columnsOf(head));
    if (head.receipt !== undefined) this.#receive.run(receiptColumns(seq, head.receipt));
  }

  /**
   * Stores the receipt and takes the proof out of the outbox. A later receipt for the same proof takes the place of the first:
   * what was a gap is none once the missing ones came, and a clock may be put right.
   */
  receive(digest: Hex, receipt: SignedProofReceipt): void {
    if (receipt.proof !== digest) {
      throw new JournalError('JOURNAL_REFUSED', `receipt for ${receipt.proof} was filed under ${digest}`);
    }
    const digestBlob = toBlob(digest, 32, 'proof digest');
    const seq = this.#waitingSeq.get(digestBlob) as bigint | undefined;
    if (seq === undefined) {
      const acknowledged = this.#acknowledgedSeq.get(digestBlob) as bigint | undefined;
      if (acknowledged !== undefined) this.#receive.run(receiptColumns(acknowledged, receipt));
      else throw new JournalError('JOURNAL_REFUSED', `receipt for ${digest}, which is no proof of this journal`);
      return;
    }
    this.#receive.run(receiptColumns(seq, receipt));
    this.#leaveOutbox.run(seq);
  }

  /** Newest first. */
  newest(limit: number): readonly ProofRecord[] {
    return (this.#newest.all(BigInt(limit)) as ProofRow[]).map(recordFromRow);
  }

  /** Oldest first. */
  outbox(limit: number): readonly OutboxItem[] {
    const rows = this.#outbox.all(BigInt(limit)) as { seq: bigint; digest: Uint8Array; body: Uint8Array }[];
    return rows.map(({ seq, digest, body }) => ({ seq, digest: hexOf(digest), body: new Uint8Array(body) }));
  }

  body(seq: bigint): Uint8Array | undefined {
    const body = this.#body.get(seq) as Uint8Array | undefined;
    return body === undefined ? undefined : new Uint8Array(body);
  }

  sizes(): { readonly signed: number; readonly signedBytes: number } {
    const { count, bytes } = this.#sizes.get() as { count: bigint; bytes: bigint };
    return { signed: Number(count), signedBytes: Number(bytes) };
  }

  #prune(newestSeq: bigint): void {
    this.#pruneBodies.run(newestSeq - BigInt(this.#history.bodies));
    this.#pruneRecords.run(newestSeq - BigInt(this.#history.records));
  }
}

function columnsOf({ proof, digest }: ProofRecord): object {
  return {
    seq: toInteger(proof.seq, 'proof number'),
    epoch: toInteger(proof.epoch, 'epoch'),
    device: toBlob(proof.device, 20, 'device'),
    startS: toInteger(proof.startS, 'start'),
    endS: toInteger(proof.endS, 'end'),
    upBytes: toInteger(proof.bytesUp, 'bytes up'),
    downBytes: toInteger(proof.bytesDown, 'bytes down'),
    paid: toInteger(proof.paid, 'paid units'),
    sessionsRoot: toBlob(proof.sessionsRoot, 32, 'sessions root'),
    prev: toBlob(proof.prev, 32, 'previous digest'),
    clockState: proof.clockState,
    signature: toBlob(proof.signature, 64, 'proof signature'),
    digest: toBlob(digest, 32, 'proof digest'),
  };
}

function receiptColumns(seq: bigint, receipt: SignedProofReceipt): object {
  return {
    seq,
    collector: toBlob(receipt.collector, 20, 'collector'),
    verdict: receipt.verdict,
    receivedS: toInteger(receipt.receivedS, 'time of receipt'),
    signature: toBlob(receipt.signature, 64, 'receipt signature'),
  };
}

function recordFromRow(row: ProofRow): ProofRecord {
  const digest = hexOf(row.digest);
  const receipt = receiptFromRow(row, digest);
  return {
    proof: {
      device: hexOf(row.device),
      epoch: row.epoch,
      seq: row.seq,
      startS: row.start_s,
      endS: row.end_s,
      bytesUp: row.up_bytes,
      bytesDown: row.down_bytes,
      paid: row.paid,
      sessionsRoot: hexOf(row.sessions_root),
      prev: hexOf(row.prev),
      clockState: row.clock_state as ClockState,
      signature: hexOf(row.signature),
    },
    digest,
    ...(receipt === undefined ? {} : { receipt }),
  };
}

function receiptFromRow(row: ProofRow, digest: Hex): SignedProofReceipt | undefined {
  const { collector, verdict, received_s: receivedS, receipt_signature: signature } = row;
  if (collector === null || verdict === null || receivedS === null || signature === null) return undefined;
  return {
    collector: hexOf(collector),
    proof: digest,
    verdict: oneOf(VERDICTS, verdict, `verdict of proof ${row.seq}`),
    receivedS,
    signature: hexOf(signature),
  };
}
