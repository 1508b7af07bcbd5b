/**
 * Composition root of `shareagent run`: constructs every edge, joins them by the driver, listens, and takes it all down
 * again in reverse order. What guests have paid for stays in the kernel after the end.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Logger, pino } from 'pino';
import { loadPageAssets } from '../captive-portal/page-assets.ts';
import { buildPortal } from '../captive-portal/portal.ts';
import { createChain } from './adapters/chain.ts';
import { systemClock } from './adapters/clock.ts';
import { deviceSigner } from './adapters/device-key.ts';
import { type GuestNetwork, guestNetwork } from './adapters/guest-network.ts';
import { SqliteJournal } from './adapters/journal/sqlite-journal.ts';
import { LeaseFile } from './adapters/lease-file.ts';
import { KernelNeighbours } from './adapters/neighbours.ts';
import { createNftEnforcer } from './adapters/nft/enforcer.ts';
import { readOffload } from './adapters/nft/offload.ts';
import { UbusStationSource } from './adapters/ubus/station-source.ts';
import { proofUploader } from './adapters/uploader.ts';
import { buildControl, listenControl } from './control.ts';
import type { AgentConfig } from './core/config.ts';
import { isInPrefix } from './core/names.ts';
import { stateFromJournal } from './core/restore.ts';
import { nextDelayMs } from './core/retry-schedule.ts';
import { createGuestDesk } from './desk.ts';
import { Driver } from './driver.ts';
import { createOwnerDesk } from './owner.ts';
import { PortalListener } from './portal-listener.ts';
import type { ProofUploader } from './ports.ts';
import { ProofMaker } from './proof-maker.ts';
import { AGENT_VERSION } from './version.ts';
import { Watch } from './watch.ts';

/** Runs the agent until `signal` aborts. @throws if it cannot start: no journal, no device key, no control socket. */
export async function runAgent(config: AgentConfig, signal: AbortSignal): Promise<void> {
  const log = pino({ level: config.logLevel, base: null });
  const network = guestNetwork(config.network.guestDevices);
  const edges = openEdges(config, network, log, signal);
  const { clock, journal, signer } = edges;
  const state = stateFromJournal(journal.load(), clock.monotonicMs(), clock.wall().unixS);
  const driver = new Driver({ ...edges, config, log }, state);
  const guestPrefixes = network.prefixes;
  const retryDelayMs = (attempt: number) => nextDelayMs(attempt, Math.random());
  const proofs = new ProofMaker({ ...edges, config, driver, retryDelayMs, log });
  const watch = new Watch({ ...edges, config, driver, proofs, guestPrefixes, log });
  const shared = {
    ...edges,
    config,
    driver,
    log,
    node: { device: signer.address, payee: config.chain.payee },
    notSelling: () => watch.saleTrouble,
  };
  const desk = createGuestDesk({ ...shared, guestPrefixes, random32: () => randomBytes(32), minuteOfDay });
  const isBusConnected = () => edges.stations.isConnected();
  const owner = createOwnerDesk({ ...shared, version: AGENT_VERSION, isBusConnected });
  const control = await listenControl(buildControl({ owner, logger: log }), config.controlSocketPath);
  const portal = buildPortal({ desk, config, page: loadPageAssets(), clock, log });
  await portal.ready();
  // Node starts its header and request timeouts when a server listens; this one is handed its connections instead.
  portal.server.emit('listening');
  const { port } = config.portal;
  const listener = new PortalListener({ sink: portal.server, port, addresses: network.addresses, log });
  await watch.start();
  await listener.start();
  log.info({ version: AGENT_VERSION, device: signer.address }, 'agent-started');
  await aborted(signal);
  log.info({}, 'agent-stopping');
  const closing = [listener, portal, watch, edges.stations, proofs, driver, edges.enforcer, control, journal];
  for (const part of closing) await part.close();
}

function openEdges(config: AgentConfig, network: GuestNetwork, log: Logger, signal: AbortSignal) {
  const { guestDevices, leaseFile, ubusSocket } = config.network;
  const { rpcUrl, chainId, channels, token } = config.chain;
  const { databasePath, deviceKeyPath } = config.storage;
  mkdirSync(dirname(databasePath), { recursive: true, mode: 0o700 });
  const clock = systemClock();
  const signer = deviceSigner(deviceKeyPath);
  const onProblem = (err: Error) => log.warn({ err }, 'edge-problem');
  const isGuests = (address: Parameters<typeof isInPrefix>[0]) =>
    network.prefixes().some((prefix) => isInPrefix(address, prefix.address, prefix.length));
  const uploader = uploaderFor(config);
  const runtimeDir = join(dirname(config.controlSocketPath), 'nft');
  return {
    clock,
    signer,
    journal: new SqliteJournal({ path: databasePath }),
    enforcer: createNftEnforcer({ runtimeDir, log }),
    offloads: async () => (await readOffload({ nftPath: 'nft', runtimeDir }, guestDevices)).which,
    stations: new UbusStationSource({ socketPath: ubusSocket, guestDevices, onProblem }),
    leases: new LeaseFile({ path: leaseFile, accepts: isGuests, onProblem }),
    neighbours: new KernelNeighbours({ guestDevices, onProblem }),
    chain: createChain({ rpcUrl, chainId, channels, token, gasKey: signer, device: signer, signal }),
    ...(uploader === undefined ? {} : { uploader }),
  };
}

/** Without a collector, or without the key to check its receipts by, proofs wait in the outbox. */
function uploaderFor({ proofs, chain }: AgentConfig): ProofUploader | undefined {
  const { collectorUrl, collector } = proofs;
  if (collectorUrl === undefined || collector === undefined) return undefined;
  return proofUploader({ collectorUrl, collector, deployment: { chainId: chain.chainId, registry: chain.registry } });
}

function minuteOfDay(): number {
  const now = new Date();
  return now.getHours() * 60 + now.getMinutes();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
