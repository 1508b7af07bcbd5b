/**
 * Group commit: everything asked for within one window shares one transaction and one fsync, and every promise is
 * settled only after it. The transaction is written at once, the sync runs off the event loop; while it does, the requests
 * of the next group pile up behind it, so nothing is written that an earlier sync may be asked about.
 *
 * After a failed read, write or sync nothing more is accepted: the kernel may have dropped the dirty pages and call the
 * next fsync clean. Only reopening the file tells what is there.
 *
 * @see "Can Applications Recover from fsync Failures?", USENIX ATC 2020
 */
import { JournalError, journalErrorFrom, sqliteCodeOf } from './journal-error.ts';

/** One transaction at a time on whatever is durable. All but `settled` throw what the store throws. */
export type Transactions<Request> = {
  readonly begin: () => void;
  /** All of the request or nothing of it; a JournalError JOURNAL_REFUSED concerns this request alone. */
  readonly apply: (request: Request) => void;
  /** Written, not yet durable. */
  readonly commit: () => void;
  /** Undoes what begin started, if the store has not done so by itself. */
  readonly rollback: () => void;
  /** What was committed is durable once it resolves. */
  readonly sync: () => Promise<void>;
  /** The same, before it returns. */
  readonly syncNow: () => void;
  /** After each group is durable: housekeeping that may fail like a commit. */
  readonly settle: () => void;
};

export type CommitCounts = {
  /** Transactions, each one fsync. */
  readonly groups: number;
  /** Requests that became durable in them. */
  readonly requests: number;
};

/** Requests that may wait for one group. More would mean that thousands of guests pay within a few milliseconds. */
export const MAX_WAITING_COMMITS = 8192;

type Waiting<Request> = {
  readonly request: Request;
  readonly resolve: () => void;
  readonly reject: (error: JournalError) => void;
};

export class GroupCommit<Request> {
  readonly #transactions: Transactions<Request>;
  readonly #windowMs: number;
  #waiting: Waiting<Request>[] = [];
  /** Written, and being synced. */
  #syncing: readonly Waiting<Request>[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isFlushDue = false;
  #refusal: (() => JournalError) | undefined;
  #groups = 0;
  #requests = 0;

  /** `windowMs` 0: the group is what arrives within one turn of the event loop. */
  constructor(transactions: Transactions<Request>, windowMs: number) {
    this.#transactions = transactions;
    this.#windowMs = windowMs;
  }

  get counts(): CommitCounts {
    return { groups: this.#groups, requests: this.#requests };
  }

  add(request: Request): Promise<void> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal());
    if (this.#waiting.length >= MAX_WAITING_COMMITS) {
      const message = `${this.#waiting.length} commits wait already, at most ${MAX_WAITING_COMMITS} may`;
      return Promise.reject(new JournalError('JOURNAL_OVERLOADED', message));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (this.#syncing !== undefined) return;
      if (this.#windowMs === 0) this.#flushThisTurn();
      else this.#timer ??= setTimeout(() => this.#flush(), this.#windowMs);
    });
  }

  /** Until it returns, what was written and not yet synced was not durable; after it, it is. @throws JournalError */
  finishSync(): void {
    const group = this.#syncing;
    if (group === undefined) return;
    try {
      this.#transactions.syncNow();
    } catch (error) {
      throw this.#broken(group, error);
    }
    this.#acknowledge(group);
  }

  /** Commits what waits, durably before it returns, and refuses everything after. */
  close(): void {
    try {
      this.finishSync();
      this.#write();
      this.finishSync();
    } catch {
      // Whoever asked for the commit has been told; closing goes on.
    }
    this.#refusal = () => new JournalError('JOURNAL_CLOSED', 'the journal is closed');
  }

  /** At its end: what else comes in it is part of the group. */
  #flushThisTurn(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isFlushDue = false;
    if (this.#syncing === undefined && this.#write()) this.#sync();
  }

  /** One transaction with what waits; whether there is something to sync. */
  #write(): boolean {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return false;
    try {
      const refused = this.#store(group);
      for (const [waiting, refusal] of refused) waiting.reject(refusal);
      const stored = refused.size === 0 ? group : group.filter((waiting) => !refused.has(waiting));
      if (stored.length === 0) return false;
      this.#syncing = stored;
      return true;
    } catch (error) {
      const failure = journalErrorFrom(error, 'commit failed');
      if (failure.code !== 'JOURNAL_FULL') this.#fail(failure);
      for (const waiting of group) waiting.reject(failure);
      return false;
    }
  }

  #sync(): void {
    const group = this.#syncing as readonly Waiting<Request>[];
    this.#transactions.sync().then(
      () => {
        if (this.#syncing === group) this.#acknowledge(group);
      },
      (error: unknown) => {
        if (this.#syncing === group) this.#broken(group, error);
      },
    );
  }

  /** The group is on disk; what came meanwhile has waited long enough. */
  #acknowledge(group: readonly Waiting<Request>[]): void {
    this.#syncing = undefined;
    this.#groups += 1;
    this.#requests += group.length;
    for (const { resolve } of group) resolve();
    try {
      this.#transactions.settle();
    } catch (error) {
      this.#fail(journalErrorFrom(error, 'checkpoint failed'));
      return;
    }
    if (this.#waiting.length > 0) this.#flushThisTurn();
  }

  #broken(group: readonly Waiting<Request>[], error: unknown): JournalError {
    this.#syncing = undefined;
    const failure = journalErrorFrom(error, 'sync failed');
    this.#fail(failure);
    for (const { reject } of group) reject(failure);
    return failure;
  }

  #store(group: readonly Waiting<Request>[]): ReadonlyMap<Waiting<Request>, JournalError> {
    const refused = new Map<Waiting<Request>, JournalError>();
    this.#transactions.begin();
    try {
      for (const waiting of group) {
        const refusal = this.#refusalOf(waiting.request);
        if (refusal !== undefined) refused.set(waiting, refusal);
      }
      if (refused.size === group.length) this.#transactions.rollback();
      else this.#transactions.commit();
    } catch (error) {
      this.#transactions.rollback();
      throw error;
    }
    return refused;
  }

  #refusalOf(request: Request): JournalError | undefined {
    try {
      this.#transactions.apply(request);
      return undefined;
    } catch (error) {
      const refusal = refusalFrom(error);
      if (refusal.code === 'JOURNAL_REFUSED') return refusal;
      throw error;
    }
  }

  #fail(cause: JournalError): void {
    this.#refusal = () => {
      const message = `the journal takes nothing more until it is reopened, because an earlier commit failed: ${cause.message}`;
      return new JournalError('JOURNAL_FAILED', message, { cause });
    };
    // Requests may have been added while the group was being stored.
    const late = this.#waiting;
    this.#waiting = [];
    for (const waiting of late) waiting.reject(this.#refusal());
  }
}

/** What is neither SQLite's nor a JournalError came from the entry's own values: that entry is refused, no other. */
function refusalFrom(error: unknown): JournalError {
  if (error instanceof JournalError || sqliteCodeOf(error) !== undefined)
    return journalErrorFrom(error, 'storing failed');
  return new JournalError('JOURNAL_REFUSED', `an entry cannot be stored: ${String(error)}`, { cause: error });
}
