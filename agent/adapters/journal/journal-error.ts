/**
 * What can go wrong with the journal, as stable codes. The SQLite result codes behind them are in `cause`.
 *
 * @see https://www.sqlite.org/rescode.html
 */

export type JournalErrorCode =
  /** The disk, or the page limit, is full. Nothing was stored; later commits may succeed. */
  | 'JOURNAL_FULL'
  /** Reading, writing or syncing failed. What is on disk is known only after reopening; nothing more is accepted. */
  | 'JOURNAL_IO'
  /** An earlier JOURNAL_IO: close and reopen. Never retried on the same descriptor, where a failed fsync looks clean. */
  | 'JOURNAL_FAILED'
  | 'JOURNAL_CLOSED'
  /** More commits wait than MAX_WAITING_COMMITS. */
  | 'JOURNAL_OVERLOADED'
  /** The entry breaks an invariant or does not fit a column; only the commit that carries it is refused. */
  | 'JOURNAL_REFUSED'
  /** The file is damaged. It was moved aside (`quarantinedAs`) and an empty journal was started in its place. */
  | 'JOURNAL_CORRUPT'
  /** A PRAGMA reads back other than it was set. */
  | 'JOURNAL_PRAGMA'
  /** The file was written by a later version. */
  | 'JOURNAL_NEWER_SCHEMA'
  /** Another process holds the file. */
  | 'JOURNAL_LOCKED';

export class JournalError extends Error {
  readonly code: JournalErrorCode;
  readonly quarantinedAs: string | undefined;

  constructor(code: JournalErrorCode, message: string, options: { cause?: unknown; quarantinedAs?: string } = {}) {
    super(message, { cause: options.cause });
    this.name = 'JournalError';
    this.code = code;
    this.quarantinedAs = options.quarantinedAs;
  }
}

/** The JournalError for whatever SQLite, or our code inside a transaction, threw. */
export function journalErrorFrom(error: unknown, doing: string): JournalError {
  if (error instanceof JournalError) return error;
  const sqliteCode = sqliteCodeOf(error);
  const detail = `${doing}: ${sqliteCode ?? 'unexpected error'}: ${error instanceof Error ? error.message : String(error)}`;
  return new JournalError(codeFromSqlite(sqliteCode), detail, { cause: error });
}

/** "SQLITE_IOERR_FSYNC" and the like; undefined for errors that are not SQLite's. */
export function sqliteCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : undefined;
}

function codeFromSqlite(code: string | undefined): JournalErrorCode {
  if (code === undefined) return 'JOURNAL_IO';
  if (code.startsWith('SQLITE_FULL')) return 'JOURNAL_FULL';
  if (code.startsWith('SQLITE_CONSTRAINT')) return 'JOURNAL_REFUSED';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'JOURNAL_LOCKED';
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return 'JOURNAL_CORRUPT';
  return 'JOURNAL_IO';
}
