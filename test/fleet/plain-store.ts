/**
 * What a FleetTx has to answer, in the plainest way: every question goes through a list of all entries. No indexes, no sums that
 * are carried on, nothing that a failure could leave half done; the model that the real store is held against.
 */
import type {
  ChainHead,
  FleetTx,
  HeldProof,
  HeldShare,
  MissingRange,
  StoredVerdict,
  UndatedProof,
} from '../../fleet/fleet-store.ts';
import type { ChainStartEntry, ClockCorrectionEntry, LogEntry, UploadEntry } from '../../fleet/proof-entry.ts';
import { hashOf } from '../../fleet/proof-rows.ts';
import { GENESIS_PREV } from '../../protocol/traffic-proof.ts';
import type { Verdict } from '../../protocol/verdict.ts';

type Filed = UploadEntry & { verdict: Verdict; reason: string };

const MAX_RANGES = 16;

export class PlainStore implements FleetTx {
  #filed: Filed[] = [];
  #corrections: ClockCorrectionEntry[] = [];
  #starts: ChainStartEntry[] = [];
  #held = new Set<Filed>();

  /** The end of a transaction: what has nothing missing before it is no longer held. */
  commit(): void {
    for (const filed of this.#held) if (!this.#isBehindHole(filed)) this.#held.delete(filed);
  }

  readonly place: FleetTx['place'] = (device, seq) => {
    const [same, before, after] = [seq, seq - 1n, seq + 1n].map((at) => this.#inChain(device, at));
    const start = this.startOf(device);
    const other = before === undefined && start?.seq === seq ? { before: { digest: start.prev } } : {};
    return {
      hasLater: this.#chain(device).some(({ upload }) => upload.proof.seq > seq),
      hasRejected: this.#of(device).some(({ judgement }) => !judgement.joinsChain),
      ...(same === undefined ? {} : { same: storedFrom(same) }),
      ...(before === undefined ? other : { before: beforeFrom(before) }),
      ...(after === undefined ? {} : { after: { prev: after.upload.proof.prev } }),
    };
  };

  readonly startOf = (device: string) => this.#starts.find((start) => start.device === device);

  readonly rejected: FleetTx['rejected'] = (bodyHash) => {
    const found = this.#rejected(bodyHash);
    return found === undefined ? undefined : storedFrom(found);
  };

  readonly channels: FleetTx['channels'] = (ids, seq) =>
    new Map(
      ids.map((id) => {
        const leaves = this.#filed
          .filter(({ judgement, upload }) => judgement.joinsChain && (seq === undefined || upload.proof.seq < seq))
          .flatMap(({ upload }) => upload.leaves.filter(({ channelId }) => channelId === id));
        const bytes = leaves.reduce((sum, { bytesUp, bytesDown }) => sum + bytesUp + bytesDown, 0n);
        return [id, { bytes, paid: leaves.reduce((sum, { paid }) => sum + paid, 0n) }];
      }),
    );

  readonly sharesAfter: FleetTx['sharesAfter'] = (id, seq) =>
    [...this.#held]
      .filter(({ upload }) => upload.proof.seq > seq)
      .flatMap(({ upload: { proof, leaves, vouchers } }): HeldShare[] => {
        const leaf = leaves.find(({ channelId }) => channelId === id);
        const voucher = vouchers.find(({ channelId }) => channelId === id);
        if (leaf === undefined || voucher === undefined) return [];
        const { amount, ackBytes } = voucher;
        return [{ seq: proof.seq, bytes: leaf.bytesUp + leaf.bytesDown, paid: leaf.paid, amount, ackBytes }];
      })
      .sort((a, b) => Number(a.seq - b.seq));

  readonly held = (device: string, seq: bigint): HeldProof | undefined => {
    const found = this.#inChain(device, seq);
    if (found === undefined || !this.#held.has(found)) return undefined;
    return { body: found.body, verdict: found.verdict, receivedS: found.receivedS };
  };

  readonly missing = (device: string): readonly MissingRange[] => {
    const ranges: { from: bigint; to: bigint }[] = [];
    for (let seq = this.startOf(device)?.seq ?? 0n; seq < this.#nextSeq(device); seq++) {
      if (this.#inChain(device, seq) !== undefined) continue;
      const last = ranges.at(-1);
      if (last?.to === seq - 1n) last.to = seq;
      else ranges.push({ from: seq, to: seq });
    }
    return ranges.slice(0, MAX_RANGES);
  };

  /** Of all corrections that reach over a number the one with the lowest end: later ones leave out what was corrected. */
  readonly bootOf: FleetTx['bootOf'] = (device, seq) =>
    this.#corrections
      .filter((it) => it.device === device && it.fromSeq <= seq && seq <= it.toSeq)
      .sort((a, b) => Number(a.toSeq - b.toSeq))[0]?.bootS;

  readonly undated: FleetTx['undated'] = (device, from, to) =>
    this.#chain(device)
      .filter(({ upload: { proof } }) => proof.clockState === 0n && from <= proof.seq && proof.seq <= to)
      .map(({ upload: { proof }, verdict, reason, receivedS }): UndatedProof => {
        const { seq, startS, endS, bytesUp, bytesDown, paid } = proof;
        return { seq, verdict, reason, startS, endS, bytesUp, bytesDown, paid, receivedS };
      });

  readonly apply = (entry: LogEntry): void => {
    if (entry.kind === 'clock-correction') {
      this.#corrections.push(entry);
      return;
    }
    if (entry.kind === 'chain-start') {
      if (this.startOf(entry.device) === undefined) this.#starts.push(entry);
      return;
    }
    if (entry.kind === 'rejudgement') {
      const { verdict, reason } = entry;
      Object.assign(this.#inChain(entry.device, entry.seq) ?? {}, { verdict, reason });
      return;
    }
    const { verdict, reason, joinsChain } = entry.judgement;
    const before = joinsChain ? undefined : this.#rejected(hashOf(entry.body));
    if (before !== undefined) {
      Object.assign(before, { verdict, reason, receivedS: entry.receivedS });
      return;
    }
    const filed = { ...entry, verdict, reason };
    this.#filed.push(filed);
    if (joinsChain && this.#isBehindHole(filed)) this.#held.add(filed);
  };

  readonly setPosition = (): void => undefined;

  /** As FleetStore.verdicts, without ids. */
  verdicts(device: string): readonly object[] {
    return this.#of(device).map(({ upload: { proof }, digest, verdict, reason, receivedS }) => {
      const { seq, epoch, startS, endS, bytesUp, bytesDown, paid } = proof;
      return { seq, epoch, digest, verdict, reason, startS, endS, bytesUp, bytesDown, paid, receivedS };
    });
  }

  chain(device: string): ChainHead {
    const missing = this.missing(device);
    const last = this.#inChain(device, this.#nextSeq(device) - 1n);
    const start = this.startOf(device);
    if (last === undefined) return { nextSeq: start?.seq ?? 0n, prev: start?.prev ?? GENESIS_PREV, missing };
    const { upload, digest, verdict, receivedS } = last;
    return { nextSeq: upload.proof.seq + 1n, prev: digest, missing, last: { proof: upload.proof, verdict, receivedS } };
  }

  #of(device: string): readonly Filed[] {
    return this.#filed.filter(({ upload }) => upload.proof.device === device);
  }

  /** By number. */
  #chain(device: string): readonly Filed[] {
    return this.#of(device)
      .filter(({ judgement }) => judgement.joinsChain)
      .sort((a, b) => Number(a.upload.proof.seq - b.upload.proof.seq));
  }

  #inChain(device: string, seq: bigint): Filed | undefined {
    return this.#chain(device).find(({ upload }) => upload.proof.seq === seq);
  }

  #rejected(bodyHash: Uint8Array): Filed | undefined {
    const hash = Buffer.from(bodyHash);
    return this.#filed.find(({ judgement, body }) => !judgement.joinsChain && hash.equals(hashOf(body)));
  }

  #nextSeq(device: string): bigint {
    const last = this.#chain(device).at(-1)?.upload.proof.seq;
    return last === undefined ? (this.startOf(device)?.seq ?? 0n) : last + 1n;
  }

  #isBehindHole({ upload: { proof } }: Filed): boolean {
    const before = this.#chain(proof.device).filter(({ upload }) => upload.proof.seq < proof.seq);
    return BigInt(before.length) < proof.seq - (this.startOf(proof.device)?.seq ?? 0n);
  }
}

function storedFrom({ digest, verdict, receivedS }: Filed): StoredVerdict {
  return { digest, verdict, receivedS };
}

function beforeFrom({ upload, digest, verdict }: Filed) {
  return verdict === 'clock-unsynced' ? { digest } : { digest, endS: upload.proof.endS };
}
