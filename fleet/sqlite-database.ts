/** Opens the collector's SQLite files: each can be made again from the proof log, so an unusable one is simply replaced. */
import { rmSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';

/** `version` is raised with each change of `tables`: a file of another version is made anew. */
export function openDatabase(path: string, tables: string, version: bigint): Database {
  try {
    return openUsable(path, tables, version);
  } catch {
    // Whatever is wrong with it: the log has everything.
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    return openUsable(path, tables, version);
  }
}

/** A second connection that sees committed rows only. */
export function openReader(path: string): Database {
  const database = new SqliteDatabase(path, { readonly: true });
  database.defaultSafeIntegers(true);
  return database;
}

function openUsable(path: string, tables: string, expected: bigint): Database {
  const database = new SqliteDatabase(path);
  try {
    database.defaultSafeIntegers(true);
    database.pragma('journal_mode = WAL');
    // Keeps the file whole at a power cut, though it may lose its newest rows: those are read from the log again.
    database.pragma('synchronous = NORMAL');
    database.pragma('cache_size = -65536');
    // 32 MiB: a page that many transactions change is brought to the file once for all of them.
    database.pragma('wal_autocheckpoint = 8192');
    const version = database.pragma('user_version', { simple: true });
    if (version === 0n) database.exec(`BEGIN; ${tables} PRAGMA user_version = ${expected}; COMMIT`);
    else if (version !== expected) throw new RangeError(`${path} has version ${version}, expected ${expected}`);
    if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') throw new RangeError(`${path} is damaged`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
