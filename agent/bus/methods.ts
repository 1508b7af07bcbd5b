/**
 * What the object `shareagent` answers. Arguments come from anyone whom ubusd's ACL lets through: each is checked here, and
 * a refusal says why in the log. docs/ubus.md is the contract.
 */
import { uint64FromDecimal } from '../../protocol/units.ts';
import type {
  BusAnswer,
  BusArguments,
  BusMethod,
  BusMethods,
  BusRefusal,
  BusTable,
  PriceChange,
  PriceResult,
} from '../bus-port.ts';
import type { AgentConfig } from '../core/config.ts';
import type { SessionId } from '../core/model.ts';
import { parseMac } from '../core/names.ts';
import type { GiftResult } from '../owner/owner.ts';
import type { OwnerDesk } from '../owner-port.ts';
import type { StationSource } from '../ports.ts';
import { MAX_EARNINGS_DAYS } from './earnings.ts';
import type { BusReport } from './report.ts';

export type DoctorFinding = {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly fix?: string;
};

export type BusMethodDeps = {
  readonly report: BusReport;
  readonly config: AgentConfig;
  readonly owner: Pick<OwnerDesk, 'endSession'>;
  readonly stations: Pick<StationSource, 'kick'>;
  /** @throws if the kernel refuses. */
  readonly extendSession: (id: SessionId, bytes: bigint) => Promise<GiftResult>;
  readonly setPrice: (change: PriceChange) => PriceResult;
  /** All of `shareagent doctor`, with what only the running agent knows. */
  readonly examine: () => Promise<readonly DoctorFinding[]>;
};

/** A week of ten-minute intervals; older ones are with the collector. */
const MAX_PROOFS = 1_008;
const DEFAULT_PROOFS = 20;
const DEFAULT_DAYS = 7;

export function busMethods(deps: BusMethodDeps): BusMethods {
  const { report } = deps;
  return {
    status: plain(() => report.status()),
    sessions: plain(() => ({ sessions: report.sessions() })),
    session_end: { args: { id: 'int32' }, answer: (args) => endSession(deps, args) },
    session_extend: {
      args: { id: 'int32', bytes: 'integer', seconds: 'int32' },
      answer: (args) => extendSession(deps, args),
    },
    channels: plain(() => ({ channels: report.channels() })),
    earnings: counted('days', DEFAULT_DAYS, MAX_EARNINGS_DAYS, (days) => report.earnings(days)),
    proofs: counted('limit', DEFAULT_PROOFS, MAX_PROOFS, (limit) => ({ proofs: report.proofs(limit) })),
    price: plain(() => report.price()),
    price_set: {
      args: { per_mb_units: 'string', per_minute_units: 'string' },
      answer: (args) => setPrice(deps, args),
    },
    station_kick: { args: { mac: 'string' }, answer: (args) => kick(deps, args) },
    doctor: { args: {}, answer: () => doctor(deps) },
  };
}

function plain(reply: () => BusTable): BusMethod {
  return { args: {}, answer: () => ({ ok: true, reply: reply() }) };
}

function counted(name: string, usual: number, max: number, reply: (count: number) => BusTable): BusMethod {
  return {
    args: { [name]: 'int32' },
    answer: (args) => {
      const count = args[name] ?? usual;
      if (typeof count === 'number' && count >= 1 && count <= max) return { ok: true, reply: reply(count) };
      return refuse('invalid-argument', `${name} must be 1 to ${max}, got ${shown(count)}`);
    },
  };
}

async function endSession({ owner }: BusMethodDeps, { id }: BusArguments): Promise<BusAnswer> {
  if (typeof id !== 'number') return refuse('invalid-argument', `id must be an integer, got ${shown(id)}`);
  if (await owner.endSession(id)) return { ok: true, reply: {} };
  return refuse('not-found', `there is no running session ${id}`);
}

async function extendSession(deps: BusMethodDeps, { id, bytes, seconds }: BusArguments): Promise<BusAnswer> {
  if (typeof id !== 'number') return refuse('invalid-argument', `id must be an integer, got ${shown(id)}`);
  if (seconds !== undefined && seconds !== 0) {
    return refuse('not-supported', 'the ledger has no free time yet; give bytes instead of seconds');
  }
  const given = bytesFrom(bytes);
  if (given === undefined || given < 1n) {
    return refuse('invalid-argument', `bytes must be a whole number from 1, got ${shown(bytes)}`);
  }
  const result = await deps.extendSession(id, given);
  switch (result.kind) {
    case 'given':
      return { ok: true, reply: { bytes: given } };
    case 'not-found':
      return refuse('not-found', `there is no running session ${id}`);
    case 'used-up':
      return refuse(
        'invalid-argument',
        `bytes must be at most ${result.leftBytes}, all that is left of price.gift_bytes_per_day until midnight UTC, got ${shown(bytes)}`,
      );
  }
}

function setPrice({ report, setPrice: set }: BusMethodDeps, args: BusArguments): BusAnswer {
  const { per_mb_units: perMb, per_minute_units: perMinute } = args;
  if (perMb === undefined && perMinute === undefined) {
    return refuse('invalid-argument', 'per_mb_units or per_minute_units must be given, as a decimal string');
  }
  const unitsPerMb = perMb === undefined ? undefined : unitsFrom(perMb);
  const unitsPerMinute = perMinute === undefined ? undefined : unitsFrom(perMinute);
  if (unitsPerMb === null || unitsPerMinute === null) {
    return refuse('invalid-argument', `a price must be a decimal string of units, got ${shown(perMb ?? perMinute)}`);
  }
  const result = set({
    ...(unitsPerMb === undefined ? {} : { unitsPerMb }),
    ...(unitsPerMinute === undefined ? {} : { unitsPerMinute }),
  });
  if (result.ok) return { ok: true, reply: report.price() };
  return refuse(result.reason === 'refused' ? 'invalid-argument' : 'permission-denied', result.message);
}

async function kick({ stations }: BusMethodDeps, args: BusArguments): Promise<BusAnswer> {
  const mac = typeof args['mac'] === 'string' ? parseMac(args['mac']) : undefined;
  if (mac === undefined) return refuse('invalid-argument', `mac must be a MAC address, got ${shown(args['mac'])}`);
  switch (await stations.kick(mac)) {
    case 'kicked':
      return { ok: true, reply: {} };
    case 'not-found':
      return refuse('not-found', 'no BSS of the guest network has this station');
    case 'no-answer':
      return refuse('timed-out', 'hostapd did not answer del_client');
  }
}

async function doctor({ examine }: BusMethodDeps): Promise<BusAnswer> {
  const findings = await examine();
  const checks: readonly BusTable[] = findings.map(({ name, status, detail, fix }) => ({
    name,
    ok: status !== 'fail',
    level: status,
    message: detail,
    fix,
  }));
  return { ok: true, reply: { checks } };
}

function bytesFrom(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return undefined;
}

/** null if it is no amount. */
function unitsFrom(value: unknown): bigint | null {
  return typeof value === 'string' ? (uint64FromDecimal(value) ?? null) : null;
}

function refuse(reason: BusRefusal, message: string): BusAnswer {
  return { ok: false, reason, message };
}

/** For the log: short, and printable whatever was sent. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing of the right type';
  return JSON.stringify(typeof value === 'bigint' ? `${value}` : value).slice(0, 60);
}
