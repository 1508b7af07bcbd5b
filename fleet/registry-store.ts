/**
 * Who is enrolled with this collector, and what enrolled them: one SQLite file, which is a source of its own (the proof log
 * knows nothing of it) and is therefore synced at each commit. The collector and `fleet enrol` may have it open at once.
 */
import SqliteDatabase, { type Database, type Statement } from 'better-sqlite3';
import type { Address } from '../protocol/address.ts';
import type { Hex } from '../protocol/hex.ts';
import type { SignedKeyRotation } from '../protocol/key-rotation.ts';
import { decodeKeyRotation, jsonFromKeyRotation } from '../protocol/key-rotation-wire.ts';

/** pending: waits for a person; retired: its successor has taken over, and what it still has to deliver counts for a while. */
export type EnrolmentState = 'pending' | 'active' | 'rejected' | 'retired' | 'revoked';
/** rotation: the key before it has signed that this one goes on in its place. */
export type EnrolmentMethod = 'attestation' | 'serial' | 'key' | 'rotation';

export type EnrolledDevice = {
  readonly device: Address;
  readonly state: EnrolmentState;
  readonly method: EnrolmentMethod;
  /** The serial number, the vendor's number and key ("7 0x.."), the label of the key, or the key before. */
  readonly credential: string;
  readonly sinceS: bigint;
  readonly reason: string;
  /** The device whose place it takes once it is active. */
  readonly replaces?: Address | undefined;
  readonly vendorId?: bigint | undefined;
  readonly notAfter?: bigint | undefined;
};

export type PreAuthKey = {
  readonly hash: Hex;
  readonly label: string;
  readonly expiresS: bigint;
  readonly usedBy?: Address | undefined;
  readonly replaces?: Address | undefined;
};

export type Serial = { readonly serial: string; readonly batch: string; readonly device?: Address | undefined };

/** A rotation on file, in the order in which they were taken. `head`: of the chain that was handed over (handed-head.ts). */
export type StoredRotation = { readonly id: bigint; readonly rotation: SignedKeyRotation; readonly head?: string };

const VERSION = 3n;
const ROTATIONS = `
  CREATE TABLE rotations (id INTEGER PRIMARY KEY, device TEXT NOT NULL UNIQUE, successor TEXT NOT NULL UNIQUE, json TEXT NOT NULL,
    head TEXT) STRICT;
  CREATE TABLE rotation_conflicts (id INTEGER PRIMARY KEY, device TEXT NOT NULL, json TEXT NOT NULL UNIQUE) STRICT;
`;
const TABLES = `
  CREATE TABLE devices (device TEXT PRIMARY KEY, state TEXT NOT NULL, method TEXT NOT NULL, credential TEXT NOT NULL,
    since_s INTEGER NOT NULL, reason TEXT NOT NULL, replaces TEXT, vendor_id INTEGER, not_after INTEGER) STRICT;
  CREATE INDEX by_state ON devices (state, since_s);
  CREATE TABLE serials (serial TEXT PRIMARY KEY, batch TEXT NOT NULL, device TEXT) STRICT;
  CREATE TABLE keys (hash TEXT PRIMARY KEY, label TEXT NOT NULL, expires_s INTEGER NOT NULL, used_by TEXT, replaces TEXT) STRICT;
  CREATE TABLE documents (kind TEXT NOT NULL, name TEXT NOT NULL, serial INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (kind, name)) STRICT;
`;

/** What a file of an older version lacks. */
const MISSING: Readonly<Record<string, string>> = {
  0: TABLES + ROTATIONS,
  1: ROTATIONS,
  2: 'ALTER TABLE rotations ADD COLUMN head TEXT;',
};

type DeviceRow = Readonly<Record<string, string | bigint | null>>;

export class RegistryStore {
  readonly #database: Database;
  readonly #byDevice: Statement;
  readonly #serial: Statement;
  readonly #lastRotation: Statement;

  /** @throws SqliteError if the file cannot be opened; RangeError if it is of another version */
  constructor(path: string) {
    const database = new SqliteDatabase(path, { timeout: 5_000 });
    this.#database = database;
    database.defaultSafeIntegers(true);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    const version = database.pragma('user_version', { simple: true });
    const missing = MISSING[String(version)];
    if (missing !== undefined) {
      database.transaction(() => database.exec(`${missing} PRAGMA user_version = ${VERSION};`)).immediate();
    } else if (version !== VERSION) throw new RangeError(`${path} has version ${version}, expected ${VERSION}`);
    // Asked for each proof.
    this.#byDevice = database.prepare('SELECT * FROM devices WHERE device = ?');
    this.#serial = database.prepare('SELECT serial FROM documents WHERE kind = ? AND name = ?').pluck();
    this.#lastRotation = database.prepare('SELECT max(id) FROM rotations').pluck();
  }

  tx<T>(f: () => T): T {
    return this.#database.transaction(f).immediate();
  }

  device(device: Address): EnrolledDevice | undefined {
    const row = this.#byDevice.get(device) as DeviceRow | undefined;
    return row === undefined ? undefined : deviceFromRow(row);
  }

  /** Oldest first. */
  devices(state: EnrolmentState | undefined, limit: number): readonly EnrolledDevice[] {
    const sql = 'SELECT * FROM devices WHERE ? IS NULL OR state = ? ORDER BY since_s, device LIMIT ?';
    const rows = this.#database.prepare(sql).all(state ?? null, state ?? null, limit) as DeviceRow[];
    return rows.map(deviceFromRow);
  }

  count(state: EnrolmentState): number {
    return Number(this.#database.prepare('SELECT count(*) FROM devices WHERE state = ?').pluck().get(state) as bigint);
  }

  put(entry: EnrolledDevice): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        entry.device,
        entry.state,
        entry.method,
        entry.credential,
        entry.sinceS,
        entry.reason,
        entry.replaces ?? null,
        entry.vendorId ?? null,
        entry.notAfter ?? null,
      );
  }

  serial(serial: string): Serial | undefined {
    const row = this.#database.prepare('SELECT * FROM serials WHERE serial = ?').get(serial) as
      | { serial: string; batch: string; device: Address | null }
      | undefined;
    return row === undefined ? undefined : { ...row, device: row.device ?? undefined };
  }

  /** Serials that are listed already stay as they are. @returns how many are new */
  addSerials(batch: string, serials: readonly string[]): number {
    const insert = this.#database.prepare('INSERT OR IGNORE INTO serials (serial, batch) VALUES (?, ?)');
    return this.tx(() => serials.reduce((sum, serial) => sum + insert.run(serial, batch).changes, 0));
  }

  claimSerial(serial: string, device: Address): void {
    this.#database.prepare('UPDATE serials SET device = ? WHERE serial = ?').run(device, serial);
  }

  key(hash: Hex): PreAuthKey | undefined {
    const row = this.#database.prepare('SELECT * FROM keys WHERE hash = ?').get(hash) as DeviceRow | undefined;
    if (row === undefined) return undefined;
    return {
      hash,
      label: String(row['label']),
      expiresS: row['expires_s'] as bigint,
      usedBy: (row['used_by'] as Address | null) ?? undefined,
      replaces: (row['replaces'] as Address | null) ?? undefined,
    };
  }

  putKey({ hash, label, expiresS, usedBy, replaces }: PreAuthKey): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?)')
      .run(hash, label, expiresS, usedBy ?? null, replaces ?? null);
  }

  /** Of two documents of one kind and name the one with the higher serial stays. @returns whether it was taken */
  putDocument(kind: DocumentKind, name: string, serial: bigint, json: object): boolean {
    const sql = `INSERT INTO documents VALUES (@kind, @name, @serial, @json)
      ON CONFLICT (kind, name) DO UPDATE SET serial = @serial, json = @json WHERE serial < @serial`;
    const parameters = { kind, name, serial, json: JSON.stringify(json) };
    return this.#database.prepare(sql).run(parameters).changes > 0;
  }

  document(kind: DocumentKind, name: string): unknown {
    const sql = 'SELECT json FROM documents WHERE kind = ? AND name = ?';
    const json = this.#database.prepare(sql).pluck().get(kind, name) as string | undefined;
    return json === undefined ? undefined : JSON.parse(json);
  }

  /** Serial of the document on file; undefined: there is none. */
  documentSerial(kind: DocumentKind, name: string): bigint | undefined {
    return this.#serial.get(kind, name) as bigint | undefined;
  }

  /** Of one device there is one, and of one successor. @throws SqliteError if there is already */
  addRotation(rotation: SignedKeyRotation, head: string | undefined): void {
    const json = JSON.stringify(jsonFromKeyRotation(rotation));
    this.#database
      .prepare('INSERT INTO rotations (device, successor, json, head) VALUES (?, ?, ?, ?)')
      .run(rotation.device, rotation.successor, json, head ?? null);
  }

  /** 0: there is none. */
  lastRotation(): bigint {
    return (this.#lastRotation.get() as bigint | null) ?? 0n;
  }

  /** Those taken after number `id`. */
  rotationsAfter(id: bigint): readonly StoredRotation[] {
    const sql = 'SELECT id, json, head FROM rotations WHERE id > ? ORDER BY id';
    const rows = this.#database.prepare(sql).all(id) as (JsonRow & { readonly head: string | null })[];
    return rows.map((row) => ({
      id: row.id,
      rotation: rotationIn(row),
      ...(row.head === null ? {} : { head: row.head }),
    }));
  }

  /** Another rotation that the same key has signed; `most` are kept. */
  addConflict(rotation: SignedKeyRotation, most: number): void {
    const json = JSON.stringify(jsonFromKeyRotation(rotation));
    this.tx(() => {
      if (this.conflicts(rotation.device).length >= most) return;
      this.#database
        .prepare('INSERT OR IGNORE INTO rotation_conflicts (device, json) VALUES (?, ?)')
        .run(rotation.device, json);
    });
  }

  conflicts(device: Address): readonly SignedKeyRotation[] {
    const sql = 'SELECT id, json FROM rotation_conflicts WHERE device = ? ORDER BY id';
    return (this.#database.prepare(sql).all(device) as JsonRow[]).map(rotationIn);
  }

  close(): void {
    this.#database.close();
  }
}

/**
 * What is signed by others and kept whole: a vendor's revocations, a device's offer and binding; and by the collector's owner:
 * that a vendor's key counts no more.
 */
export type DocumentKind = 'revocations' | 'offer' | 'binding' | 'vendor-key';

type JsonRow = { readonly id: bigint; readonly json: string };

function rotationIn({ json }: JsonRow): SignedKeyRotation {
  const decoded = decodeKeyRotation(JSON.parse(json));
  if (!decoded.ok) throw new RangeError(`the registry holds a rotation whose ${decoded.path} is ${decoded.got}`);
  return decoded.value;
}

function deviceFromRow(row: DeviceRow): EnrolledDevice {
  return {
    device: row['device'] as Address,
    state: row['state'] as EnrolmentState,
    method: row['method'] as EnrolmentMethod,
    credential: String(row['credential']),
    sinceS: row['since_s'] as bigint,
    reason: String(row['reason']),
    replaces: (row['replaces'] as Address | null) ?? undefined,
    vendorId: (row['vendor_id'] as bigint | null) ?? undefined,
    notAfter: (row['not_after'] as bigint | null) ?? undefined,
  };
}
