/**
 * Opens the journal's SQLite file so that a commit survives a power cut, and proves it: better-sqlite3 is compiled with
 * DEFAULT_WAL_SYNCHRONOUS=1, so entering WAL mode silently drops to synchronous=NORMAL, which loses acknowledged commits.
 * Every setting is therefore read back after it was made.
 *
 * @see https://www.sqlite.org/pragma.html
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase, { type Database, type Statement } from 'better-sqlite3';
import { JournalError } from './journal-error.ts';

/** Small rows: 1 KiB pages wear flash 2.5 times less per commit than the default 4 KiB. Fixed for a file's life. */
export const PAGE_BYTES = 1024;
/** The write-ahead log is copied into the file once it is this long (1 MiB). */
export const CHECKPOINT_FRAMES = 1024;

const CACHE_KIB = 1024;
/** A restarted agent may overlap the end of the old one for a moment. */
const LOCK_WAIT_MS = 500;

type CheckpointRow = { readonly log: bigint; readonly checkpointed: bigint };
type Setting = { readonly name: string; readonly set: string | number; readonly reads: string | bigint };

const SETTINGS: readonly Setting[] = [
  { name: 'page_size', set: PAGE_BYTES, reads: BigInt(PAGE_BYTES) },
  // Before WAL: then no -shm file is ever made, which flash filesystems without shared mmap (JFFS2) could not hold.
  { name: 'locking_mode', set: 'EXCLUSIVE', reads: 'exclusive' },
  { name: 'journal_mode', set: 'WAL', reads: 'wal' },
  // After WAL: see the module's head. 2 = FULL.
  { name: 'synchronous', set: 'FULL', reads: 2n },
  { name: 'trusted_schema', set: 'OFF', reads: 0n },
  { name: 'cell_size_check', set: 'ON', reads: 1n },
  { name: 'foreign_keys', set: 'ON', reads: 1n },
  { name: 'cache_size', set: -CACHE_KIB, reads: BigInt(-CACHE_KIB) },
  // Off: SQLite ignores errors of an automatic checkpoint (sqlite3WalDefaultHook), a failed fsync in it included.
  // Checkpoint does the same at the same length, and reports them.
  { name: 'wal_autocheckpoint', set: 0, reads: 0n },
  { name: 'journal_size_limit', set: CHECKPOINT_FRAMES * PAGE_BYTES, reads: BigInt(CHECKPOINT_FRAMES * PAGE_BYTES) },
];

/**
 * Opens or creates the file (0600), makes the settings and reads them back. `maxPages` bounds the file's size.
 *
 * @throws JournalError JOURNAL_PRAGMA if a setting did not take; whatever SQLite throws if the file is unreadable.
 */
export function openDatabase(path: string, maxPages: number): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made by us and not by SQLite, which would give it the umask's mode; -wal inherits it.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new SqliteDatabase(path, { timeout: LOCK_WAIT_MS });
  try {
    database.defaultSafeIntegers(true);
    for (const { name, set } of SETTINGS) database.pragma(`${name} = ${set}`);
    database.pragma(`max_page_count = ${maxPages}`);
    assertSettings(database, SETTINGS);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** @throws JournalError JOURNAL_PRAGMA naming the first setting that does not read back as it was set. */
export function assertSettings(database: Database, settings: readonly Setting[]): void {
  for (const { name, set, reads } of settings) {
    const got = database.pragma(name, { simple: true });
    if (got !== reads) {
      throw new JournalError(
        'JOURNAL_PRAGMA',
        `PRAGMA ${name} of ${database.name} reads ${String(got)}, expected ${reads} after setting ${set}; ` +
          'commits would not be safe, so the journal stays closed.',
      );
    }
  }
}

/** Copies the write-ahead log into the file once it has CHECKPOINT_FRAMES frames. */
export class Checkpoint {
  readonly #look: Statement;
  readonly #copy: Statement;

  /** Looks after each commit, so the statements are made once. */
  constructor(database: Database) {
    this.#look = database.prepare('PRAGMA wal_checkpoint(NOOP)');
    // PASSIVE: the log is then written from its start again, without the metadata writes of truncating and growing it.
    this.#copy = database.prepare('PRAGMA wal_checkpoint(PASSIVE)');
  }

  /** @throws what SQLite throws if copying or syncing fails */
  runIfDue(): void {
    const { log, checkpointed } = this.#look.get() as CheckpointRow;
    if (Number(log - checkpointed) >= CHECKPOINT_FRAMES) this.#copy.get();
  }
}
