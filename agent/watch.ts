/**
 * Keeps the core's picture of the world fresh: samples the counters, ticks, reads neighbours, verifies the packet filter,
 * and turns what the edges report into events. All timers of the agent are here.
 */
import type { AirCheck } from './air-check.ts';
import type { AgentConfig } from './core/config.ts';
import type { Prefix } from './core/events.ts';
import type { Lease, SessionId } from './core/model.ts';
import type { Driver, DriverLog } from './driver.ts';
import type {
  AirReading,
  Chain,
  Clock,
  Enforcer,
  EnforcerEvent,
  Neighbours,
  StationEvent,
  StationSource,
} from './ports.ts';
import type { ProofMaker } from './proofs/proof-maker.ts';
import type { Roaming } from './roaming-port.ts';
import { OpenWatch } from './settlement/open-watch.ts';

export type WatchDeps = {
  readonly config: AgentConfig;
  readonly driver: Driver;
  readonly clock: Clock;
  readonly enforcer: Enforcer;
  readonly stations: StationSource;
  /** Leases that no notification told of: from before the agent's start, or while the bus was away. */
  readonly leases: { start(listener: (event: StationEvent) => void): Promise<void>; close(): void };
  readonly neighbours: Neighbours;
  readonly chain: Chain;
  readonly proofs: ProofMaker;
  /** hostapd's counters against the kernel's. */
  readonly airCheck: AirCheck;
  /** Names that guests' devices give themselves, by DHCP. */
  readonly onLease?: (lease: Lease) => void;
  /** Networks of the guest devices, as the kernel has them now. */
  readonly guestPrefixes: () => readonly Prefix[];
  /** Flowtables and vendors' fast paths that guests' packets can get into, past counters and quotas; empty if none. */
  readonly offloads: () => Promise<readonly string[]>;
  /** Of a channel that an old copy of the journal has here; absent: the owner has no other router. */
  readonly whereabouts?: Roaming['whereabouts'];
  readonly log: DriverLog;
};

/** Rules are read back, and neighbours listed, this often; reliability.md asks for 5 s at most. */
const VERIFY_MS = 3_000;
const NEIGHBOURS_MS = 5_000;
/** Without a session a tick has nothing to count; it still closes intervals and uploads what waits. */
const IDLE_TICK_MS = 5_000;
const SALE_MS = 5_000;
/** A full disk is emptied by a person, who looks whether it helped. */
const STORAGE_MS = 10_000;
/** A change of the ruleset is told at once; this is for what was missed. */
const OFFLOADS_MS = 60_000;
/** Deposits that nobody told of are looked for this often. */
const PENDING_MS = 5_000;
/** Looks at the chain within each exit delay: a guest who asks for the deposit back must not surf on until it has it. */
const LOOKS_PER_EXIT_DELAY = 4;
const EXITS_MAX_MS = 300_000;

export class Watch {
  readonly #deps: WatchDeps;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #busy = new Set<string>();
  readonly #depleted = new Set<SessionId>();
  readonly #opens: OpenWatch;

  #saleTrouble: string | undefined;
  #flowtables: readonly string[] = [];
  #nftTrouble: string | undefined;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    this.#opens = new OpenWatch(deps);
  }

  /** Why WiFi must not be sold now, with what to do; undefined if it may be. */
  get saleTrouble(): string | undefined {
    return this.#saleTrouble;
  }

  /** Reads the world once, brings the kernel in line, then starts the timers. */
  async start(): Promise<void> {
    const { enforcer, stations, leases, config, driver } = this.#deps;
    enforcer.onEvent((event) => this.#onEnforcer(event));
    await leases.start((event) => this.#onStation(event));
    await this.#readOffloads();
    await this.#listNeighbours();
    await driver.reconciled().catch((cause: unknown) => this.#deps.log.error({ err: cause }, 'first-reconcile-failed'));
    await this.#once('sample', () => this.#sample());
    await stations.start((event) => this.#onStation(event));
    this.#every(config.session.sampleMs, 'sample', () => this.#sample());
    this.#every(VERIFY_MS, 'verify', () => this.#verify('periodic check'));
    this.#every(NEIGHBOURS_MS, 'neighbours', () => this.#listNeighbours());
    this.#every(SALE_MS, 'sale', () =>
      this.#nftTrouble === undefined ? Promise.resolve(this.#judgeSale()) : this.#readOffloads(),
    );
    this.#every(OFFLOADS_MS, 'offloads', () => this.#readOffloads());
    this.#every(STORAGE_MS, 'storage', () => driver.retryStorage());
    this.#every(PENDING_MS, 'pending', () => this.#opens.lookUp());
    this.#every(exitLookMs(config), 'exits', () => this.#lookUpExits());
    await this.#opens.lookUp();
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#deps.leases.close();
  }

  #onEnforcer(event: EnforcerEvent): void {
    switch (event.kind) {
      case 'depleted':
        this.#depleted.add(event.sessionId);
        void this.#once('depleted', () => this.#onDepleted());
        return;
      case 'disturbed':
        void this.#once('verify', () => this.#verify(event.what));
        return;
      case 'changed-elsewhere':
        void this.#once('sale', () => this.#readOffloads());
        return;
      default:
        event satisfies never;
    }
  }

  async #sample(): Promise<void> {
    const { driver, clock, proofs } = this.#deps;
    const isIdle = driver.state.sessions.size === 0;
    if (isIdle && clock.monotonicMs() - driver.state.lastTickMs < IDLE_TICK_MS) return;
    if (!isIdle) await this.#readCounters();
    const wall = clock.wall();
    driver.dispatch({ kind: 'tick', nowS: wall.isSynced ? wall.unixS : 0n });
    proofs.poll();
  }

  async #readCounters(): Promise<void> {
    const { driver, enforcer, guestPrefixes } = this.#deps;
    const { counters, unbound } = await enforcer.read();
    driver.dispatch({ kind: 'counters-read', counters });
    if (unbound.length > 0) driver.dispatch({ kind: 'addresses-seen', seen: unbound, prefixes: guestPrefixes() });
  }

  /** The counters first: what the core decides about a used-up quota it decides on fresh numbers. */
  async #onDepleted(): Promise<void> {
    while (this.#depleted.size > 0) {
      const ids = [...this.#depleted];
      this.#depleted.clear();
      await this.#readCounters();
      for (const sessionId of ids) this.#deps.driver.dispatch({ kind: 'depleted', sessionId });
    }
  }

  async #verify(why: string): Promise<void> {
    const { driver, enforcer, log } = this.#deps;
    if (await enforcer.verify()) return;
    log.warn({ why }, 'packet-filter-repaired');
    await driver.reconciled();
  }

  /** Asks the kernel for flowtables and other fast paths: a process, so only when the ruleset has changed, and now and then. */
  async #readOffloads(): Promise<void> {
    try {
      this.#flowtables = await this.#deps.offloads();
      this.#nftTrouble = undefined;
    } catch (cause) {
      this.#nftTrouble = cause instanceof Error ? cause.message : String(cause);
    }
    this.#judgeSale();
  }

  /** What would make metering wrong, or leave guests without a network, must stop the sale and be said. */
  #judgeSale(): void {
    const { config, guestPrefixes, log } = this.#deps;
    const before = this.#saleTrouble;
    if (this.#nftTrouble !== undefined) {
      this.#saleTrouble = `nft cannot tell what is in the kernel (${this.#nftTrouble}); install nftables-json and look further with shareagent doctor`;
    } else if (this.#flowtables.length > 0) {
      const where = this.#flowtables.join('; ');
      this.#saleTrouble = `flow offload takes packets past the counters (${where}); if it is fw4's, set flow_offloading to 0 in /etc/config/firewall and run fw4 reload`;
    } else if (guestPrefixes().length === 0) {
      this.#saleTrouble = `${config.network.guestDevices.join(', ')} has no address; bring the guest network up`;
    } else {
      this.#saleTrouble = undefined;
    }
    if (before !== this.#saleTrouble) log.warn({ why: this.#saleTrouble ?? 'nothing any more' }, 'sale-stopped-by');
  }

  /** Static addresses and IPv6; without a session nobody needs them, and the desk asks anew when one begins. */
  async #listNeighbours(): Promise<void> {
    const { driver, neighbours, guestPrefixes } = this.#deps;
    if (driver.state.sessionByMac.size === 0) return;
    const seen = await neighbours.list();
    if (seen.length > 0) driver.dispatch({ kind: 'addresses-seen', seen, prefixes: guestPrefixes() });
  }

  #onStation(event: StationEvent): void {
    const { driver } = this.#deps;
    switch (event.kind) {
      case 'joined':
        driver.dispatch({ kind: 'station-joined', mac: event.mac, port: event.port });
        return;
      case 'left':
        driver.dispatch({ kind: 'station-left', mac: event.mac, port: event.port });
        return;
      case 'leased':
        this.#deps.onLease?.(event.lease);
        driver.dispatch({ kind: 'address-leased', mac: event.lease.mac, address: event.lease.address });
        return;
      case 'released':
        driver.dispatch({ kind: 'address-released', mac: event.mac, address: event.address });
        return;
      case 'air':
        void this.#once('air', () => this.#compareAir(event.readings));
        return;
      case 'network-changed':
        this.#judgeSale();
        void this.#once('neighbours', () => this.#listNeighbours());
        return;
      case 'resync':
        void this.#once('neighbours', () => this.#listNeighbours());
        return;
      default:
        event satisfies never;
    }
  }

  /** The kernel's counters are read now, so that both sides speak of the same moment. */
  async #compareAir(readings: readonly AirReading[]): Promise<void> {
    const { driver, airCheck, log } = this.#deps;
    if (driver.state.sessions.size > 0 && readings.length > 0) await this.#readCounters();
    for (const { sessionId, airBytes, billedBytes } of airCheck.compare(readings, driver.state)) {
      log.warn({ session: sessionId, airBytes, billedBytes }, 'counters-disagree');
    }
  }

  /** A channel that is being left on chain, or closed there, pays for nothing any more: what it owes is claimed at once. */
  async #lookUpExits(): Promise<void> {
    const { driver, chain, log } = this.#deps;
    for (const { id, phase } of [...driver.state.channels.values()]) {
      const sessionId = driver.state.sessionByChannel.get(id);
      if (sessionId === undefined || (phase !== 'active' && phase !== 'grace')) continue;
      const result = await chain.channel(id);
      if (!result.ok) continue;
      driver.dispatch({ kind: 'channel-seen', channelId: id, seen: result.channel });
      if (result.channel.exitAt === 0n && !result.channel.isClosed) continue;
      log.info({ channel: id, exitAt: result.channel.exitAt.toString() }, 'channel-left-on-chain');
      driver.dispatch({ kind: 'session-left', sessionId, reason: 'channel-expiring' });
    }
  }

  #every(intervalMs: number, name: string, work: () => Promise<void>): void {
    this.#timers.push(setInterval(() => void this.#once(name, work), intervalMs));
  }

  /** Skips a turn while the same work is still under way: a slow edge must not pile up calls. */
  async #once(name: string, work: () => Promise<void>): Promise<void> {
    if (this.#busy.has(name)) return;
    this.#busy.add(name);
    try {
      await work();
    } catch (cause) {
      this.#deps.log.warn({ err: cause, work: name }, 'watch-failed');
    } finally {
      this.#busy.delete(name);
    }
  }
}

function exitLookMs({ chain }: AgentConfig): number {
  return Math.min(EXITS_MAX_MS, (chain.exitDelaySeconds * 1000) / LOOKS_PER_EXIT_DELAY);
}
