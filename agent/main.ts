/**
 * Composition root of `shareagent run`: constructs every edge, joins them by the driver, listens, and takes it all down
 * again in reverse order. What guests have paid for stays in the kernel after the end.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { basename } from 'node:path';
import { type Logger, pino } from 'pino';
import { loadPageAssets } from '../captive-portal/page-assets.ts';
import { buildPortal, type PortalDeps } from '../captive-portal/portal.ts';
import { TlsDoor } from '../captive-portal/tls-door.ts';
import type { UbusClient } from '../openwrt/node-openwrt-ubus/src/client.ts';
import type { Hex } from '../protocol/hex.ts';
import { chainClock } from './adapters/chain-clock.ts';
import { minuteOfDay } from './adapters/clock.ts';
import { guestNetwork } from './adapters/guest-network.ts';
import { JournalError } from './adapters/journal/journal-error.ts';
import type { LoadedJournal } from './adapters/journal/sqlite-journal.ts';
import { sisterHttp } from './adapters/sister-http.ts';
import { UbusObject } from './adapters/ubus/bus-object.ts';
import { followConfigChanges } from './adapters/ubus/config-changes.ts';
import { feedWatchdog } from './adapters/ubus/procd-watchdog.ts';
import { setPriceInFile } from './adapters/uci/price-file.ts';
import { configErrorText, DEFAULT_CONFIG_PATH, readConfig } from './adapters/uci/read-config.ts';
import { AirCheck } from './air-check.ts';
import { Hostnames } from './bus/hostnames.ts';
import { publishShareagentObject, type ShareagentObjectDeps } from './bus/shareagent-object.ts';
import type { PriceChange } from './bus-port.ts';
import { enrolAtStart } from './cli/enrol-once.ts';
import type { AgentConfig } from './core/config.ts';
import type { Lease } from './core/model.ts';
import { stateFromJournal } from './core/restore.ts';
import { nextDelayMs } from './core/retry-schedule.ts';
import { Driver, type DriverLog } from './driver.ts';
import { followEarnings } from './earnings/follow-earnings.ts';
import { openEdges } from './edges.ts';
import { createGuestDesk } from './guest/desk.ts';
import { followOffers } from './identity/offer-publisher.ts';
import { ConfigReload, type ConfigText } from './owner/config-reload.ts';
import { buildControl, listenControl } from './owner/control.ts';
import { journalHealth } from './owner/journal-health.ts';
import { createOwnerDesk } from './owner/owner.ts';
import type { OwnerDesk } from './owner-port.ts';
import { openPortal } from './portal/open-portal.ts';
import { ProofMaker } from './proofs/proof-maker.ts';
import { openRoaming } from './roaming/open-roaming.ts';
import { closeAll, type Opened } from './settlement/close-all.ts';
import { SettlementWatch } from './settlement/settlement-watch.ts';
import { createTreasury, type NodeTreasury } from './treasury/treasury.ts';
import { AGENT_VERSION } from './version.ts';
import { Watch } from './watch.ts';

/**
 * Runs the agent until `signal` aborts. @throws if it cannot start (no journal, no device key, no control socket), or once
 * the journal is broken: it must be opened anew, and procd starts whatever ended with a failure. `configPath` is read again
 * on SIGHUP, on `shareagent reload` and when procd tells of a change.
 */
export async function runAgent(
  config: AgentConfig,
  signal: AbortSignal,
  configPath: string = DEFAULT_CONFIG_PATH,
): Promise<void> {
  const log = pino({ level: config.logLevel, base: null });
  endOnUnhandled(log);
  const stop = new AbortController();
  const opened: Opened[] = [];
  let onFatal: (cause: unknown) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    onFatal = reject;
  });
  const either = AbortSignal.any([signal, stop.signal]);
  const started = startAgent({ config, configPath, log, signal: either, opened, onFatal });
  started.catch(onFatal);
  void enrolAtStart(config, either, log);
  try {
    await Promise.race([signal.aborted || once(signal, 'abort'), broken]);
    log.info({}, 'agent-stopping');
  } catch (cause) {
    log.error({ err: cause }, 'agent-failed');
    throw cause;
  } finally {
    // What waits for the chain gives up; what is being started is waited for, so that it is closed too.
    stop.abort();
    await started.catch(() => undefined);
    await closeAll(opened, log);
  }
}

/** What nobody caught is a bug, and what the agent knows may be wrong: it ends, and starts anew from journal and kernel. */
export function endOnUnhandled(log: Pick<Logger, 'fatal'>): void {
  const end = (err: unknown) => {
    log.fatal({ err }, 'unhandled');
    process.exit(1);
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

/** The state that the journal holds; empty, with the reason why proofs are held, if the journal had to be given up. */
export function loadJournal(
  journal: { load(): LoadedJournal },
  log: DriverLog,
): { readonly snapshot: LoadedJournal; readonly proofsHeld?: string } {
  const snapshot = loadOrStartAnew(journal, log);
  for (const { id } of snapshot.uncovered ?? []) log.error({ channel: id }, 'channel-not-covered');
  if (snapshot.lives !== undefined) log.error(snapshot.lives, 'journal-is-an-old-copy');
  if (snapshot.quarantined === undefined) {
    return snapshot.isOldCopy === true ? { snapshot, proofsHeld: OLD_COPY_TROUBLE } : { snapshot };
  }
  const proofsHeld =
    `the journal was damaged and moved to ${snapshot.quarantined}: proofs signed before are not known any more, and a ` +
    'second proof with the same number would count as fraud; repair that file and put it back';
  log.error({ quarantined: snapshot.quarantined }, 'proofs-held');
  return { snapshot, proofsHeld };
}

const OLD_COPY_TROUBLE =
  'the journal is an older copy, or a new one in place of one that is gone: proofs signed since are not known any more, and ' +
  'a second proof with the same number would count as fraud; the collector is asked first';

type Start = {
  readonly config: AgentConfig;
  readonly configPath: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly opened: Opened[];
  readonly onFatal: (cause: unknown) => void;
};

async function startAgent({ config: started, configPath, log, signal, opened, onFatal }: Start): Promise<void> {
  const reload = new ConfigReload(started);
  const config = reload.view;
  reloadOnHangup(reload, opened);
  const network = guestNetwork(config.network.guestDevices);
  const edges = openEdges(config, network, log, signal, opened);
  const { journal, signer } = edges;
  const { snapshot, ...held } = loadJournal(journal, log);
  const state = stateFromJournal(snapshot, edges.clock.monotonicMs(), edges.clock.wall().unixS);
  const driver = new Driver({ ...edges, config, log, onFatal }, state);
  opened.push({ name: 'driver', close: () => driver.close() });
  const guestPrefixes = network.prefixes;
  const retryDelayMs = (attempt: number) => nextDelayMs(attempt, Math.random());
  const heldBecause = held.proofsHeld === undefined ? {} : { heldBecause: held.proofsHeld };
  const proofs = new ProofMaker({ ...edges, ...heldBecause, config, driver, retryDelayMs, run: newRun(), log });
  opened.push({ name: 'proofs', close: () => proofs.close() });
  opened.push({ name: 'stations', close: () => edges.stations.close() });
  const airCheck = new AirCheck();
  const hostnames = new Hostnames();
  const clock = chainClock(edges.clock, edges.chain);
  const whereabouts = async (id: Hex) => (await roaming.roaming?.whereabouts(id)) ?? 'here';
  const watching = { ...edges, clock, config, driver, proofs, airCheck, guestPrefixes, whereabouts, log };
  const watch = new Watch({ ...watching, onLease: (lease: Lease) => hostnames.heard(lease) });
  opened.push({ name: 'watch', close: () => watch.close() });
  const node = { device: signer.address, payee: config.chain.payee };
  const notSelling = () => reload.saleTrouble ?? watch.saleTrouble;
  const shared = { ...edges, clock, config, driver, log, node, notSelling, minuteOfDay, random32: newRandom32 };
  const offers = followOffers({ ...shared, ...node, retryDelayMs }, opened);
  const roaming = await openRoaming({ ...shared, sisters: sisterHttp }, opened);
  const desk = createGuestDesk({ ...shared, ...roaming, offers, guestPrefixes });
  const isBusConnected = () => edges.stations.isConnected();
  const checks = () =>
    [airCheck.health() ?? [], reload.health(), journalHealth(driver.state, snapshot.lives) ?? []].flat();
  const owner = ownerDesk({ ...shared, version: AGENT_VERSION, isBusConnected, checks }, proofs);
  const treasury = createTreasury(shared);
  const { earnings, ...earned } = followEarnings({ ...shared, device: signer.address, owner }, opened);
  const control = await listenControl(
    buildControl({ owner, treasury, earnings, reload: () => reload.reload(), logger: log }),
    config.controlSocketPath,
  );
  opened.push({ name: 'control', close: () => control.close() });
  const door = new TlsDoor(() => config.portal.tls, log);
  const build = () => portalWith({ desk, config, clock, log, treasury, isSecure: () => door.isOpen });
  const portal = await openPortal({ build, door, port: config.portal.port, addresses: network.addresses, log, opened });
  // Guests get the page while the kernel is brought in line; what they ask for waits for it.
  await Promise.all([portal.listen(), watch.start()]);
  const settlement = new SettlementWatch({ ...edges, driver, log, askTime: () => clock.ask() });
  opened.push({ name: 'settlement', close: () => settlement.close() });
  settlement.start();
  reload.connect({ read: () => configText(configPath), log, onChange: (changed) => apply(changed) });
  const apply = (changed: readonly string[]): void => {
    log.level = config.logLevel;
    portal.follow(changed);
    // Rates and the grace time are in the kernel's rules.
    void driver.reconciled().catch((err) => log.error({ err }, 'reconcile-failed'));
  };
  await joinBus(
    { ...shared, treasury, ...earned, configPath, reload, owner, hostnames, airCheck },
    edges.bus,
    log,
    opened,
  );
  log.info({ version: AGENT_VERSION, device: signer.address }, 'agent-started');
}

type PortalParts = Omit<PortalDeps, 'page' | 'faucet'> & { readonly treasury: Pick<NodeTreasury, 'guestFaucet'> };

function portalWith({ treasury, ...deps }: PortalParts): ReturnType<typeof buildPortal> {
  return buildPortal({ ...deps, faucet: treasury.guestFaucet, page: loadPageAssets() });
}

function newRandom32(): Uint8Array {
  return randomBytes(32);
}

function newRun(): string {
  return randomBytes(6).toString('hex');
}

/** Proofs that are held may be signed later, once the collector was asked. */
function ownerDesk(deps: Omit<Parameters<typeof createOwnerDesk>[0], 'proofsHeld'>, proofs: ProofMaker): OwnerDesk {
  return createOwnerDesk({
    ...deps,
    get proofsHeld() {
      return proofs.held;
    },
  });
}

type BusParts = Omit<ShareagentObjectDeps, 'bus' | 'setPrice' | 'examine' | 'minuteOfDay'> & {
  readonly configPath: string;
};

/** The agent's object on ubus, and the signals by which the owner's changes reach the agent. */
async function joinBus(parts: BusParts, client: UbusClient, log: Logger, opened: Opened[]): Promise<void> {
  const { configPath } = parts;
  const object = new UbusObject({ client, path: 'shareagent', onProblem: (err) => log.info({ err }, 'bus-refused') });
  opened.push({ name: 'bus-object', close: () => object.close() });
  await followConfigChanges(client, basename(configPath), () => void parts.reload.reload());
  const onProblem = (err: Error) => log.warn({ err }, 'watchdog-not-fed');
  const progress = () => parts.driver.state.lastTickMs;
  const instance = process.env['SHAREAGENT_PROCD'];
  opened.push({ name: 'watchdog', ...feedWatchdog({ client, instance, progress, onProblem }) });
  const examineAll = async () => {
    // Loaded when asked for: nobody looks every day.
    const { examine } = await import('./cli/doctor/examine.ts');
    const { systemProbe } = await import('./cli/doctor/system-probe.ts');
    const paths = { config: configPath, socket: parts.config.controlSocketPath };
    return await examine(systemProbe, readConfig(configPath), paths);
  };
  const setPrice = (change: PriceChange) => setPriceInFile(configPath, change);
  await publishShareagentObject({ ...parts, bus: object, minuteOfDay, setPrice, examine: examineAll });
}

/** From the first moment: a SIGHUP that nobody takes ends the process. */
function reloadOnHangup(reload: ConfigReload, opened: Opened[]): void {
  const onHangup = () => void reload.reload();
  process.on('SIGHUP', onHangup);
  opened.push({ name: 'hangup', close: () => process.removeListener('SIGHUP', onHangup) });
}

function configText(path: string): ConfigText {
  const reading = readConfig(path);
  return reading.ok ? reading : { ok: false, errors: reading.errors.map(configErrorText) };
}

/** A damaged journal was moved aside for repair; service goes on with an empty one. */
function loadOrStartAnew(journal: { load(): LoadedJournal }, log: DriverLog): LoadedJournal {
  try {
    return journal.load();
  } catch (err) {
    if (!(err instanceof JournalError) || err.code !== 'JOURNAL_CORRUPT') throw err;
    log.error({ err, quarantinedAs: err.quarantinedAs }, 'journal-damaged');
    return journal.load();
  }
}
