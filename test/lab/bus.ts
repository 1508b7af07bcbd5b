/**
 * The router's ubus, by the stand-in that plays ubusd, hostapd, dnsmasq and netifd in a process of its own. Every bridge
 * port of a guest plays a BSS ("hostapd.guest0"), so that the agent binds a station to the port that it joined on.
 */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GUEST_DEVICE, ROUTER_GUEST_IP4 } from './addresses.ts';
import type { Dnsmasq, LeaseEvent } from './dnsmasq.ts';
import { LabError } from './errors.ts';
import type { Running } from './host.ts';
import { until } from './wait.ts';
import type { GuestHost, World } from './world.ts';

const MAIN = fileURLToPath(new URL('../support/ubus-daemon/main.ts', import.meta.url));
const ANSWER_MS = 10_000;

type Reply = { readonly ready?: true; readonly ok?: boolean; readonly error?: string };

export class Bus {
  readonly socketPath: string;
  readonly #running: Running;
  /** Guests may join at the same time, and one may hand on the other's lease. */
  readonly #leased = new Set<string>();
  readonly #waiting: ((reply: Reply) => void)[] = [];

  private constructor(socketPath: string, running: Running) {
    this.socketPath = socketPath;
    this.#running = running;
    const { stdout } = running.child;
    if (stdout !== null) {
      createInterface({ input: stdout }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as Reply));
    }
    void running.exited.then(() => {
      for (const take of this.#waiting.splice(0)) take({ ok: false, error: 'the stand-in ended; see its log' });
    });
  }

  static async start(world: World): Promise<Bus> {
    const socketPath = world.lab.path('ubus.sock');
    const ports = world.guests.map(({ port }) => port).join(',');
    const argv = [process.execPath, MAIN, socketPath, GUEST_DEVICE, ROUTER_GUEST_IP4, ports];
    const bus = new Bus(
      socketPath,
      world.router.start('ubus', argv, { logFile: world.lab.path('ubus.log'), hasPipes: true }),
    );
    await bus.#answer();
    return bus;
  }

  /** Takes ubusd away, or gives it back and its services with it. */
  async setPresent(isPresent: boolean): Promise<void> {
    await this.#command({ do: isPresent ? 'startBus' : 'stopBus' });
  }

  /** hostapd has authorised a station on the guest's port. */
  async stationJoined(guest: GuestHost, mac = guest.mac): Promise<void> {
    await this.#command({ do: 'stationJoins', mac, ifname: guest.port });
  }

  async stationLeft(guest: GuestHost, mac = guest.mac): Promise<void> {
    await this.#command({ do: 'stationLeaves', mac, ifname: guest.port });
  }

  /** Hands on what dnsmasq has written about leases until it has written about this address. */
  async reportLease(dnsmasq: Dnsmasq, address: string): Promise<void> {
    await until(`dnsmasq to report the lease of ${address}`, 5_000, async () => {
      for (const event of dnsmasq.takeEvents()) {
        await this.#report(event);
        if (event.kind !== 'del') this.#leased.add(event.ip);
      }
      return this.#leased.has(address);
    });
  }

  async #report({ kind, mac, ip, name }: LeaseEvent): Promise<void> {
    const named = name === undefined ? {} : { name };
    await this.#command(kind === 'del' ? { do: 'leaseRelease', mac, ip } : { do: 'leaseAck', mac, ip, ...named });
  }

  async #command(command: object): Promise<void> {
    const answer = this.#answer();
    this.#running.child.stdin?.write(`${JSON.stringify(command)}\n`);
    await answer;
  }

  /** The next line. @throws LabError if it says no, or nothing. */
  async #answer(): Promise<void> {
    const reply = await new Promise<Reply>((resolve) => {
      const timer = setTimeout(() => resolve({ ok: false, error: `no answer within ${ANSWER_MS} ms` }), ANSWER_MS);
      this.#waiting.push((line) => {
        clearTimeout(timer);
        resolve(line);
      });
    });
    if (reply.ready !== true && reply.ok !== true) throw new LabError('LAB_BUS', `The bus stand-in: ${reply.error}`);
  }
}
