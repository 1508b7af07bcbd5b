/** Plays dnsmasq, odhcpd, netifd and procd on the bus, as far as the agent looks at them. */
import { once } from 'node:events';
import { type BlobmsgInputTable, BlobmsgType, int64 } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import type { Methods, Publication } from '../../../openwrt/node-openwrt-ubus/src/publication.ts';
import { UbusError, UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';

export type SystemServicesOptions = {
  readonly socketPath: string;
  readonly guestDevice: string;
  /** Router's address on the guest network. */
  readonly guestIp4: string;
  /** Bridge members; asked on each call. */
  readonly guestPorts: () => readonly string[];
};

export class SystemServices {
  readonly #client: UbusClient;
  readonly #options: SystemServicesOptions;
  #acks = 0;
  #dnsmasq: Publication | undefined;
  #odhcpd: Publication | undefined;
  #service: Publication | undefined;

  constructor(options: SystemServicesOptions) {
    this.#options = options;
    this.#client = new UbusClient({ path: options.socketPath, reconnectMs: { first: 20, longest: 200 } });
  }

  async start(): Promise<void> {
    await this.#client.ready();
    this.#dnsmasq = await this.#client.publish('dnsmasq', {
      metrics: { handler: () => ({ dhcp_ack: this.#acks, dhcp_release: 0, leases_allocated_4: this.#acks }) },
    });
    await this.#client.publish('dnsmasq.dns', {});
    this.#odhcpd = await this.#client.publish('dhcp', {
      ipv4leases: { handler: () => ({ device: {} }) },
      ipv6leases: { handler: () => ({ device: { [this.#options.guestDevice]: { leases: [] } } }) },
    });
    await this.#client.publish('network.interface', {
      dump: { handler: () => ({ interface: [this.#guestInterface()] }) },
    });
    await this.#client.publish('network.interface.guest', { status: { handler: () => this.#guestInterface() } });
    await this.#client.publish('network.device', this.#deviceMethods());
    await this.#client.publish('network.wireless', { status: { handler: () => ({ radio0: this.#radio() }) } });
    this.#service = await this.#client.publish('service', {
      list: { args: { name: BlobmsgType.STRING, verbose: BlobmsgType.INT8 }, handler: ({ name }) => serviceList(name) },
      get_data: { args: { name: BlobmsgType.STRING }, handler: () => ({}) },
      watchdog: {
        args: {
          mode: BlobmsgType.INT32,
          timeout: BlobmsgType.INT32,
          name: BlobmsgType.STRING,
          instance: BlobmsgType.STRING,
        },
        handler: ({ name = null, instance = null, mode = 0, timeout = 30 }) => ({ name, instance, mode, timeout }),
      },
    });
    await this.#client.publish('system', { board: { handler: () => BOARD }, info: { handler: () => INFO } });
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

  async leaseAck(mac: string, ip: string, name?: string, device = this.#options.guestDevice): Promise<void> {
    this.#acks += 1;
    this.#dnsmasq?.notify('dhcp.ack', { mac, ip, ...(name === undefined ? {} : { name }), interface: device });
    await this.#client.ping();
  }

  async leaseRelease(mac: string, ip: string): Promise<void> {
    this.#dnsmasq?.notify('dhcp.release', { mac, ip, interface: this.#options.guestDevice });
    await this.#client.ping();
  }

  /** odhcpd of 25.12 under its new names. */
  async odhcpdLease(
    type: 'dhcp.lease4' | 'dhcp.release4' | 'dhcp.expire4',
    mac: string,
    ipv4: string,
    hostname?: string,
  ): Promise<void> {
    const named = hostname === undefined ? {} : { hostname };
    this.#odhcpd?.notify(type, { interface: this.#options.guestDevice, ipv4, mac, ...named });
    await this.#client.ping();
  }

  /** Any notification of dnsmasq, for hostile ones. */
  async dnsmasqNotifies(type: string, data: BlobmsgInputTable): Promise<void> {
    this.#dnsmasq?.notify(type, data);
    await this.#client.ping();
  }

  async configChange(config: string): Promise<void> {
    this.#service?.notify('config.change', { config });
    await this.#client.ping();
  }

  #deviceMethods(): Methods {
    return {
      status: {
        args: { name: BlobmsgType.STRING },
        handler: ({ name }) => {
          const { guestDevice } = this.#options;
          if (name === undefined) return { [guestDevice]: this.#bridge() };
          if (name !== guestDevice) throw new UbusError(UbusStatus.NOT_FOUND, 'network.device');
          return this.#bridge();
        },
      },
    };
  }

  #bridge(): BlobmsgInputTable {
    return {
      external: false,
      present: true,
      type: 'bridge',
      up: true,
      carrier: true,
      devtype: 'bridge',
      'bridge-members': this.#options.guestPorts(),
      mtu: 1500,
      macaddr: 'e6:26:88:35:90:22',
      statistics: { rx_bytes: int64(6_075), tx_bytes: int64(6_230), rx_packets: int64(54), tx_packets: int64(45) },
    };
  }

  #guestInterface(): BlobmsgInputTable {
    const { guestDevice, guestIp4 } = this.#options;
    return {
      interface: 'guest',
      up: true,
      pending: false,
      available: true,
      autostart: true,
      dynamic: false,
      uptime: 90,
      l3_device: guestDevice,
      proto: 'static',
      device: guestDevice,
      updated: ['addresses'],
      metric: 0,
      'ipv4-address': [{ address: guestIp4, mask: 24 }],
      'ipv6-address': [],
      'ipv6-prefix-assignment': [],
      route: [],
      data: {},
    };
  }

  #radio(): BlobmsgInputTable {
    const config = { mode: 'ap', ssid: 'Guest', network: ['guest'], isolate: true };
    return {
      up: true,
      pending: false,
      autostart: true,
      disabled: false,
      retry_setup_failed: false,
      config: { channel: '6', band: '2g', htmode: 'HT20' },
      interfaces: this.#options
        .guestPorts()
        .map((ifname) => ({ section: ifname, ifname, config, vlans: [], stations: [] })),
    };
  }
}

function serviceList(name: unknown): BlobmsgInputTable {
  const instance = { running: true, pid: 52, command: ['/usr/sbin/dnsmasq', '-k'], term_timeout: 5 };
  const services: Record<string, BlobmsgInputTable> = {
    dnsmasq: { instances: { cfg01411c: instance } },
    hostapd: { instances: { hostapd: { ...instance, pid: 54, command: ['/usr/sbin/hostapd', '-s'] } } },
    shareagent: { instances: { instance1: { ...instance, pid: 60, command: ['/usr/bin/shareagent', 'run'] } } },
  };
  if (typeof name !== 'string') return services;
  const found = services[name];
  return found === undefined ? {} : { [name]: found };
}

const BOARD: BlobmsgInputTable = {
  kernel: '6.6.119',
  hostname: 'LabRouter',
  system: 'stand-in',
  model: 'Lab Virtual AP',
  board_name: 'lab,virtual-ap',
  release: {
    distribution: 'OpenWrt',
    version: '24.10.5',
    revision: 'r29087-d9c5716d1d',
    target: 'x86/64',
    description: 'OpenWrt 24.10.5 r29087-d9c5716d1d',
    builddate: '1765993013',
  },
};

const INFO: BlobmsgInputTable = {
  localtime: 1_795_335_032,
  uptime: 3_280,
  load: [359_200, 441_568, 487_360],
  memory: { total: int64(268_435_456), free: int64(134_217_728), available: int64(150_000_000) },
  root: { total: 12_342_048, free: 12_341_628, used: 420, avail: 12_341_628 },
  tmp: { total: 12_342_048, free: 12_342_032, used: 16, avail: 12_342_032 },
  swap: { total: int64(0), free: int64(0) },
};
