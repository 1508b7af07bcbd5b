/** Everything outside the process that `shareagent run` talks to, opened from its configuration. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { UbusClient } from '../openwrt/node-openwrt-ubus/src/client.ts';
import { systemClock } from './adapters/clock.ts';
import type { GuestNetwork } from './adapters/guest-network.ts';
import { journalTransactions } from './adapters/journal/journal-transactions.ts';
import { SqliteJournal } from './adapters/journal/sqlite-journal.ts';
import { lazyChain } from './adapters/lazy-chain.ts';
import { LeaseFile } from './adapters/lease-file.ts';
import { KernelNeighbours } from './adapters/neighbours.ts';
import { createNftEnforcer } from './adapters/nft/enforcer.ts';
import { readOffload } from './adapters/nft/offload.ts';
import { nodeSigner } from './adapters/node-signer.ts';
import { treasuryFiles } from './adapters/treasury-files.ts';
import { UbusStationSource } from './adapters/ubus/station-source.ts';
import { uploaderFrom } from './adapters/uploader.ts';
import { WorkerVerifier } from './adapters/verifier/worker-verifier.ts';
import type { AgentConfig } from './core/config.ts';
import { isInPrefix } from './core/names.ts';
import type { Opened } from './settlement/close-all.ts';

/** What must be closed is added to `opened`, in the order of opening; `signal` ends what waits for the chain. */
export function openEdges(
  config: AgentConfig,
  network: GuestNetwork,
  log: Logger,
  signal: AbortSignal,
  opened: Opened[],
) {
  const { guestDevices, leaseFile, ubusSocket } = config.network;
  const { rpcUrl, rpcBackups = [], chainId, channels, token, confirmations = 1 } = config.chain;
  const { databasePath } = config.storage;
  mkdirSync(dirname(databasePath), { recursive: true, mode: 0o700 });
  const clock = systemClock({ syncedFlagPath: process.env['SHAREAGENT_CLOCK_FLAG'] });
  const signer = nodeSigner(config.storage);
  const onProblem = (err: Error) => log.warn({ err }, 'edge-problem');
  const isGuests = (address: Parameters<typeof isInPrefix>[0]) =>
    network.prefixes().some((prefix) => isInPrefix(address, prefix.address, prefix.length));
  const uploader = uploaderFrom(config, signer);
  const runtimeDir = join(dirname(config.controlSocketPath), 'nft');
  const journal = new SqliteJournal({ path: databasePath });
  opened.push({ name: 'journal', close: () => journal.close() });
  const bus = new UbusClient({ path: ubusSocket });
  opened.push({ name: 'bus', close: () => bus.close() });
  const enforcer = createNftEnforcer({ runtimeDir, log });
  opened.push({ name: 'enforcer', close: () => enforcer.close() });
  const verifier = new WorkerVerifier({ onReady: (choice) => log.info(choice, 'verifier-ready') });
  opened.push({ name: 'verifier', close: () => verifier.close() });
  return {
    bus,
    clock,
    signer,
    ...treasuryFiles(config.storage),
    journal,
    enforcer,
    verifier,
    offloads: async () => (await readOffload({ nftPath: 'nft', runtimeDir }, guestDevices)).which,
    stations: new UbusStationSource({ client: bus, guestDevices, onProblem }),
    leases: new LeaseFile({ path: leaseFile, accepts: isGuests, onProblem }),
    neighbours: new KernelNeighbours({ guestDevices, onProblem }),
    chain: lazyChain({
      rpcUrl,
      rpcBackups,
      confirmations: BigInt(confirmations),
      chainId,
      channels,
      token,
      gasKey: signer,
      device: signer,
      signal,
      log: journalTransactions(journal),
    }),
    ...(uploader === undefined ? {} : { uploader }),
  };
}
