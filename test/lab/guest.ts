/**
 * A scripted guest that does what a phone or laptop does: joins, gets addresses, probes, opens the page, pays with a pass
 * code, surfs, tops up or streams vouchers, leaves.
 */
import type { View } from '../../captive-portal/page/wire.ts';
import type { PaymentMode } from '../../protocol/open-wire.ts';
import { OTHER_PORT, PORTAL_NAME, type ServerAddress, serverOfGuest } from './addresses.ts';
import type { Bus } from './bus.ts';
import type { PassCode } from './chain.ts';
import { type Addresses, connectToNetwork } from './guest-link.ts';
import type { Hand } from './hand.ts';
import type { FlowState, HttpAnswer } from './hand-protocol.ts';
import { PortalClient } from './portal-client.ts';
import { until } from './wait.ts';
import { difference, readWire, type WireBytes } from './wire.ts';
import type { GuestHost, World } from './world.ts';

/** 5 SSP: room for top-ups. */
export const DEPOSIT_UNITS = 50_000n;
const PROBE_HOST = 'connectivitycheck.gstatic.com';

export class Guest {
  readonly host: GuestHost;
  readonly passCode: PassCode;
  readonly hand: Hand;
  readonly server: ServerAddress;
  readonly #world: World;
  readonly #bus: Bus;
  #addresses: Addresses | undefined;
  #portal: PortalClient | undefined;
  #flows = 0;
  #wireAtPayment: WireBytes | undefined;

  constructor(world: World, host: GuestHost, bus: Bus, passCode: PassCode) {
    this.#world = world;
    this.#bus = bus;
    this.host = host;
    this.passCode = passCode;
    this.hand = host.hand;
    this.server = serverOfGuest(host.index);
  }

  get mac(): string {
    return this.host.mac;
  }

  get addresses(): Addresses {
    if (this.#addresses === undefined) throw new Error(`${this.host.host.name} has not joined`);
    return this.#addresses;
  }

  get portal(): PortalClient {
    if (this.#portal === undefined) throw new Error(`${this.host.host.name} has not joined`);
    return this.#portal;
  }

  /** Associates, gets its addresses, and looks up the portal's name as a browser would. */
  async join(): Promise<Addresses> {
    await this.#bus.stationJoined(this.host);
    this.#addresses = await connectToNetwork(this.#world.lab, this.host);
    await this.#bus.reportLease(this.#world.dnsmasq, this.#addresses.ip4);
    const portalAddress = await this.resolve(PORTAL_NAME, 4);
    this.#portal = new PortalClient(this.hand, portalAddress);
    return this.#addresses;
  }

  /** First address of a name, from the router's DNS. */
  async resolve(name: string, family: 4 | 6): Promise<string> {
    const server = this.addresses.dns;
    const { addresses } = await this.hand.call('resolve', { name, server, family });
    return addresses[0] ?? '';
  }

  /** Android's connectivity check, name lookup included. */
  async probe(): Promise<HttpAnswer> {
    const address = await this.resolve(PROBE_HOST, 4);
    return await this.hand.call('http', { url: `http://${PROBE_HOST}/generate_204`, address, timeoutMs: 3_000 });
  }

  /** True if a TCP connection to the internet comes about, over that family. */
  async reaches(family: 4 | 6): Promise<boolean> {
    const address = family === 4 ? this.server.ip4 : this.server.ip6;
    const { outcome } = await this.hand.call('connect', { address, port: OTHER_PORT, timeoutMs: 1_500 });
    return outcome === 'open';
  }

  /** Starts a download that runs in the background. Its name. */
  async startDownload(family: 4 | 6, bytes: number, bytesPerS?: number): Promise<string> {
    const flow = this.#flowName();
    const address = family === 4 ? this.server.ip4 : this.server.ip6;
    const rate = bytesPerS === undefined ? {} : { bytesPerS };
    await this.hand.call('download', { flow, address, port: OTHER_PORT, bytes, ...rate });
    return flow;
  }

  async startUpload(family: 4 | 6, bytes: number): Promise<string> {
    const flow = this.#flowName();
    const address = family === 4 ? this.server.ip4 : this.server.ip6;
    await this.hand.call('upload', { flow, address, port: OTHER_PORT, bytes });
    return flow;
  }

  flow(flow: string): Promise<FlowState> {
    return this.hand.call('flow', { flow });
  }

  /** Waits for a background flow to end well. @throws LabError if it breaks or takes longer. */
  async finish(flow: string, timeoutMs: number): Promise<FlowState> {
    return await until(`flow ${flow} of ${this.host.host.name}`, timeoutMs, async () => {
      const state = await this.flow(flow);
      if (state.error !== undefined) throw new Error(`flow ${flow} broke: ${state.error} after ${state.bytes} bytes`);
      return state.isDone ? state : undefined;
    });
  }

  async download(family: 4 | 6, bytes: number, timeoutMs = 20_000): Promise<FlowState> {
    return await this.finish(await this.startDownload(family, bytes), timeoutMs);
  }

  async upload(family: 4 | 6, bytes: number, timeoutMs = 20_000): Promise<FlowState> {
    return await this.finish(await this.startUpload(family, bytes), timeoutMs);
  }

  /** Opens a channel whose first voucher pays for exactly `megabytes` (10^6 bytes each). */
  async buy(megabytes: bigint, depositUnits = DEPOSIT_UNITS, mode: PaymentMode = 'hold'): Promise<View> {
    const { quote } = await this.portal.terms();
    const firstUnits = quote.openFee + megabytes * quote.unitsPerMb;
    this.#wireAtPayment = await readWire(this.host.host);
    return await this.portal.open(this.passCode.code, depositUnits, firstUnits, mode);
  }

  /** Since the payment, on the guest's own interface. Before it the router's refusals came in as if from outside. */
  async wire(): Promise<WireBytes> {
    const now = await readWire(this.host.host);
    return this.#wireAtPayment === undefined ? now : difference(now, this.#wireAtPayment);
  }

  /** Adds `megabytes` to what the open channel pays for. */
  async topUp(megabytes: bigint): Promise<View> {
    const { quote } = await this.portal.knownTerms();
    return await this.portal.addUnits(megabytes * quote.unitsPerMb, await this.portal.view());
  }

  /** Waits for a view of the portal that satisfies `isWanted`. */
  async viewWhere(what: string, timeoutMs: number, isWanted: (view: View) => boolean): Promise<View> {
    return await until(what, timeoutMs, async () => {
      const view = await this.portal.view();
      return isWanted(view) ? view : undefined;
    });
  }

  /** Walks out of reach: hostapd says so, nobody else does. */
  async leaveAir(): Promise<void> {
    await this.#bus.stationLeft(this.host);
  }

  /** The same phone under another MAC, as a system that randomises it comes back: new lease, new addresses, same pass code. */
  async changeMac(mac: string): Promise<Guest> {
    await this.leaveAir();
    const set = ['ip link set eth0 down', `ip link set eth0 address ${mac}`, 'ip link set eth0 up'];
    await this.host.host.script(set);
    const changed = new Guest(this.#world, { ...this.host, mac }, this.#bus, this.passCode);
    await changed.join();
    return changed;
  }

  #flowName(): string {
    this.#flows += 1;
    return `flow${this.#flows}`;
  }
}
