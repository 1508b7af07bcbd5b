/** The journal's file opened and brought to today's schema, and its rows by kind. */
import type { Database } from 'better-sqlite3';
import { ChannelRows } from './channel-rows.ts';
import { CustodyRows } from './custody-rows.ts';
import { Checkpoint, openDatabase } from './database.ts';
import { DraftRows } from './draft-rows.ts';
import type { Transactions } from './group-commit.ts';
import { journalErrorFrom } from './journal-error.ts';
import { LifeCount } from './life-count.ts';
import { LogSync } from './log-sync.ts';
import { migrate } from './migrations.ts';
import { OpenRows } from './open-rows.ts';
import { type ProofHistory, ProofRows } from './proof-rows.ts';
import { lastQuarantine } from './quarantine.ts';
import { SessionRows } from './session-rows.ts';
import { TickRows } from './tick-rows.ts';
import { TotalRows } from './total-rows.ts';
import { TransactionRows } from './transaction-rows.ts';
import { TrialRows } from './trial-rows.ts';

export type JournalFile = {
  readonly path: string;
  /** Most bytes the file may take; commits then fail with JOURNAL_FULL. Default 32 MiB. */
  readonly maxBytes?: number;
  readonly history?: ProofHistory;
};

export type Tables = {
  readonly database: Database;
  readonly log: LogSync;
  readonly checkpoint: Checkpoint;
  readonly lives: LifeCount;
  readonly channels: ChannelRows;
  readonly custody: CustodyRows;
  readonly sessions: SessionRows;
  readonly proofs: ProofRows;
  readonly drafts: DraftRows;
  readonly trials: TrialRows;
  readonly opens: OpenRows;
  readonly ticks: TickRows;
  readonly totals: TotalRows;
  readonly transactions: TransactionRows;
};

/** Name of the fact that says which damaged file this journal began after. */
export const QUARANTINED_FACT = 'quarantined';
const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;
/** 64 bodies are five hours of 5-minute intervals; 9,000 records are a month of them. */
const DEFAULT_HISTORY: ProofHistory = { bodies: 160, records: 9000 };

/** @throws JournalError JOURNAL_PRAGMA, JOURNAL_NEWER_SCHEMA, JOURNAL_LOCKED, JOURNAL_IO, JOURNAL_FULL, JOURNAL_CORRUPT */
export function openTables(options: JournalFile): Tables {
  const maxPages = Math.ceil((options.maxBytes ?? DEFAULT_MAX_BYTES) / 1024);
  try {
    const database = openDatabase(options.path, maxPages);
    try {
      const lost = lastQuarantine(options.path);
      migrate(database, new Map(lost === undefined ? [] : [[QUARANTINED_FACT, lost]]));
      const totals = new TotalRows(database);
      return {
        database,
        checkpoint: new Checkpoint(database),
        lives: new LifeCount(database, options.path),
        totals,
        channels: new ChannelRows(database, totals),
        custody: new CustodyRows(database),
        transactions: new TransactionRows(database, totals),
        sessions: new SessionRows(database),
        ticks: new TickRows(database),
        proofs: new ProofRows(database, options.history ?? DEFAULT_HISTORY),
        drafts: new DraftRows(database),
        trials: new TrialRows(database),
        opens: new OpenRows(database),
        log: new LogSync(options.path),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (error) {
    throw journalErrorFrom(error, `opening ${options.path} failed`);
  }
}

export function closeTables({ database, log }: Tables): void {
  log.close();
  database.close();
}

/** Transactions of a group commit on the tables as they are then; what they hold is the caller's. */
export function transactionsOn(tables: () => Tables): Omit<Transactions<unknown>, 'apply'> {
  return {
    // Only here SQLite's own sync gives way to the one that follows each commit; all else stays at FULL.
    begin: () => tables().database.exec('PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE'),
    commit: () => tables().database.exec('COMMIT; PRAGMA synchronous = FULL'),
    rollback: () => {
      const { database } = tables();
      // SQLite undoes the whole transaction by itself on some errors, a full disk among them.
      if (database.inTransaction) database.exec('ROLLBACK');
      database.exec('PRAGMA synchronous = FULL');
    },
    sync: () => tables().log.sync(),
    syncNow: () => tables().log.syncNow(),
    settle: () => tables().checkpoint.runIfDue(),
  };
}
