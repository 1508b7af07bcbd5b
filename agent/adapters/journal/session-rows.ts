/**
 * Sessions with the last known values of their kernel counters. Stations and counters are JSON in the session's row:
 * they are always read and written with it, and so cost no page of their own.
 */
import type { Database, Statement } from 'better-sqlite3';
import * as v from 'valibot';
import { uint64FromDecimal } from '../../../protocol/units.ts';
import type {
  CounterKey,
  CounterReading,
  DeviceName,
  EndReason,
  IpAddress,
  Mac,
  Session,
  Station,
} from '../../core/model.ts';
import { parseDeviceName, parseIp, parseMac } from '../../core/names.ts';
import { hexOf, oneOf, toInteger, toOptionalBlob, toReal } from './columns.ts';
import { JournalError } from './journal-error.ts';

type SessionRow = {
  readonly id: bigint;
  readonly channel: Uint8Array | null;
  readonly started_ms: number;
  readonly down_bytes: bigint;
  readonly up_bytes: bigint;
  readonly online_ms: number;
  readonly trial_bytes: bigint;
  readonly trial_ms: number | null;
  readonly free_ms: number | null;
  readonly paused_at_ms: number | null;
  readonly proven_down_bytes: bigint;
  readonly proven_up_bytes: bigint;
  readonly proven_units: bigint;
  readonly ended: string | null;
  readonly stations: string;
  readonly counters: string;
};

export type StoredSession = { readonly session: Session; readonly counters: readonly CounterReading[] };

const END_REASONS = Object.keys({
  'guest-left': true,
  owner: true,
  'trial-exhausted': true,
  'channel-expiring': true,
  'open-failed': true,
  moved: true,
} satisfies Record<EndReason, true>) as EndReason[];

const macSchema = v.pipe(
  v.string(),
  v.check((text) => parseMac(text) === text, 'canonical MAC'),
  v.transform((text) => text as Mac),
);
const deviceSchema = v.pipe(
  v.string(),
  v.check((text) => parseDeviceName(text) === text, 'interface name'),
  v.transform((text) => text as DeviceName),
);
const addressSchema = v.pipe(
  v.string(),
  v.check((text) => parseIp(text) === text, 'canonical IP address'),
  v.transform((text) => text as IpAddress),
);
const countSchema = v.pipe(
  v.string(),
  v.check((text) => uint64FromDecimal(text) !== undefined, 'uint64'),
  v.transform((text) => BigInt(text)),
);
const stationsSchema = v.array(v.strictTuple([macSchema, v.nullable(deviceSchema), v.array(addressSchema)]));
const counterKeySchema = v.pipe(
  v.string(),
  v.check(isCounterKey, 'up:<mac> or down:<ip>'),
  v.transform((text) => text as CounterKey),
);
const countersSchema = v.array(v.strictTuple([counterKeySchema, countSchema, countSchema]));

export class SessionRows {
  readonly #upsert: Statement;
  readonly #forget: Statement;
  readonly #all: Statement;

  constructor(database: Database) {
    // What is proven never decreases: usage may be flushed, with the marks of before, behind a proof that is being committed.
    this.#upsert = database.prepare(`
      INSERT INTO sessions (id, channel, started_ms, down_bytes, up_bytes, online_ms, trial_bytes, trial_ms, free_ms,
        paused_at_ms, proven_down_bytes, proven_up_bytes, proven_units, ended, stations, counters)
      VALUES (@id, @channel, @startedMs, @downBytes, @upBytes, @onlineMs, @trialBytes, @trialMs, @freeMs,
        @pausedAtMs, @provenDownBytes, @provenUpBytes, @provenUnits, @ended, @stations, @counters)
      ON CONFLICT (id) DO UPDATE SET channel = excluded.channel, started_ms = excluded.started_ms,
        down_bytes = excluded.down_bytes, up_bytes = excluded.up_bytes, online_ms = excluded.online_ms,
        trial_bytes = excluded.trial_bytes, trial_ms = excluded.trial_ms, free_ms = excluded.free_ms,
        paused_at_ms = excluded.paused_at_ms,
        proven_down_bytes = max(proven_down_bytes, excluded.proven_down_bytes),
        proven_up_bytes = max(proven_up_bytes, excluded.proven_up_bytes),
        proven_units = max(proven_units, excluded.proven_units),
        ended = excluded.ended, stations = excluded.stations, counters = excluded.counters`);
    this.#forget = database.prepare('DELETE FROM sessions WHERE id = ?');
    this.#all = database.prepare('SELECT * FROM sessions ORDER BY id');
  }

  store({ session, counters }: StoredSession): void {
    if (!Number.isSafeInteger(session.id)) {
      throw new JournalError('JOURNAL_REFUSED', `session id must be an integer, got ${session.id}`);
    }
    this.#upsert.run({
      id: BigInt(session.id),
      channel: toOptionalBlob(session.channelId, 32, 'channel id'),
      startedMs: toReal(session.startedMs, 'start'),
      downBytes: toInteger(session.usage.downBytes, 'bytes down'),
      upBytes: toInteger(session.usage.upBytes, 'bytes up'),
      onlineMs: toReal(session.usage.onlineMs, 'time online'),
      trialBytes: toInteger(session.trialBytes, 'trial bytes'),
      trialMs: session.trialMs === undefined ? null : toReal(session.trialMs, 'time of a trial'),
      freeMs: session.freeMs === undefined ? null : toReal(session.freeMs, 'free time online'),
      pausedAtMs: session.pausedAtMs === undefined ? null : toReal(session.pausedAtMs, 'begin of a pause'),
      provenDownBytes: toInteger(session.proven.downBytes, 'proven bytes down'),
      provenUpBytes: toInteger(session.proven.upBytes, 'proven bytes up'),
      provenUnits: toInteger(session.proven.units, 'proven units'),
      ended: session.ended ?? null,
      stations: JSON.stringify(session.stations.map(({ mac, port, addresses }) => [mac, port ?? null, addresses])),
      counters: JSON.stringify(counters.map(({ key, bytes, packets }) => [key, bytes.toString(), packets.toString()])),
    });
  }

  forget(id: number): void {
    this.#forget.run(BigInt(id));
  }

  /** @throws JournalError JOURNAL_CORRUPT */
  all(): readonly StoredSession[] {
    return (this.#all.all() as SessionRow[]).map(storedSessionFromRow);
  }
}

function storedSessionFromRow(row: SessionRow): StoredSession {
  const sessionId = Number(row.id);
  const stations = parseColumn(stationsSchema, row.stations, `stations of session ${sessionId}`);
  const counters = parseColumn(countersSchema, row.counters, `counters of session ${sessionId}`);
  const session: Session = {
    id: sessionId,
    startedMs: row.started_ms,
    stations: stations.map(
      ([mac, port, addresses]): Station => (port === null ? { mac, addresses } : { mac, port, addresses }),
    ),
    ...(row.channel === null ? {} : { channelId: hexOf(row.channel) }),
    usage: { downBytes: row.down_bytes, upBytes: row.up_bytes, onlineMs: row.online_ms },
    trialBytes: row.trial_bytes,
    ...(row.trial_ms === null ? {} : { trialMs: row.trial_ms }),
    ...(row.free_ms === null ? {} : { freeMs: row.free_ms }),
    ...(row.paused_at_ms === null ? {} : { pausedAtMs: row.paused_at_ms }),
    proven: { downBytes: row.proven_down_bytes, upBytes: row.proven_up_bytes, units: row.proven_units },
    ...(row.ended === null ? {} : { ended: oneOf(END_REASONS, row.ended, `end of session ${sessionId}`) }),
  };
  return { session, counters: counters.map(([key, bytes, packets]) => ({ sessionId, key, bytes, packets })) };
}

function isCounterKey(text: string): boolean {
  const name = text.slice(text.indexOf(':') + 1);
  return text.startsWith('up:') ? parseMac(name) === name : text.startsWith('down:') && parseIp(name) === name;
}

function parseColumn<Schema extends v.GenericSchema>(
  schema: Schema,
  text: string,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (!result.success) throw new JournalError('JOURNAL_CORRUPT', `${what}: ${result.issues[0].message}`);
  return result.output;
}
