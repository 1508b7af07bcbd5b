/**
 * The router's dnsmasq: DHCPv4 with option 114, router advertisements with RDNSS, and DNS for the portal's name.
 * OpenWrt's dnsmasq tells ubus of each lease; Debian's has no ubus, so its dhcp-script writes lines that the lab hands on.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { DNS_IP4, GUEST_DEVICE, PORTAL_NAME, ROUTER_GUEST_IP4, ROUTER_GUEST_IP6 } from './addresses.ts';
import type { Host, Running } from './host.ts';
import type { Lab } from './lab.ts';
import { until } from './wait.ts';

export type LeaseEvent = {
  readonly kind: 'add' | 'old' | 'del';
  readonly mac: string;
  readonly ip: string;
  readonly name?: string;
};

export class Dnsmasq {
  readonly leaseFile: string;
  readonly #eventFile: string;
  readonly #router: Host;
  readonly #logFile: string;
  readonly #scriptFile: string;
  readonly #captiveUrl: string;
  #running: Running | undefined;
  #linesSeen = 0;

  constructor(lab: Lab, router: Host, captiveUrl: string) {
    this.#router = router;
    this.#captiveUrl = captiveUrl;
    this.leaseFile = lab.path('dhcp.leases');
    this.#eventFile = lab.path('dhcp.events');
    this.#logFile = lab.path('dnsmasq.log');
    this.#scriptFile = lab.path('dhcp-script');
    writeFileSync(this.#eventFile, '');
    writeFileSync(this.leaseFile, '');
    writeFileSync(this.#scriptFile, `#!/bin/sh\nprintf '%s %s %s %s\\n' "$1" "$2" "$3" "$4" >> ${this.#eventFile}\n`, {
      mode: 0o755,
    });
  }

  /** `extra`: flags beyond the lab's. */
  async start(extra: readonly string[] = []): Promise<void> {
    const command = ['dnsmasq', ...this.#flags(), ...extra];
    this.#running = this.#router.start('dnsmasq', command, { logFile: this.#logFile });
    await until('the router’s dnsmasq to answer DNS', 5_000, async () => {
      const { stdout } = await this.#router.run(['ss', '-Hlun', 'sport', '=', ':53']);
      return stdout.includes(':53');
    });
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async restart(extra: readonly string[] = []): Promise<void> {
    await this.stop();
    await this.start(extra);
  }

  /** Lease events since the last call, IPv4 only. */
  takeEvents(): readonly LeaseEvent[] {
    const lines = readFileSync(this.#eventFile, 'utf8').split('\n').slice(0, -1);
    const fresh = lines.slice(this.#linesSeen);
    this.#linesSeen = lines.length;
    return fresh.flatMap(eventFromLine);
  }

  #flags(): string[] {
    return [
      // Foreground, and no change of user: the only user in a user namespace is root.
      '--no-daemon',
      '--conf-file=/dev/null',
      '--pid-file=',
      '--log-facility=-',
      '--no-resolv',
      '--no-hosts',
      `--server=${DNS_IP4}`,
      `--interface=${GUEST_DEVICE}`,
      '--bind-dynamic',
      '--except-interface=lo',
      `--dhcp-leasefile=${this.leaseFile}`,
      `--dhcp-script=${this.#scriptFile}`,
      '--dhcp-scriptuser=root',
      '--dhcp-authoritative',
      // The lab has no time for the probing ping before each offer.
      '--no-ping',
      '--dhcp-range=192.168.77.100,192.168.77.250,1h',
      `--dhcp-option=114,${this.#captiveUrl}`,
      '--enable-ra',
      `--dhcp-range=::,constructor:${GUEST_DEVICE},ra-stateless`,
      `--dhcp-option=option6:dns-server,[${ROUTER_GUEST_IP6}]`,
      `--host-record=${PORTAL_NAME},${ROUTER_GUEST_IP4},${ROUTER_GUEST_IP6}`,
    ];
  }
}

function eventFromLine(line: string): readonly LeaseEvent[] {
  const [kind, mac, ip, name] = line.split(' ');
  const isKnown = kind === 'add' || kind === 'old' || kind === 'del';
  if (!isKnown || mac === undefined || ip === undefined || ip.includes(':')) return [];
  return [{ kind, mac, ip, ...(name === undefined || name === '' ? {} : { name }) }];
}
