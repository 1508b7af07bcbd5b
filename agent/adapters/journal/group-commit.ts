/**
 * Group commit: what is asked for together shares one transaction and one fsync, and every promise is settled only after
 * it. After a pause a group is what comes within one turn of the event loop; the next one gathers until the window since is
 * over. It need not wait for the sync of the one before, which runs off the event loop; MAX_LOG_SYNCS are under way at most.
 * Groups are acknowledged in the order in which they were written, whichever sync ends first.
 *
 * After a failed read, write or sync nothing more is accepted: the kernel may have dropped the dirty pages and call the
 * next fsync clean. Only reopening the file tells what is there.
 *
 * @see "Can Applications Recover from fsync Failures?", USENIX ATC 2020
 */
import { JournalError, journalErrorFrom, sqliteCodeOf } from './journal-error.ts';
import { MAX_LOG_SYNCS } from './log-sync.ts';

/** One transaction at a time on whatever is durable. All but `settled` throw what the store throws. */
export type Transactions<Request> = {
  readonly begin: () => void;
  /** All of the request or nothing of it; a JournalError JOURNAL_REFUSED concerns this request alone. */
  readonly apply: (request: Request) => void;
  /** Written, not yet durable. */
  readonly commit: () => void;
  /** Undoes what begin started, if the store has not done so by itself. */
  readonly rollback: () => void;
  /** What was committed before the call is durable once it resolves. At most MAX_LOG_SYNCS are asked for at a time. */
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

/** A transaction that is written. */
type Group<Request> = { readonly requests: readonly Waiting<Request>[]; isSynced: boolean };

export class GroupCommit<Request> {
  readonly #transactions: Transactions<Request>;
  readonly #windowMs: number;
  #waiting: Waiting<Request>[] = [];
  /** Written and not yet acknowledged, the oldest first. */
  #written: Group<Request>[] = [];
  /** Syncs under way, those included whose group was made durable by another meanwhile. */
  #syncs = 0;
  /** When the last group was written. */
  #writtenMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isFlushDue = false;
  #refusal: (() => JournalError) | undefined;
  #isClosed = false;
  #groups = 0;
  #requests = 0;

  /** `windowMs`: least time between two groups; 0: a group is what comes within one turn of the event loop. */
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
      // The next sync that ends takes it up.
      if (this.#syncs >= MAX_LOG_SYNCS) return;
      this.#flushWhenDue();
    });
  }

  /** Until it returns, what was written and not yet synced was not durable; after it, it is. @throws JournalError */
  finishSync(): void {
    if (this.#written.length === 0) return;
    try {
      this.#transactions.syncNow();
    } catch (error) {
      throw this.#broken(error);
    }
    this.#acknowledge(this.#written.length);
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
    clearTimeout(this.#timer);
    this.#isClosed = true;
    this.#refusal = () => new JournalError('JOURNAL_CLOSED', 'the journal is closed');
  }

  #flushWhenDue(): void {
    if (this.#isFlushDue || this.#timer !== undefined) return;
    const waitMs = this.#windowMs === 0 ? 0 : this.#writtenMs + this.#windowMs - performance.now();
    if (waitMs <= 0) this.#flushThisTurn();
    // Whole milliseconds: Node keeps a list for each different duration.
    else this.#timer = setTimeout(() => this.#flush(), Math.ceil(waitMs));
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
    if (this.#syncs >= MAX_LOG_SYNCS) return;
    const group = this.#write();
    if (group !== undefined) this.#sync(group);
  }

  /** One transaction with what waits; undefined if there is nothing to sync. */
  #write(): Group<Request> | undefined {
    const asked = this.#waiting;
    this.#waiting = [];
    if (asked.length === 0) return undefined;
    try {
      const refused = this.#store(asked);
      for (const [waiting, refusal] of refused) waiting.reject(refusal);
      const requests = refused.size === 0 ? asked : asked.filter((waiting) => !refused.has(waiting));
      if (requests.length === 0) return undefined;
      const group = { requests, isSynced: false };
      this.#writtenMs = performance.now();
      this.#written.push(group);
      return group;
    } catch (error) {
      const failure = journalErrorFrom(error, 'commit failed');
      if (failure.code !== 'JOURNAL_FULL') this.#fail(failure);
      for (const waiting of asked) waiting.reject(failure);
      return undefined;
    }
  }

  #sync(group: Group<Request>): void {
    this.#syncs += 1;
    this.#transactions.sync().then(
      () => {
        this.#syncs -= 1;
        group.isSynced = true;
        const waits = this.#written.findIndex(({ isSynced }) => !isSynced);
        this.#acknowledge(waits < 0 ? this.#written.length : waits);
      },
      (error: unknown) => {
        this.#syncs -= 1;
        // Also if all it answered for is durable by another sync: the next one might not be.
        if (!this.#isClosed) this.#broken(error);
      },
    );
  }

  /** The oldest `count` groups are on disk; what came meanwhile has waited long enough. */
  #acknowledge(count: number): void {
    const groups = this.#written.splice(0, count);
    for (const { requests } of groups) {
      this.#groups += 1;
      this.#requests += requests.length;
      for (const { resolve } of requests) resolve();
    }
    try {
      // After a failure nothing touches the file any more.
      if (groups.length > 0 && this.#refusal === undefined) this.#transactions.settle();
    } catch (error) {
      this.#broken(error, 'checkpoint failed');
      return;
    }
    if (this.#waiting.length > 0) this.#flushWhenDue();
  }

  /** What is written and not known to be durable is refused with all that waits: only reopening tells. */
  #broken(error: unknown, doing = 'sync failed'): JournalError {
    const failure = journalErrorFrom(error, doing);
    this.#fail(failure);
    const groups = this.#written;
    this.#written = [];
    for (const { reject } of groups.flatMap(({ requests }) => requests)) reject(failure);
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
