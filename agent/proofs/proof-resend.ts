/**
 * Sends again what the collector has lost (it came out of a backup, or a shard was moved). A proof that it judged a gap is
 * shown to it once more; it names the numbers it lacks, the journal has their bodies, and the same bytes give the same
 * verdict however often they come. In the end the journal has the verdicts that count now.
 */
import type { Verdict } from '../../protocol/verdict.ts';

import type { Driver, DriverLog } from '../driver.ts';
import type { CollectorAnswer, Journal, MissingProofs, ProofUploader } from '../ports.ts';

export type ResendDeps = {
  readonly driver: Driver;
  readonly journal: Journal;
  readonly log: DriverLog;
  readonly isClosed: () => boolean;
};

/** In one go: the whole journal keeps fewer bodies than that. The collector names at most 16 ranges at once. */
const MAX_SENT = 1_024;
/** Of proofs whose verdict may have changed, the newest so many are looked through. */
const LOOKED_THROUGH = 1_024;
const DONE: CollectorAnswer<object> = { ok: true };

export class ProofResend {
  readonly #deps: ResendDeps;

  constructor(deps: ResendDeps) {
    this.#deps = deps;
  }

  /** ok once the collector has all that it lacks and this journal keeps. */
  async fillGaps(uploader: ProofUploader): Promise<CollectorAnswer<object>> {
    const { journal, driver, log } = this.#deps;
    const asking = this.#judged('gap', 0n, driver.state.proofs.nextSeq)[0];
    let sent = 0;
    // Each round begins after the last number sent, so a collector that never has enough is not fed for ever.
    for (let from = 0n; asking !== undefined && sent < MAX_SENT; ) {
      const answer = await this.#send(uploader, asking);
      if (!answer.ok) return answer;
      const seqs = numbersIn(answer.missing, from, driver.state.proofs.nextSeq, MAX_SENT - sent);
      const kept = seqs.filter((seq) => journal.proofBody(seq) !== undefined);
      if (kept.length < seqs.length) log.warn({ count: seqs.length - kept.length }, 'missing-proofs-not-kept');
      const last = kept.at(-1);
      if (last === undefined) break;
      for (const seq of kept) {
        const result = await this.#send(uploader, seq);
        if (!result.ok) return result;
      }
      sent += kept.length;
      from = last + 1n;
    }
    if (sent === 0) return DONE;
    log.info({ sent }, 'proofs-sent-again');
    return await this.judgedAgain(uploader, 'gap', 0n, driver.state.proofs.nextSeq);
  }

  /** Fetches anew the verdicts on proofs from..to that had `verdict`: something has changed since. */
  async judgedAgain(
    uploader: ProofUploader,
    verdict: Verdict,
    from: bigint,
    to: bigint,
  ): Promise<CollectorAnswer<object>> {
    for (const seq of this.#judged(verdict, from, to)) {
      const answer = await this.#send(uploader, seq);
      if (!answer.ok) return answer;
    }
    return DONE;
  }

  /** Numbers of acknowledged proofs with that verdict whose bodies are kept, oldest first. */
  #judged(verdict: Verdict, from: bigint, to: bigint): readonly bigint[] {
    const { journal } = this.#deps;
    return journal
      .proofs(LOOKED_THROUGH)
      .filter(({ proof: { seq }, receipt }) => receipt?.verdict === verdict && seq >= from && seq <= to)
      .map(({ proof }) => proof.seq)
      .filter((seq) => journal.proofBody(seq) !== undefined)
      .reverse();
  }

  async #send(
    uploader: ProofUploader,
    seq: bigint,
  ): Promise<CollectorAnswer<{ readonly missing: readonly MissingProofs[] }>> {
    const { driver, journal, isClosed } = this.#deps;
    const body = journal.proofBody(seq);
    if (body === undefined || isClosed()) return { ok: false, message: `proof ${seq} is not sent again now` };
    const answer = await uploader.upload(body);
    if (!answer.ok) return answer;
    const { receipt, missing = [] } = answer;
    // The uploader has checked that it is for this very proof.
    await driver.commit([{ kind: 'receipt', digest: receipt.proof, receipt }]);
    return { ok: true, missing };
  }
}

/** At most `limit` numbers of the ranges, ascending, from `from` to below `end`. */
function numbersIn(ranges: readonly MissingProofs[], from: bigint, end: bigint, limit: number): readonly bigint[] {
  const seqs: bigint[] = [];
  let next = from;
  for (const range of [...ranges].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    if (range.from > next) next = range.from;
    for (; next <= range.to && next < end && seqs.length < limit; next += 1n) seqs.push(next);
  }
  return seqs;
}
