/** Plays hostapd on the bus: one object for each BSS, replies and notifications shaped like the recorded ones. */
import { once } from 'node:events';
import {
  type BlobmsgInput,
  type BlobmsgInputTable,
  BlobmsgType,
  int64,
} from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import type { Publication } from '../../../openwrt/node-openwrt-ubus/src/publication.ts';
import { UbusError, UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';

/** What differs: 22.03 has no sta-authorized and names no interface; 24.10 and later do both. */
export type OpenwrtRelease = '22.03' | '23.05' | '24.10' | '25.12';

type StationState = { isAuthorised: boolean; rxBytes: bigint; txBytes: bigint };
type BssState = { readonly stations: Map<string, StationState>; object: Publication | undefined };

const FREQUENCY = 2437;

export class HostapdService {
  readonly #client: UbusClient;
  readonly #release: OpenwrtRelease;
  readonly #bss = new Map<string, BssState>();
  /** get_clients is not answered any more. */
  isHanging = false;

  constructor(socketPath: string, release: OpenwrtRelease) {
    this.#client = new UbusClient({ path: socketPath, reconnectMs: { first: 20, longest: 200 } });
    this.#release = release;
  }

  async start(): Promise<void> {
    await this.#client.ready();
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Resolves when the loss of the bus was noticed. */
  async lost(): Promise<void> {
    if (this.#client.isConnected) await once(this.#client, 'disconnected');
  }

  /** Resolves when everything is back on the bus. */
  async restored(): Promise<void> {
    await this.#client.ready();
  }

  interfaces(): readonly string[] {
    return [...this.#bss.keys()];
  }

  async addBss(ifname: string): Promise<void> {
    if (this.#bss.has(ifname)) return;
    const bss: BssState = { stations: new Map(), object: undefined };
    this.#bss.set(ifname, bss);
    await this.#publish(ifname, bss);
  }

  /** probe is left out; then as recorded: auth, assoc, sta-authorized. */
  async joins(mac: string, ifname: string, isAuthorised = true): Promise<void> {
    await this.addBss(ifname);
    const { stations, object } = this.#at(ifname);
    const target = { target: '92:eb:6a:41:9b:36', signal: -61, freq: FREQUENCY };
    object?.notify('auth', { ...this.#about(mac, ifname), ...target });
    object?.notify('assoc', { ...this.#about(mac, ifname), ...target });
    stations.set(mac, { isAuthorised, rxBytes: 0n, txBytes: 0n });
    if (isAuthorised && this.#release !== '22.03') {
      object?.notify('sta-authorized', { ...this.#about(mac, ifname), 'auth-alg': 'open' });
    }
    await this.#client.ping();
  }

  /** One leave says both, deauth and disassoc. */
  async leaves(mac: string, ifname: string): Promise<void> {
    const { stations, object } = this.#at(ifname);
    stations.delete(mac);
    object?.notify('deauth', this.#about(mac, ifname));
    object?.notify('disassoc', this.#about(mac, ifname));
    await this.#client.ping();
  }

  /** Gone without a notification, or one that was lost: only get_clients shows it. */
  fades(mac: string, ifname: string): void {
    this.#at(ifname).stations.delete(mac);
  }

  /** There without a notification. */
  appears(mac: string, ifname: string): void {
    this.#at(ifname).stations.set(mac, { isAuthorised: true, rxBytes: 0n, txBytes: 0n });
  }

  counts(mac: string, ifname: string, rxBytes: bigint, txBytes: bigint): void {
    this.#at(ifname).stations.set(mac, { isAuthorised: true, rxBytes, txBytes });
  }

  /** All objects go, all stations with them; respawned() brings the objects back under new ids. */
  async dies(): Promise<void> {
    for (const bss of this.#bss.values()) {
      bss.stations.clear();
      await bss.object?.close();
      bss.object = undefined;
    }
  }

  async respawned(): Promise<void> {
    for (const [ifname, bss] of this.#bss) await this.#publish(ifname, bss);
  }

  async #publish(ifname: string, bss: BssState): Promise<void> {
    bss.object = await this.#client.publish(`hostapd.${ifname}`, {
      reload: { handler: () => undefined },
      get_clients: { handler: () => this.#clients(bss) },
      get_status: { handler: () => STATUS },
      del_client: {
        args: {
          addr: BlobmsgType.STRING,
          reason: BlobmsgType.INT32,
          deauth: BlobmsgType.INT8,
          ban_time: BlobmsgType.INT32,
        },
        handler: ({ addr }) => {
          if (typeof addr !== 'string') throw new UbusError(UbusStatus.INVALID_ARGUMENT, 'addr');
          if (bss.stations.delete(addr)) bss.object?.notify('disassoc', this.#about(addr, ifname));
          return undefined;
        },
      },
    });
  }

  #clients(bss: BssState): BlobmsgInputTable | Promise<never> {
    if (this.isHanging) return new Promise(() => undefined);
    return { freq: FREQUENCY, clients: clientsTable(bss.stations) };
  }

  #about(address: string, ifname: string): BlobmsgInputTable {
    return this.#release === '22.03' || this.#release === '23.05' ? { address } : { address, ifname };
  }

  #at(ifname: string): BssState {
    const bss = this.#bss.get(ifname);
    if (bss === undefined) throw new Error(`no BSS ${ifname} on the stand-in hostapd; addBss it first`);
    return bss;
  }
}

function clientsTable(stations: ReadonlyMap<string, StationState>): BlobmsgInputTable {
  const clients: Record<string, BlobmsgInput> = {};
  let aid = 0;
  for (const [mac, { isAuthorised, rxBytes, txBytes }] of stations) {
    aid += 1;
    clients[mac] = {
      ...FLAGS,
      authorized: isAuthorised,
      rrm: [0, 0, 0, 0, 0],
      extended_capabilities: [4, 0, 8, 2, 0, 0, 0, 64],
      aid,
      bytes: { rx: int64(rxBytes), tx: int64(txBytes) },
      airtime: { rx: int64(0), tx: int64(0) },
      packets: { rx: Number(rxBytes / 1_000n), tx: Number(txBytes / 1_000n) },
      rate: { rx: 72_000, tx: 144_500 },
      signal: -61,
      capabilities: {},
    };
  }
  return clients;
}

const FLAGS: BlobmsgInputTable = {
  auth: true,
  assoc: true,
  authorized: true,
  preauth: false,
  wds: false,
  wmm: true,
  ht: true,
  vht: false,
  he: false,
  wps: false,
  mfp: false,
  mbo: false,
};

const STATUS: BlobmsgInputTable = {
  status: 'ENABLED',
  bssid: '92:eb:6a:41:9b:36',
  ssid: 'Guest',
  freq: FREQUENCY,
  channel: 6,
  op_class: 81,
  beacon_interval: 100,
  bss_color: -1,
  phy: 'phy0',
  rrm: { neighbor_report_tx: int64(0) },
  wnm: {
    bss_transition_query_rx: int64(0),
    bss_transition_request_tx: int64(0),
    bss_transition_response_rx: int64(0),
  },
  airtime: { time: int64(0), time_busy: int64(0), utilization: 0 },
  dfs: { cac_seconds: 0, cac_active: false, cac_seconds_left: 0 },
};
