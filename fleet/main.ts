/**
 * Composition root of the collector: `node fleet/main.ts --config FILE [--port N] [--shard K/N]`. Prints one line of JSON
 * once it listens: {"listening":"http://127.0.0.1:8440","collector":"0x.."}. Everything else it has to say goes to stderr.
 * `node fleet/main.ts --config FILE [--shard K/N] --rebuild` makes all but the segments anew from them, and ends.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Address } from '../protocol/address.ts';
import type { ClockCorrection } from '../protocol/clock-statement.ts';
import { catchUp } from './catch-up.ts';
import { buildCollector, type CollectorDeps } from './collector.ts';
import { type CollectorConfig, ENROLLED_LINK_BYTES_PER_S, parseCollectorConfig } from './collector-config.ts';
import { loadOrCreateCollectorKey } from './collector-key.ts';
import { startDayTotals } from './day-totals.ts';
import type { KnownDevice } from './device-standing.ts';
import { isOutOfRoom, untilRoom } from './full-disk.ts';
import type { IntakeLimits } from './intake-limits.ts';
import { readersFrom } from './listing-access.ts';
import { ProofIntake } from './proof-intake.ts';
import { isAfter } from './proof-log.ts';
import { Registry } from './registry.ts';
import type { RegistryLimits } from './registry-limits.ts';
import { addRegistryRoutes } from './registry-routes.ts';
import { RegistryStore } from './registry-store.ts';
import { SegmentLog } from './segment-log.ts';
import { parseShard, type Shard } from './shard.ts';
import { loadSignatures } from './signatures.ts';
import { SqliteClaims } from './sqlite-claims.ts';
import { SqliteStore } from './sqlite-store.ts';

const USAGE = 'usage: node fleet/main.ts --config FILE [--port N] [--shard K/N] [--rebuild]\n';

const LOG_IS_SHORT =
  'collector: the log ends before what the store had taken up: acknowledged proofs may be lost. See *.torn-* beside the segments.\n';

async function openStorage(config: CollectorConfig, shard: Shard | undefined) {
  const directory =
    shard === undefined ? config.directory : join(config.directory, `shard-${shard.index}-of-${shard.count}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const log = await SegmentLog.open({ directory: join(directory, 'log') });
  return {
    log,
    store: new SqliteStore(join(directory, 'store.db')),
    claims: new SqliteClaims(join(directory, 'totals.db')),
  };
}

/** Serves until it is told to end or its storage fails; after a full disk it begins anew once there is room. */
async function run(config: CollectorConfig, shard: Shard | undefined): Promise<void> {
  const ending = new AbortController();
  process.once('SIGTERM', () => ending.abort());
  process.once('SIGINT', () => ending.abort());
  const signatures = await loadSignatures();
  let { port } = config;
  for (let isFirst = true; !ending.signal.aborted; isFirst = false) {
    let failure: unknown;
    try {
      const serving = await serve({ ...config, port }, shard, signatures);
      ({ port } = serving);
      if (isFirst) process.stdout.write(`${JSON.stringify(serving.said)}\n`);
      ending.signal.addEventListener('abort', () => serving.end(undefined), { once: true });
      if (ending.signal.aborted) serving.end(undefined);
      failure = await serving.ended;
      await serving.close();
    } catch (error) {
      if (isFirst) throw error;
      failure = error;
    }
    if (failure === undefined) return;
    if (!isOutOfRoom(failure)) {
      // Nothing more can be acknowledged; a supervisor starts us again, and catchUp goes on from what is durable.
      process.stderr.write(`collector: stops because its storage failed: ${String(failure)}\n`);
      process.exitCode = 1;
      return;
    }
    process.stderr.write('collector: the disk is full: nothing is taken until there is room\n');
    const { directory, host } = config;
    await untilRoom({ directory, host, port, signal: ending.signal, ...tlsOf(config) });
  }
}

type Serving = {
  /** Where it listens now, if the configuration left it open. */
  readonly port: number;
  readonly said: object;
  readonly ended: Promise<unknown>;
  /** With what failed, or undefined. */
  readonly end: (failure: unknown) => void;
  readonly close: () => Promise<void>;
};

/** Up to date with its log. Closed again if it cannot be brought there. */
async function caughtUp(config: CollectorConfig, shard: Shard | undefined) {
  const storage = await openStorage(config, shard);
  const { log, store, claims } = storage;
  try {
    if (isAfter(store.position(), log.end())) process.stderr.write(LOG_IS_SHORT);
    await catchUp(store, log);
    return storage;
  } catch (error) {
    await log.close();
    store.close();
    claims.close();
    throw error;
  }
}

async function serve(
  config: CollectorConfig,
  shard: Shard | undefined,
  { recover, recoverGuest, sign, backend }: Awaited<ReturnType<typeof loadSignatures>>,
): Promise<Serving> {
  const collector = loadOrCreateCollectorKey(config.keyFile);
  const { log, store, claims } = await caughtUp(config, shard);
  let end: Serving['end'] = () => undefined;
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  const stopTotals = startDayTotals(claims, log);
  const { registry, registryStore } = openRegistry(config, collector.address);
  const devices = (address: Address) => deviceOf(address, config, registry);
  const readersOf = readersFrom(registry, registryStore, config.vendors, config.readers ?? []);
  const deps: CollectorDeps = {
    log,
    store,
    collector,
    recover,
    recoverGuest,
    sign,
    limits: intakeLimits(config),
    deployment: config.deployment,
    devices,
    nowS,
    monotonicMs: () => performance.now(),
    lateAfterS: config.lateAfterS,
    ...(shard === undefined ? {} : { shard }),
    ...(config.maxConnections === undefined ? {} : { maxConnections: config.maxConnections }),
    ...(config.trustedProxies === undefined ? {} : { trustedProxies: config.trustedProxies }),
    listingLimits: registryLimits(config),
    readersOf,
    rotationConflicts: (device) => registry.rotationConflicts(device),
    ...tlsOf(config),
    onFailure: end,
  };
  const intake = new ProofIntake(deps);
  const app = buildCollector({ ...deps, intake });
  await addRegistryRoutes(app, {
    ...registryRouteDeps(deps, store, intake),
    registry,
    store: registryStore,
    limits: registryLimits(config),
  });
  const close = async (): Promise<void> => {
    await app.close();
    // They are made at the next start.
    await stopTotals().catch(() => undefined);
    await log.close();
    store.close();
    claims.close();
    registryStore.close();
  };
  const listening = await app.listen({ host: config.host, port: config.port });
  const said = { listening, collector: collector.address, verifier: backend };
  return { port: Number(new URL(listening).port) || config.port, said, ended, end, close };
}

function tlsOf({ tls }: CollectorConfig) {
  return tls === undefined ? {} : { tls: { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) } };
}

function registryRouteDeps(deps: CollectorDeps, store: SqliteStore, intake: ProofIntake) {
  const { deployment, collector, recover, readersOf, shard, devices } = deps;
  return {
    deployment,
    collector,
    isKnown: (device: Address) => devices(device)?.isRevoked === false,
    chainOf: (device: Address) => store.chain(device),
    inTurn: <T>(f: () => Promise<T>) => store.tx(f),
    ...(shard === undefined ? {} : { shard }),
    ...(recover === undefined ? {} : { recover }),
    ...(readersOf === undefined ? {} : { readersOf }),
    correctClock: (correction: ClockCorrection) => intake.correctClock(correction),
    nowS,
  };
}

/** One for all shards. Enrolment survives a rebuild: it is not in the proof log. */
function openRegistry({ directory, deployment, vendors, isEnrolmentManual }: CollectorConfig, collector: Address) {
  const registryStore = new RegistryStore(join(directory, 'registry.db'));
  const isManual = isEnrolmentManual;
  return {
    registryStore,
    registry: new Registry({ store: registryStore, deployment, collector, vendors, isManual, nowS }),
  };
}

function intakeLimits({ deviceRate, strangerRate, strangerTotalRate }: CollectorConfig): Partial<IntakeLimits> {
  return {
    ...(deviceRate === undefined ? {} : { device: deviceRate }),
    ...(strangerRate === undefined ? {} : { stranger: strangerRate }),
    ...(strangerTotalRate === undefined ? {} : { allStrangers: strangerTotalRate }),
  };
}

function registryLimits({ registryRate, registryTotalRate }: CollectorConfig): Partial<RegistryLimits> {
  return {
    ...(registryRate === undefined ? {} : { source: registryRate }),
    ...(registryTotalRate === undefined ? {} : { all: registryTotalRate }),
  };
}

function enrolled(registry: Registry, device: Address): KnownDevice | undefined {
  const standing = registry.standing(device);
  return standing === undefined ? undefined : { ...standing, linkBytesPerS: ENROLLED_LINK_BYTES_PER_S };
}

/** As the configuration or the registry has it, with its part of a chain that several keys have signed. */
function deviceOf(address: Address, { devices }: CollectorConfig, registry: Registry): KnownDevice | undefined {
  const known = devices.get(address) ?? enrolled(registry, address);
  if (known === undefined) return undefined;
  const links = registry.links(address);
  const before = links.tookOver === undefined ? undefined : devices.get(links.tookOver.device);
  return { ...known, ...links, isRevoked: known.isRevoked || before?.isRevoked === true };
}

function nowS(): bigint {
  return BigInt(Math.floor(Date.now() / 1000));
}

async function rebuild(config: CollectorConfig, shard: Shard | undefined): Promise<void> {
  const { log, store, claims } = await openStorage(config, shard);
  store.clear();
  claims.clear();
  const frames = await catchUp(store, log);
  const segments = await startDayTotals(claims, log)();
  process.stdout.write(`${JSON.stringify({ frames, segments })}\n`);
  await log.close();
  store.close();
  claims.close();
}

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    port: { type: 'string' },
    shard: { type: 'string' },
    rebuild: { type: 'boolean', default: false },
  },
});
const shard = values.shard === undefined ? undefined : parseShard(values.shard);
if (values.config === undefined || (values.shard !== undefined && shard === undefined)) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const parsed = parseCollectorConfig(readFileSync(values.config, 'utf8'));
  if (parsed.ok) {
    const config = values.port === undefined ? parsed.value : { ...parsed.value, port: Number(values.port) };
    await (values.rebuild ? rebuild(config, shard) : run(config, shard));
  } else {
    const { path, expected, got } = parsed;
    process.stderr.write(`${values.config}: ${path || 'file'}: expected ${expected}, got ${got}\n`);
    process.exitCode = 2;
  }
}
