/**
 * An OpenWrt router's services on a ubus socket: what a test or the demo needs to make stations come and go. Each call
 * resolves when the daemon has read what it sent.
 */
import { HostapdService, type OpenwrtRelease } from './hostapd-service.ts';
import { SystemServices } from './system-services.ts';

export type OpenwrtServicesOptions = {
  readonly socketPath: string;
  /** BSSs that are there from the start; further ones come with their first station. */
  readonly bss?: readonly string[];
  /** The BSSs are the ports of this bridge... */
  readonly guestDevice?: string;
  /** ...but for these, which belong to the owner's own network. */
  readonly privateBss?: readonly string[];
  readonly guestIp4?: string;
  readonly release?: OpenwrtRelease;
};

export class OpenwrtServices {
  readonly hostapd: HostapdService;
  readonly system: SystemServices;
  readonly #bss: readonly string[];

  constructor(options: OpenwrtServicesOptions) {
    const { socketPath, bss = ['phy0-ap0'], privateBss = [], release = '24.10' } = options;
    this.#bss = [...bss, ...privateBss];
    this.hostapd = new HostapdService(socketPath, release);
    this.system = new SystemServices({
      socketPath,
      guestDevice: options.guestDevice ?? 'br-guest',
      guestIp4: options.guestIp4 ?? '192.168.44.1',
      guestPorts: () => this.hostapd.interfaces().filter((ifname) => !privateBss.includes(ifname)),
    });
  }

  async start(): Promise<void> {
    await this.hostapd.start();
    await this.system.start();
    for (const ifname of this.#bss) await this.hostapd.addBss(ifname);
  }

  async close(): Promise<void> {
    await this.hostapd.close();
    await this.system.close();
  }

  /** Resolves when all services have noticed that the bus went away. */
  async lost(): Promise<void> {
    await Promise.all([this.hostapd.lost(), this.system.lost()]);
  }

  /** Resolves when all services are back on the bus. */
  async restored(): Promise<void> {
    await Promise.all([this.hostapd.restored(), this.system.restored()]);
  }

  async stationJoins(mac: string, ifname: string): Promise<void> {
    await this.hostapd.joins(mac, ifname);
  }

  async stationLeaves(mac: string, ifname: string): Promise<void> {
    await this.hostapd.leaves(mac, ifname);
  }

  async leaseAck(mac: string, ip: string, name?: string): Promise<void> {
    await this.system.leaseAck(mac, ip, name);
  }

  async leaseRelease(mac: string, ip: string): Promise<void> {
    await this.system.leaseRelease(mac, ip);
  }
}
