/**
 * Who is on the air and which addresses they were given, from hostapd, dnsmasq and odhcpd over ubus, for OpenWrt 22.03 to
 * 25.12. Notifications make it quick, a poll of get_clients makes it true: ubusd drops messages for a slow reader without a
 * word, and a phone that walks away sends nothing at all.
 *
 * @see shared reference ubus-objects: hostapd.<ifname>, dnsmasq, dhcp
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import type { Notification, Subscription } from '../../../openwrt/node-openwrt-ubus/src/subscription.ts';
import type { DeviceName, Mac } from '../../core/model.ts';
import type { AirReading, StationEvent, StationSource } from '../../ports.ts';
import { airReadings } from './air-readings.ts';
import { Bss } from './bss.ts';
import { stationEventFromDhcp } from './dhcp-notification.ts';
import { guestPorts } from './guest-ports.ts';
import { authorisedStations, portFromObjectPath, stationOfNotification } from './hostapd-clients.ts';
import { concernsGuests } from './interface-notification.ts';

export type UbusStationOptions = {
  /** Whoever made it also closes it. */
  readonly client: UbusClient;
  readonly guestDevices: readonly DeviceName[];
  /** How often every BSS is asked for its stations; 10-30 s is what hostapd bears without notice. */
  readonly pollMs?: number;
  /** How long stations of a BSS that vanished count as there: hostapd is back about 1 s after a restart. */
  readonly departureMs?: number;
  readonly callTimeoutMs?: number;
  /** Troubles of the bus that nobody waits for. */
  readonly onProblem?: (error: Error) => void;
};

/** Both come for one leave, and inactive-deauth for a phone that walked away; key-mismatch is a wrong password, no leave. */
const LEFT = new Set(['disassoc', 'deauth', 'local-deauth', 'inactive-deauth']);

/** 22.03 does not say when a station is authorised: ask after its association, WPA and slow phones included. */
const CONFIRM_AFTER_MS = [250, 1_000, 3_000];

/** start() waits this long for bus and services, which answer in milliseconds if they are there; the agent serves without. */
const START_WAIT_MS = 200;

/** IEEE 802.11 reason code 5, "cannot handle all associated stations": what LuCI's disconnect button sends. */
const KICK_REASON = 5;

/** Radios times networks on the largest routers stay far below. */
const MAX_BSS = 64;

type Cell = { readonly bss: Bss; readonly path: string; departure?: NodeJS.Timeout; isConfirming: boolean };

export class UbusStationSource implements StationSource {
  readonly #options: UbusStationOptions;
  readonly #client: UbusClient;
  readonly #cells = new Map<DeviceName, Cell>();
  readonly #stop = new AbortController();
  #listener: (event: StationEvent) => void = () => undefined;
  #subscriptions: readonly Subscription[] = [];
  #guestPorts: ReadonlySet<string> | undefined;
  #polling: Promise<void> | undefined;
  #isPollDue = false;
  #saysAuthorised = false;
  #lastProblem = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UbusStationOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#client.on('problem', (error) => this.#onProblem(error));
    this.#client.on('connected', () => this.#onConnected());
  }

  async start(listener: (event: StationEvent) => void): Promise<void> {
    this.#listener = listener;
    this.#client.start();
    const handlers = { onNotify: (notification: Notification) => this.#onDhcp(notification) };
    this.#subscriptions = await Promise.all([
      this.#client.subscribe('hostapd.*', {
        accepts: (object) => portFromObjectPath(object.path) !== undefined && 'get_clients' in object.methods,
        onAttach: (object) => this.#onBss(object.path),
        onDetach: (object) => this.#onBssGone(object.path),
        onNotify: (notification) => this.#onHostapd(notification),
      }),
      this.#client.subscribe('dnsmasq*', { ...handlers, accepts: (object) => 'metrics' in object.methods }),
      this.#client.subscribe('dhcp', handlers),
      this.#client.subscribe('network.interface', {
        accepts: ({ path }) => path === 'network.interface',
        onNotify: (notification) => this.#onInterface(notification),
      }),
    ]);
    this.#timer = setInterval(() => this.#onTimer(), this.#options.pollMs ?? 15_000);
    const firstLook = this.#client.ready(this.#stop.signal).then(
      () => this.#poll(),
      () => undefined,
    );
    await Promise.race([firstLook, sleep(START_WAIT_MS, undefined, { ref: false })]);
  }

  async stations(): Promise<readonly { readonly mac: Mac; readonly port: DeviceName }[]> {
    await this.#poll();
    return [...this.#cells.values()].flatMap(({ bss }) => [...bss.macs].map((mac) => ({ mac, port: bss.port })));
  }

  isConnected(): boolean {
    return this.#client.isConnected;
  }

  async kick(mac: Mac): Promise<'kicked' | 'not-found' | 'no-answer'> {
    const cells = [...this.#cells.values()].filter(({ bss }) => bss.macs.has(mac));
    // Without `reason` hostapd takes whatever is in its memory; `deauth` must be a boolean; a ban would outlive the wish.
    const args = { addr: mac, reason: KICK_REASON, deauth: true, ban_time: 0 };
    const calls = cells.map(({ path }) =>
      this.#client.call(path, 'del_client', args, { timeoutMs: this.#callTimeoutMs }).then(
        () => true,
        (error: Error) => {
          this.#options.onProblem?.(error);
          return false;
        },
      ),
    );
    const answers = await Promise.all(calls);
    if (answers.length === 0) return 'not-found';
    return answers.includes(true) ? 'kicked' : 'no-answer';
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    for (const cell of this.#cells.values()) clearTimeout(cell.departure);
    await Promise.all(this.#subscriptions.map((subscription) => subscription.close().catch(() => undefined)));
    await this.#polling;
  }

  #onBss(path: string): void {
    const port = portFromObjectPath(path);
    if (port === undefined) return;
    const known = this.#cells.get(port);
    if (known === undefined && this.#cells.size >= MAX_BSS) return;
    const isBack = known?.departure !== undefined;
    if (known === undefined) {
      this.#cells.set(port, { bss: new Bss(port, (event) => this.#listener(event)), path, isConfirming: false });
    } else {
      clearTimeout(known.departure);
      delete known.departure;
    }
    void this.#poll().then(() => {
      if (isBack) this.#listener({ kind: 'resync' });
    });
  }

  #onBssGone(path: string): void {
    const cell = this.#cellOf(path);
    if (cell === undefined || cell.departure !== undefined) return;
    cell.departure = setTimeout(() => {
      this.#cells.delete(cell.bss.port);
      cell.bss.allLeft();
    }, this.#options.departureMs ?? 5_000);
  }

  #onHostapd({ object, type, data }: Notification): void {
    const cell = this.#cellOf(object.path);
    const mac = stationOfNotification(data);
    if (cell === undefined || mac === undefined || !this.#isGuestPort(cell.bss.port)) return;
    if (type === 'sta-authorized') {
      this.#saysAuthorised = true;
      cell.bss.joined(mac);
    } else if (type === 'assoc') {
      // Only the request: it may still be refused.
      if (!this.#saysAuthorised) void this.#confirm(cell);
    } else if (LEFT.has(type)) cell.bss.left(mac);
  }

  #onDhcp({ type, data }: Notification): void {
    const event = stationEventFromDhcp(type, data, this.#options.guestDevices);
    if (event !== undefined) this.#listener(event);
  }

  #onInterface({ type, data }: Notification): void {
    if (!concernsGuests(type, data, this.#options.guestDevices)) return;
    this.#listener({ kind: 'network-changed' });
    // Its bridge may have other ports now.
    void this.#poll();
  }

  /** A bus that stays away says the same at every attempt. */
  #onProblem(error: Error): void {
    if (error.message === this.#lastProblem) return;
    this.#lastProblem = error.message;
    this.#options.onProblem?.(error);
  }

  #onConnected(): void {
    this.#lastProblem = '';
    const present = new Set(
      this.#subscriptions.flatMap((subscription) => subscription.objects()).map(({ path }) => path),
    );
    for (const { path } of this.#cells.values()) if (!present.has(path)) this.#onBssGone(path);
    void this.#poll().then(() => this.#listener({ kind: 'resync' }));
  }

  #onTimer(): void {
    // Heals what a lost ubus.object.add would leave out for ever.
    for (const subscription of this.#subscriptions) subscription.rescan();
    void this.#poll();
  }

  /** Several associations share one series of questions. */
  async #confirm(cell: Cell): Promise<void> {
    if (cell.isConfirming) return;
    cell.isConfirming = true;
    for (const afterMs of CONFIRM_AFTER_MS) {
      await sleep(afterMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      await this.#poll();
    }
    cell.isConfirming = false;
  }

  /** Resolves when a poll that began after this call is done; callers that come together share one. */
  async #poll(): Promise<void> {
    this.#isPollDue = true;
    this.#polling ??= this.#pollWhileDue().finally(() => {
      this.#polling = undefined;
    });
    await this.#polling;
  }

  async #pollWhileDue(): Promise<void> {
    while (this.#isPollDue && this.#client.isConnected && !this.#stop.signal.aborted) {
      this.#isPollDue = false;
      const { guestDevices } = this.#options;
      this.#guestPorts = (await guestPorts(this.#client, guestDevices, this.#callTimeoutMs)) ?? this.#guestPorts;
      const cells = [...this.#cells.values()].filter((cell) => cell.departure === undefined);
      const readings = await Promise.all(cells.map((cell) => this.#pollCell(cell)));
      // Only if all answered: a station that seems to be missing would look as if it had sent nothing.
      const isComplete = readings.every((reading) => reading !== undefined);
      if (isComplete && !this.#stop.signal.aborted) this.#listener({ kind: 'air', readings: readings.flat() });
    }
  }

  /** The counters of its stations; undefined if it did not answer. */
  async #pollCell({ bss, path }: Cell): Promise<readonly AirReading[] | undefined> {
    if (!this.#isGuestPort(bss.port)) {
      bss.allLeft();
      return [];
    }
    bss.askingAll();
    try {
      const reply = await this.#client.call(path, 'get_clients', {}, { timeoutMs: this.#callTimeoutMs });
      const macs = authorisedStations(reply);
      if (macs === undefined) throw new TypeError(`${path} get_clients: expected a table "clients"`);
      bss.answeredAll(macs);
      return airReadings(reply, bss.port);
    } catch (error) {
      if (!this.#client.isConnected) return undefined;
      this.#onProblem(error as Error);
      // An answer that did not come may mean that notifications did not come either.
      this.#listener({ kind: 'resync' });
      return undefined;
    }
  }

  get #callTimeoutMs(): number {
    return this.#options.callTimeoutMs ?? 3_000;
  }

  #isGuestPort(port: DeviceName): boolean {
    return this.#guestPorts?.has(port) ?? true;
  }

  #cellOf(path: string): Cell | undefined {
    const port = portFromObjectPath(path);
    return port === undefined ? undefined : this.#cells.get(port);
  }
}
