/**
 * The journal in memory, with the rules of the real one: a commit is all or nothing, a voucher never decreases, proofs form a
 * chain, and what SQLite has no column for (a channel's closeUnits) does not come back.
 */

import type { Custody } from '../../agent/core/custody.ts';
import type { Channel, Mac, SessionId } from '../../agent/core/model.ts';
import type { TickCredit } from '../../agent/core/tick-account.ts';
import type {
  DraftItem,
  Journal,
  JournalEntry,
  JournalSnapshot,
  OutboxItem,
  ProofRecord,
  StoredOpen,
  WaitingProofs,
} from '../../agent/ports.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { FaultLine } from './fault-line.ts';

type SessionRow = JournalSnapshot['sessions'][number];

export class FakeJournal implements Journal {
  /** Each commit that was stored, in order. */
  readonly commits: (readonly JournalEntry[])[] = [];
  /** Commits fail with it while it is set. */
  failure: Error | undefined;
  readonly #line: FaultLine;
  readonly #channels = new Map<Hex, Channel>();
  readonly #ticks = new Map<Hex, TickCredit>();
  readonly #amounts = new Map<Hex, bigint>();
  readonly #sessions = new Map<SessionId, SessionRow>();
  readonly #custody = new Map<Hex, Custody>();
  readonly #opens: StoredOpen[] = [];
  readonly #trials = new Map<Mac, JournalSnapshot['trials'][number]>();
  #drafts: readonly DraftItem[] = [];
  #nextDraft = 1n;
  #minEpoch: bigint | undefined;
  #gifts: JournalSnapshot['gifts'];
  readonly #proofs: { readonly record: ProofRecord; readonly body: Uint8Array }[] = [];

  constructor(line: FaultLine) {
    this.#line = line;
  }

  load(): JournalSnapshot {
    const last = this.#proofs.at(-1)?.record;
    return {
      channels: [...this.#channels.values()],
      ticks: [...this.#ticks.values()],
      sessions: [...this.#sessions.values()],
      custody: [...this.#custody.values()],
      opens: this.#opens,
      trials: [...this.#trials.values()],
      ...(this.#gifts === undefined ? {} : { gifts: this.#gifts }),
      ...(last === undefined ? {} : { lastProof: last }),
      ...(this.#minEpoch === undefined ? {} : { minEpoch: this.#minEpoch }),
    };
  }

  commit(entries: readonly JournalEntry[]): Promise<void> {
    const store = () => {
      if (this.failure !== undefined) throw this.failure;
      this.#assertChained(entries);
      this.commits.push(entries);
      for (const entry of entries) this.#store(entry);
    };
    return this.#line.call(`journal.commit ${entries.map(({ kind }) => kind).join(' ')}`, store, (fault) => {
      // A commit that may or may not be on disk is what the real journal calls JOURNAL_IO, and takes nothing more after it.
      const code = fault === 'refused' ? 'JOURNAL_FULL' : 'JOURNAL_IO';
      throw Object.assign(new Error('disk: no'), { code });
    });
  }

  outbox(limit: number): readonly OutboxItem[] {
    const waiting = this.#proofs.filter(({ record }) => record.receipt === undefined);
    return waiting.slice(0, limit).map(({ record, body }) => ({ digest: record.digest, seq: record.proof.seq, body }));
  }

  proofs(limit: number): readonly ProofRecord[] {
    return this.#proofs
      .map(({ record }) => record)
      .reverse()
      .slice(0, limit);
  }

  proofBody(seq: bigint): Uint8Array | undefined {
    return this.#proofs.find(({ record }) => record.proof.seq === seq)?.body;
  }

  drafts(limit: number): readonly DraftItem[] {
    return this.#drafts.slice(0, limit);
  }

  waiting(): WaitingProofs {
    const signed = this.outbox(Number.POSITIVE_INFINITY);
    const bytesOf = (items: readonly { readonly body: Uint8Array }[]) =>
      items.reduce((sum, { body }) => sum + body.length, 0);
    return {
      signed: signed.length,
      signedBytes: bytesOf(signed),
      drafts: this.#drafts.length,
      draftBytes: bytesOf(this.#drafts),
    };
  }

  /** As it is now, like a backup: what follows is not in it. */
  copy(): FakeJournal {
    const copy = new FakeJournal(this.#line);
    copy.replay(this.commits);
    return copy;
  }

  /** As it is now, put back later: what the real one says of its channels when it finds itself to be an old copy. */
  oldCopy(): FakeJournal {
    const copy = this.copy();
    for (const [id, channel] of copy.#channels) copy.#channels.set(id, { ...channel, isStale: true });
    return copy;
  }

  replay(commits: readonly (readonly JournalEntry[])[]): void {
    for (const entries of [...commits]) {
      for (const entry of entries) this.#store(entry);
      this.commits.push(entries);
    }
  }

  close(): void {
    this.commits.length = 0;
  }

  /** Newest stored voucher amount of a channel; undefined if it was never stored. */
  storedAmount(id: Hex): bigint | undefined {
    return this.#amounts.get(id);
  }

  /** Of all channels together, the forgotten ones among them. */
  storedInAll(): bigint {
    return [...this.#amounts.values()].reduce((sum, amount) => sum + amount, 0n);
  }

  #store(entry: JournalEntry): void {
    switch (entry.kind) {
      case 'channel':
      case 'voucher':
        this.#storeChannel(entry.channel);
        return;
      case 'ticks':
        this.#ticks.set(entry.voucher.channelId, { voucher: entry.voucher, last: entry.last });
        return;
      case 'custody':
        this.#storeCustody(entry.custody);
        return;
      case 'custody-forgotten':
        this.#custody.delete(entry.channelId);
        return;
      case 'channel-forgotten':
        this.#ticks.delete(entry.channel.id);
        this.#channels.delete(entry.channel.id);
        return;
      case 'open':
      case 'open-refused':
        this.#storeOpen(entry);
        return;
      case 'transaction':
        return;
      case 'session':
        this.#sessions.set(entry.session.id, this.#withOldMarks(entry));
        return;
      case 'session-forgotten':
        this.#sessions.delete(entry.sessionId);
        return;
      case 'proof':
        this.#proofs.push({ record: entry.record, body: entry.body });
        return;
      case 'draft':
        this.#drafts = [...this.#drafts, { id: this.#nextDraft++, run: entry.run, body: entry.body }];
        return;
      case 'draft-merged':
        this.#drafts = this.#drafts.map((item) => (item.id === entry.id ? { ...item, body: entry.body } : item));
        return;
      case 'draft-gone':
        this.#drafts = this.#drafts.filter(({ id }) => id !== entry.id);
        return;
      case 'chain-rebased':
        this.#rebase(entry);
        return;
      case 'receipt':
        this.#acknowledge(entry);
        return;
      case 'trial':
        this.#storeTrial(entry);
        return;
      case 'gifts':
        this.#gifts = { dayS: entry.dayS, bytes: entry.bytes };
        return;
      default:
        entry satisfies never;
    }
  }

  #storeOpen(entry: Extract<JournalEntry, { kind: 'open' | 'open-refused' }>): void {
    if (entry.kind === 'open') return void this.#opens.push(entry);
    const newest = this.#opens.findLastIndex(({ mac }) => mac === entry.mac);
    if (newest >= 0) this.#opens.splice(newest, 1);
  }

  #rebase({ head, minEpoch }: Extract<JournalEntry, { kind: 'chain-rebased' }>): void {
    const kept = this.#proofs.filter(({ record }) => record.proof.seq < head.proof.seq);
    this.#proofs.splice(0, this.#proofs.length, ...kept, { record: head, body: new Uint8Array() });
    this.#minEpoch = minEpoch;
  }

  #storeTrial({ kind: _, ...trial }: Extract<JournalEntry, { kind: 'trial' }>): void {
    this.#trials.set(trial.mac, trial);
  }

  /** As the columns of the real one do it: what is proven never decreases. */
  #withOldMarks({ session, counters }: SessionRow): SessionRow {
    const before = this.#sessions.get(session.id)?.session.proven ?? session.proven;
    const most = (a: bigint, b: bigint) => (a > b ? a : b);
    const proven = {
      downBytes: most(before.downBytes, session.proven.downBytes),
      upBytes: most(before.upBytes, session.proven.upBytes),
      units: most(before.units, session.proven.units),
    };
    return { session: { ...session, proven }, counters };
  }

  #storeCustody(custody: Custody): void {
    const { channelId, sequence } = custody.last.handOver;
    const before = this.#custody.get(channelId);
    const known = before?.last.handOver.sequence ?? 0n;
    if (sequence > known || (sequence === known && custody.isDelivered)) this.#custody.set(channelId, custody);
  }

  #storeChannel({ closeUnits: _, ...channel }: Channel): void {
    const before = this.#channels.get(channel.id)?.voucher;
    const voucher = before !== undefined && before.amount >= channel.voucher.amount ? before : channel.voucher;
    this.#channels.set(channel.id, { ...channel, voucher });
    this.#amounts.set(channel.id, voucher.amount);
  }

  #acknowledge({ digest, receipt }: Extract<JournalEntry, { kind: 'receipt' }>): void {
    const index = this.#proofs.findIndex(({ record }) => record.digest === digest);
    const found = this.#proofs[index];
    if (found === undefined) throw new Error(`FakeJournal: a receipt for ${digest}, which is no proof of it.`);
    this.#proofs[index] = { ...found, record: { ...found.record, receipt } };
  }

  #assertChained(entries: readonly JournalEntry[]): void {
    const last = this.#proofs.at(-1)?.record;
    for (const entry of entries) {
      if (entry.kind !== 'proof' || last === undefined) continue;
      const { seq, prev } = entry.record.proof;
      if (seq !== last.proof.seq + 1n || prev !== last.digest) throw new Error(`proof ${seq} does not follow the last`);
    }
  }
}
