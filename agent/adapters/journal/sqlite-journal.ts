/**
 * The agent's journal in one SQLite file: the facts that survive a crash or a power cut. commit() resolves only once its
 * entries are on disk; credit may be extended and proofs uploaded only after that (invariants I3, I5).
 *
 * Nothing is written while nothing happens: there are no timers but that of a commit that waits for a sync.
 */

import type { Channel } from '../../core/model.ts';
import type {
  DraftItem,
  Journal,
  JournalEntry,
  JournalSnapshot,
  OutboxItem,
  ProofRecord,
  SentTransaction,
  WaitingProofs,
} from '../../ports.ts';
import { withUncoveredHeld } from './channel-rows.ts';
import { type CommitCounts, GroupCommit } from './group-commit.ts';
import { JournalError, journalErrorFrom } from './journal-error.ts';
import type { OldCopy } from './life-count.ts';
import { quarantine } from './quarantine.ts';
import { closeTables, type JournalFile, openTables, QUARANTINED_FACT, type Tables, transactionsOn } from './tables.ts';

export type JournalOptions = JournalFile & {
  /** Least time between two groups of commits that share an fsync. Default 2. */
  readonly windowMs?: number;
};

/** What load() returns, and whether the journal before this one was lost. */
export type LoadedJournal = JournalSnapshot & {
  /**
   * Set while this journal began after a damaged one and holds no proof yet: the file that was moved aside. The device may
   * have signed proofs that are not in here, so a proof with a number of its choosing could be equivocation.
   */
  readonly quarantined?: string;
  /**
   * Set while this journal is one that has forgotten something (life-count.ts) and no proof was stored since: as above. `lives`:
   * the file's own and that of the mark beside it, if it was found at this start.
   */
  readonly isOldCopy?: true;
  readonly lives?: OldCopy;
  /** As stored: channels whose voucher is above their deposit. They are loaded as pending; absent: none. */
  readonly uncovered?: readonly Channel[];
};

/**
 * Measured on ext4 with 64, 320 and 1,280 commits a second at random: 1.1, 1.5 and 4.9 share an fsync; without a window 1.1,
 * 1.4 and 1.9. With 64 guests who pay without a pause (bench voucher) 18 share one, without it 7, for 0.4 ms less each.
 */
const DEFAULT_WINDOW_MS = 2;
/** See ProofChain.minEpoch. */
const MIN_EPOCH_FACT = 'proof-min-epoch';

export class SqliteJournal implements Journal {
  readonly #options: JournalOptions;
  readonly #commits: GroupCommit<readonly JournalEntry[]>;
  #tables: Tables;
  /** Found on opening, thrown by the first load(). */
  #corruption: JournalError | undefined;

  /**
   * Opens or creates the file. A damaged file is moved aside at once; the first load() then throws JOURNAL_CORRUPT.
   *
   * @throws JournalError JOURNAL_PRAGMA, JOURNAL_NEWER_SCHEMA, JOURNAL_LOCKED, JOURNAL_IO, JOURNAL_FULL
   */
  constructor(options: JournalOptions) {
    this.#options = options;
    try {
      this.#tables = openTables(options);
    } catch (error) {
      this.#corruption = quarantined(options.path, error);
      this.#tables = openTables(options);
    }
    this.#commits = new GroupCommit(
      { ...transactionsOn(() => this.#tables), apply: (entries) => this.#apply(entries) },
      options.windowMs ?? DEFAULT_WINDOW_MS,
    );
  }

  /** Groups and requests committed since opening. */
  get counts(): CommitCounts {
    return this.#commits.counts;
  }

  /**
   * Everything stored, after checking file and invariants.
   *
   * @throws JournalError JOURNAL_CORRUPT once, if the file is damaged: it was moved to `quarantinedAs` and this journal is
   *   now empty. Whoever calls decides, and calls load() again to go on without it.
   */
  load(): LoadedJournal {
    const found = this.#corruption;
    this.#corruption = undefined;
    if (found !== undefined) throw found;
    this.#commits.finishSync();
    try {
      return this.#snapshot();
    } catch (error) {
      const corruption = journalErrorFrom(error, 'loading failed');
      if (corruption.code !== 'JOURNAL_CORRUPT') throw corruption;
      closeTables(this.#tables);
      const moved = quarantined(this.#options.path, corruption);
      this.#tables = openTables(this.#options);
      throw moved;
    }
  }

  commit(entries: readonly JournalEntry[]): Promise<void> {
    return entries.length === 0 ? Promise.resolve() : this.#commits.add(entries);
  }

  outbox(limit: number): readonly OutboxItem[] {
    return this.#durable().proofs.outbox(limit);
  }

  /** Newest first. */
  proofs(limit: number): readonly ProofRecord[] {
    return this.#durable().proofs.newest(limit);
  }

  proofBody(seq: bigint): Uint8Array | undefined {
    return this.#durable().proofs.body(seq);
  }

  /** Oldest first. */
  drafts(limit: number): readonly DraftItem[] {
    return this.#durable().drafts.oldest(limit);
  }

  waiting(): WaitingProofs {
    const { proofs, drafts } = this.#durable();
    return { ...proofs.sizes(), ...drafts.sizes() };
  }

  /** The gas key's, as far as they may still be sent again. @throws JournalError JOURNAL_CORRUPT */
  transactions(): readonly SentTransaction[] {
    return this.#durable().transactions.all();
  }

  /** Commits what waits, then closes. */
  close(): void {
    this.#commits.close();
    if (this.counts.requests > 0) this.#tables.lives.end();
    closeTables(this.#tables);
  }

  /** To be read from: nobody acts on what is written and not yet durable, such as a proof that a power cut takes back. */
  #durable(): Tables {
    this.#commits.finishSync();
    return this.#tables;
  }

  #snapshot(): LoadedJournal {
    const { database, custody, sessions, ticks, trials, opens, proofs, totals, lives } = this.#tables;
    const check = database.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') {
      throw new JournalError('JOURNAL_CORRUPT', `quick_check of ${this.#options.path}: ${String(check)}`);
    }
    const lastProof = proofs.newest(1)[0];
    const { oldCopy } = lives;
    const stored = this.#tables.channels.all();
    const { channels, uncovered } = withUncoveredHeld(oldCopy === undefined ? stored : stored.map(stale));
    const coins = ticks.all();
    const handOvers = custody.all();
    const opened = opens.all();
    const sums = totals.all();
    const gifts = trials.gifts();
    const fact = database.prepare('SELECT value FROM facts WHERE name = ?').pluck();
    const lost = fact.get(QUARANTINED_FACT) as string | undefined;
    const minEpoch = fact.get(MIN_EPOCH_FACT) as string | undefined;
    return {
      channels,
      ...(uncovered.length === 0 ? {} : { uncovered }),
      sessions: sessions.all(),
      trials: trials.all(),
      ...(gifts === undefined ? {} : { gifts }),
      ...(coins.length === 0 ? {} : { ticks: coins }),
      ...(handOvers.length === 0 ? {} : { custody: handOvers }),
      ...(opened.length === 0 ? {} : { opens: opened }),
      ...(sums === undefined ? {} : { totals: sums }),
      ...(lastProof === undefined ? {} : { lastProof }),
      ...(minEpoch === undefined ? {} : { minEpoch: BigInt(minEpoch) }),
      ...(lastProof === undefined && lost !== undefined ? { quarantined: lost } : {}),
      ...(lives.isUnproven ? { isOldCopy: true as const } : {}),
      ...(oldCopy === undefined ? {} : { lives: oldCopy }),
    };
  }

  /** All entries or none: what one caller got wrong must not undo what the others of the group stored. */
  #apply(entries: readonly JournalEntry[]): void {
    const { database, channels } = this.#tables;
    const [first] = entries;
    // One statement is all or nothing by itself.
    if (entries.length === 1 && first?.kind === 'voucher' && channels.storeVoucher(first.channel)) return;
    database.exec('SAVEPOINT request');
    try {
      for (const entry of entries) this.#store(entry);
      database.exec('RELEASE request');
    } catch (error) {
      // SQLite undoes the whole transaction by itself on some errors, a full disk among them.
      if (database.inTransaction) database.exec('ROLLBACK TO request; RELEASE request');
      throw error;
    }
  }

  #store(entry: JournalEntry): void {
    const { channels, custody, sessions, proofs, drafts, ticks, trials, transactions, lives } = this.#tables;
    switch (entry.kind) {
      case 'channel':
      case 'voucher':
        channels.store(entry.channel);
        break;
      case 'custody':
        custody.store(entry.custody);
        break;
      case 'custody-forgotten':
        custody.forget(entry.channelId);
        break;
      case 'channel-forgotten':
        ticks.forget(entry.channel.id);
        channels.forget(entry.channel);
        break;
      case 'ticks':
        ticks.store(entry);
        break;
      case 'transaction':
        transactions.store(entry.transaction);
        break;
      case 'session':
        sessions.store(entry);
        break;
      case 'session-forgotten':
        sessions.forget(entry.sessionId);
        break;
      case 'proof':
        proofs.store(entry.record, entry.body);
        lives.proven();
        break;
      case 'receipt':
        proofs.receive(entry.digest, entry.receipt);
        break;
      case 'draft':
        drafts.store(entry.run, entry.body);
        break;
      case 'draft-merged':
        drafts.replace(entry.id, entry.body);
        break;
      case 'draft-gone':
        drafts.remove(entry.id);
        break;
      case 'chain-rebased':
        proofs.rebase(entry.head);
        this.#storeMinEpoch(entry.minEpoch);
        break;
      case 'trial':
        trials.store(entry);
        break;
      case 'open':
      case 'open-refused':
        this.#tables.opens.store(entry);
        break;
      case 'gifts':
        trials.storeGifts(entry);
        break;
      default:
        entry satisfies never;
    }
  }

  #storeMinEpoch(minEpoch: bigint): void {
    const { database } = this.#tables;
    database.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)').run(MIN_EPOCH_FACT, `${minEpoch}`);
  }
}

function stale(channel: Channel): Channel {
  return channel.phase === 'settled' || channel.phase === 'failed' ? channel : { ...channel, isStale: true };
}

/** Moves the file aside if `error` says it is damaged, else throws `error` on. */
function quarantined(path: string, error: unknown): JournalError {
  if (!(error instanceof JournalError) || error.code !== 'JOURNAL_CORRUPT') throw error;
  const quarantinedAs = quarantine(path);
  const message =
    `the journal ${path} is damaged (${error.message}). It was moved to ${quarantinedAs} and an empty one started: ` +
    'guests present their last vouchers again, and the collector knows the last proof.';
  return new JournalError('JOURNAL_CORRUPT', message, { cause: error, quarantinedAs });
}
