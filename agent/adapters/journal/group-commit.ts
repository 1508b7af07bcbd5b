/**
 * Group commit: everything asked for within one window shares one transaction and one fsync, and every promise is
 * settled only after it. SQLite is synchronous, so while one group syncs, the requests of the next pile up behind it.
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
  readonly commit: () => void;
  /** Undoes what begin started, if the store has not done so by itself. */
  readonly rollback: () => void;
  /** After each commit: housekeeping that may fail like a commit. */
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
  #isScheduled = false;
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
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      if (this.#windowMs === 0) setImmediate(() => this.flush());
      else setTimeout(() => this.flush(), this.#windowMs);
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    this.#isScheduled = false;
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    try {
      const refused = this.#store(group);
      for (const waiting of group) {
        const refusal = refused.get(waiting);
        if (refusal === undefined) waiting.resolve();
        else waiting.reject(refusal);
      }
      this.#transactions.settle();
    } catch (error) {
      const failure = journalErrorFrom(error, 'commit failed');
      if (failure.code !== 'JOURNAL_FULL') this.#fail(failure);
      // Those that were settled above stay as they are: a promise settles once.
      for (const waiting of group) waiting.reject(failure);
    }
  }

  /** Commits what waits and refuses everything after. */
  close(): void {
    this.flush();
    this.#refusal = () => new JournalError('JOURNAL_CLOSED', 'the journal is closed');
  }

  #store(group: readonly Waiting<Request>[]): ReadonlyMap<Waiting<Request>, JournalError> {
    const refused = new Map<Waiting<Request>, JournalError>();
    this.#transactions.begin();
    try {
      for (const waiting of group) {
        const refusal = this.#refusalOf(waiting.request);
        if (refusal !== undefined) refused.set(waiting, refusal);
      }
      if (refused.size === group.length) {
        this.#transactions.rollback();
        return refused;
      }
      this.#transactions.commit();
    } catch (error) {
      this.#transactions.rollback();
      throw error;
    }
    this.#groups += 1;
    this.#requests += group.length - refused.size;
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
    // Requests may have been added while the group was being settled.
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
