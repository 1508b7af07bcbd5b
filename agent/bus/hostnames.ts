/** Names that guests' devices gave by DHCP, as last heard: for people to look at. In memory only, and bounded. */
import type { Lease, Mac } from '../core/model.ts';

/** More than a router leases out; the name heard longest ago goes first. */
const MAX_NAMES = 2_048;

export class Hostnames {
  readonly #names = new Map<Mac, string>();

  /** A lease without a name does not take the name away: dnsmasq leaves it out of renewals. */
  heard({ mac, hostname }: Lease): void {
    if (hostname === undefined) return;
    this.#names.delete(mac);
    this.#names.set(mac, hostname);
    const oldest = this.#names.size > MAX_NAMES ? this.#names.keys().next().value : undefined;
    if (oldest !== undefined) this.#names.delete(oldest);
  }

  of(mac: Mac): string | undefined {
    return this.#names.get(mac);
  }
}
