/**
 * One transaction of SQLite over many of the store's: what a restart can take up from the log again need not be committed each
 * time. It is committed when it has grown long, when a moment has passed, and before anybody reads beside it.
 */
import type { Database, Statement } from 'better-sqlite3';

/** Rows in one transaction; also about how many frames a restart takes up again. */
const MOST_ROWS = 2048;
const LONGEST_MS = 1000;

export class LazyCommit {
  readonly #database: Database;
  readonly #beforeCommit: () => void;
  readonly #begin: Statement;
  readonly #commit: Statement;
  #isOpen = false;
  /** What is in it may still be taken back: it must not be committed by the way. */
  #isHeld = false;
  #rows = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  /** `beforeCommit` writes what was put off until then. */
  constructor(database: Database, beforeCommit: () => void) {
    this.#database = database;
    this.#beforeCommit = beforeCommit;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Makes sure that a transaction is open. @throws what made an earlier commit fail: rows are missing since */
  open(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isOpen) return;
    this.#begin.run();
    this.#isOpen = true;
  }

  /** Commits what is durable, and opens a transaction of its own for what is not yet. */
  hold(): void {
    if (this.#isHeld) return;
    this.commit();
    this.open();
    this.#isHeld = true;
  }

  /** So many rows are durable; commits them now, or lets them wait for more. */
  keep(rows: number): void {
    this.#rows += rows;
    if (this.#isHeld || this.#rows >= MOST_ROWS) {
      this.#isHeld = false;
      this.commit();
      return;
    }
    this.#timer ??= setTimeout(() => this.#commitInTime(), LONGEST_MS).unref();
  }

  /** What is held goes; what was kept stays. */
  abandon(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#isOpen = false;
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
  }

  /** Commits what is durable; what is held stays open. @throws what SQLite says, from now on whenever it is asked to open */
  commit(): void {
    if (!this.#isOpen || this.#isHeld) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#rows = 0;
    try {
      this.#beforeCommit();
      this.#commit.run();
      this.#isOpen = false;
    } catch (error) {
      this.fail(error);
      throw error;
    }
  }

  /** Gives up whatever is open, for good: a restart takes it up from the log. */
  fail(error: unknown): void {
    this.#failure = error;
    this.forget();
  }

  /** Gives up whatever is open. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isOpen = false;
    this.#isHeld = false;
    this.#rows = 0;
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
  }

  #commitInTime(): void {
    this.#timer = undefined;
    try {
      this.commit();
    } catch {
      // Said by the next open().
    }
  }
}
