/**
 * The journal's schema, as the list of steps that lead to it. Steps are only ever appended: step n takes a file from
 * schema version n-1 to n, in one transaction with the row that records it.
 *
 * Amounts and byte counts are signed 64-bit integers: the whole SSP supply is below 2^47, and 2^63 bytes are 8 EiB.
 * Anything larger is refused before it gets here (columns.ts).
 */
import type { Database } from 'better-sqlite3';
import { JournalError } from './journal-error.ts';

type Migration = { readonly name: string; readonly sql: string };

/** "SSPJ" */
const APPLICATION_ID = 0x5353504a;

const MIGRATIONS: readonly Migration[] = [
  {
    name: 'channels, vouchers, sessions, proofs, trials',
    // Vouchers stand apart from their channel, and bodies from their proof: a new voucher then rewrites one small page.
    sql: `
      CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE channels (
        row INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE CHECK (length(id) = 32),
        payer BLOB NOT NULL CHECK (length(payer) = 20),
        signer BLOB NOT NULL CHECK (length(signer) = 20),
        payee BLOB NOT NULL CHECK (length(payee) = 20),
        device BLOB NOT NULL CHECK (length(device) = 20),
        expiry INTEGER NOT NULL,
        exit_delay INTEGER NOT NULL,
        salt BLOB NOT NULL CHECK (length(salt) = 32),
        mode TEXT NOT NULL,
        units_per_mb INTEGER NOT NULL,
        units_per_minute INTEGER NOT NULL,
        open_fee INTEGER NOT NULL,
        phase TEXT NOT NULL,
        deposit INTEGER NOT NULL,
        open_tx BLOB CHECK (length(open_tx) = 32),
        close_tx BLOB CHECK (length(close_tx) = 32)
      ) STRICT;
      CREATE TABLE vouchers (
        channel INTEGER PRIMARY KEY REFERENCES channels (row),
        amount INTEGER NOT NULL CHECK (amount >= 0),
        ack_bytes INTEGER NOT NULL CHECK (ack_bytes >= 0),
        signature BLOB NOT NULL CHECK (length(signature) = 64)
      ) STRICT;
      CREATE TABLE sessions (
        id INTEGER PRIMARY KEY,
        channel BLOB CHECK (length(channel) = 32),
        started_ms REAL NOT NULL,
        down_bytes INTEGER NOT NULL,
        up_bytes INTEGER NOT NULL,
        online_ms REAL NOT NULL,
        trial_bytes INTEGER NOT NULL,
        proven_down_bytes INTEGER NOT NULL,
        proven_up_bytes INTEGER NOT NULL,
        proven_units INTEGER NOT NULL,
        ended TEXT,
        stations TEXT NOT NULL,
        counters TEXT NOT NULL
      ) STRICT;
      CREATE TABLE proofs (
        seq INTEGER PRIMARY KEY,
        epoch INTEGER NOT NULL,
        device BLOB NOT NULL CHECK (length(device) = 20),
        start_s INTEGER NOT NULL,
        end_s INTEGER NOT NULL,
        up_bytes INTEGER NOT NULL,
        down_bytes INTEGER NOT NULL,
        paid INTEGER NOT NULL,
        sessions_root BLOB NOT NULL CHECK (length(sessions_root) = 32),
        prev BLOB NOT NULL CHECK (length(prev) = 32),
        clock_state INTEGER NOT NULL,
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        collector BLOB CHECK (length(collector) = 20),
        verdict TEXT,
        received_s INTEGER,
        receipt_signature BLOB CHECK (length(receipt_signature) = 64)
      ) STRICT;
      CREATE TABLE proof_bodies (seq INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
      CREATE TABLE outbox (seq INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE trials (mac TEXT PRIMARY KEY, day_s INTEGER NOT NULL, used_bytes INTEGER NOT NULL) STRICT;
    `,
  },
  {
    name: 'the final claim of a channel, so that a restart does not reckon it again',
    sql: 'ALTER TABLE channels ADD COLUMN close_units INTEGER CHECK (close_units >= 0)',
  },
  {
    name: 'transactions before they are sent, claims and gas of each channel, totals of what is forgotten',
    sql: `
      CREATE TABLE transactions (
        row INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
        nonce INTEGER NOT NULL CHECK (nonce >= 0),
        raw BLOB NOT NULL,
        purpose TEXT NOT NULL,
        state TEXT NOT NULL,
        block INTEGER,
        fee_wei INTEGER
      ) STRICT;
      CREATE TABLE totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value >= 0)) STRICT;
      ALTER TABLE channels ADD COLUMN claimed_units INTEGER CHECK (claimed_units >= 0);
      ALTER TABLE channels ADD COLUMN gas_wei INTEGER CHECK (gas_wei >= 0);
    `,
  },
  {
    name: 'intervals that are signed only once the collector can be asked',
    sql: 'CREATE TABLE drafts (id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, body BLOB NOT NULL) STRICT',
  },
  {
    name: 'tick vouchers, and the furthest coin of each chain',
    sql: `
      CREATE TABLE ticks (
        channel INTEGER PRIMARY KEY REFERENCES channels (row),
        base INTEGER NOT NULL CHECK (base >= 0),
        anchor BLOB NOT NULL CHECK (length(anchor) = 32),
        tick_value INTEGER NOT NULL CHECK (tick_value BETWEEN 1 AND 4294967295),
        ticks INTEGER NOT NULL CHECK (ticks BETWEEN 1 AND 256),
        signature BLOB NOT NULL CHECK (length(signature) = 64),
        last_index INTEGER NOT NULL CHECK (last_index BETWEEN 0 AND ticks),
        preimage BLOB NOT NULL CHECK (length(preimage) = 32)
      ) STRICT;
    `,
  },
  {
    name: 'the time of a trial, the key that asked for one, what the owner gave away in a day',
    sql: `
      ALTER TABLE sessions ADD COLUMN trial_ms REAL CHECK (trial_ms >= 0);
      ALTER TABLE trials ADD COLUMN key BLOB CHECK (length(key) = 20);
      CREATE TABLE gifts (one INTEGER PRIMARY KEY CHECK (one = 1), day_s INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    `,
  },
  {
    name: 'since when a session is paused',
    sql: 'ALTER TABLE sessions ADD COLUMN paused_at_ms REAL CHECK (paused_at_ms >= 0)',
  },
  {
    name: 'the newest hand-over of each channel that changed routers',
    sql: `
      CREATE TABLE custody (
        id BLOB PRIMARY KEY CHECK (length(id) = 32),
        self BLOB NOT NULL CHECK (length(self) = 20),
        sequence INTEGER NOT NULL CHECK (sequence > 0),
        carried TEXT NOT NULL,
        delivered INTEGER NOT NULL CHECK (delivered IN (0, 1))
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    name: 'opens of the last day, by which the gas that guests can make the router spend is bounded',
    sql: 'CREATE TABLE opens (row INTEGER PRIMARY KEY, mac TEXT NOT NULL, at_s INTEGER NOT NULL) STRICT',
  },
  {
    name: 'the time online that is never charged; all of what a trial without a channel has been online so far',
    sql: `
      ALTER TABLE sessions ADD COLUMN free_ms REAL CHECK (free_ms >= 0);
      UPDATE sessions SET free_ms = online_ms WHERE channel IS NULL;
    `,
  },
  {
    name: 'channels of an old copy of the journal, which others know better',
    sql: 'ALTER TABLE channels ADD COLUMN stale INTEGER CHECK (stale = 1)',
  },
];

/** Schema version of a file that this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** Brings the file to SCHEMA_VERSION. `facts` are stored if the file is new. @throws JournalError JOURNAL_NEWER_SCHEMA */
export function migrate(database: Database, facts: ReadonlyMap<string, string>): void {
  const found = Number(database.pragma('user_version', { simple: true }) as bigint);
  if (found === SCHEMA_VERSION) return;
  if (found > SCHEMA_VERSION) {
    throw new JournalError(
      'JOURNAL_NEWER_SCHEMA',
      `${database.name} has schema version ${found}, this program knows up to ${SCHEMA_VERSION}. ` +
        'Install the version that wrote it: going back could forget what guests paid.',
    );
  }
  const step = database.transaction((version: number, { name, sql }: Migration) => {
    if (version === 1) {
      database.exec('CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT');
      database.pragma(`application_id = ${APPLICATION_ID}`);
    }
    database.exec(sql);
    database.prepare('INSERT INTO migrations (version, name) VALUES (?, ?)').run(BigInt(version), name);
    database.pragma(`user_version = ${version}`);
    if (version > 1) return;
    const insert = database.prepare('INSERT INTO facts (name, value) VALUES (?, ?)');
    for (const [fact, value] of facts) insert.run(fact, value);
  });
  for (const [i, migration] of MIGRATIONS.entries()) {
    if (i >= found) step.immediate(i + 1, migration);
  }
}
