/** The kernel's IPv6 neighbours by netlink, which starts no process. What does not work is left to `ip`. */
import { readFile } from 'node:fs/promises';
import type { Addon } from '../../../openwrt/node-netlink/src/addon.ts';
import {
  decodeNeighbours,
  NETLINK_ROUTE,
  type Neighbour as NetlinkNeighbour,
  neighboursRequest,
} from '../../../openwrt/node-netlink/src/neighbours.ts';
import { NetlinkSocket } from '../../../openwrt/node-netlink/src/socket.ts';
import type { DeviceName, IpAddress, Mac } from '../../core/model.ts';
import { parseIp, parseMac } from '../../core/names.ts';
import { MAX_NEIGHBOURS, type Neighbour } from './neighbour-text.ts';

/** NUD_REACHABLE, STALE, DELAY, PROBE and PERMANENT: the states of a known link-layer address. */
const RESOLVED = 0x02 | 0x04 | 0x08 | 0x10 | 0x80;
/** How long `ip` is asked after a failure. */
const REST_MS = 60_000;

export class KernelTable {
  readonly #devices: readonly DeviceName[];
  readonly #sysRoot: string;
  readonly #openAddon: () => Addon;
  #socket: NetlinkSocket | undefined;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  readonly #monotonicMs: () => number;

  constructor(devices: readonly DeviceName[], sysRoot: string, openAddon: () => Addon, monotonicMs: () => number) {
    this.#devices = devices;
    this.#sysRoot = sysRoot;
    this.#openAddon = openAddon;
    this.#monotonicMs = monotonicMs;
  }

  /** Neighbours on all guest devices; undefined if `ip` is to be asked. Never throws. */
  async ipv6(): Promise<readonly Neighbour[] | undefined> {
    if (this.#monotonicMs() < this.#restUntilMs) return undefined;
    const indexes = await Promise.all(this.#devices.map((device) => this.#indexOf(device)));
    // A device that is not there, or a /sys of another network namespace: `ip` says it in its own words.
    if (!indexes.every((index) => index > 0)) return undefined;
    try {
      this.#socket ??= new NetlinkSocket(this.#openAddon(), NETLINK_ROUTE);
      const socket = this.#socket;
      const found = indexes.flatMap((index) =>
        socket.request(neighboursRequest(6, index), decodeNeighbours).filter((one) => one.index === index),
      );
      return found.slice(0, MAX_NEIGHBOURS).flatMap(neighbourFrom);
    } catch {
      this.#restUntilMs = this.#monotonicMs() + REST_MS;
      return undefined;
    }
  }

  /** From now on `ip` is asked. */
  distrust(): void {
    this.#restUntilMs = Number.POSITIVE_INFINITY;
    this.#socket?.close();
  }

  async #indexOf(device: DeviceName): Promise<number> {
    return Number(await readFile(`${this.#sysRoot}/class/net/${device}/ifindex`, 'utf8').catch(() => '0'));
  }
}

function neighbourFrom({ state, address, link }: NetlinkNeighbour): readonly Neighbour[] {
  if ((state & RESOLVED) === 0) return [];
  const ip = parseIp((address.match(/.{4}/g) ?? []).join(':'));
  const mac = parseMac(link);
  return ip === undefined || mac === undefined ? [] : [{ mac: mac satisfies Mac, address: ip satisfies IpAddress }];
}
