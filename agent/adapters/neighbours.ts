/**
 * The kernel's own view of who is where, the only authority on which MAC sent a packet: neighbour table and bridge.
 * IPv4 comes from /proc/net/arp; for IPv6 there is no such file, so it is read by netlink, once that was found to be what `ip` prints,
 * or else `ip` is asked; four times a second at most.
 */
import { execFile } from 'node:child_process';
import { open, readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Addon } from '../../openwrt/node-netlink/src/addon.ts';
import type { DeviceName, IpAddress, Mac } from '../core/model.ts';
import { isIpv6, parseDeviceName } from '../core/names.ts';
import type { Neighbours } from '../ports.ts';
import { arePairsBetween } from './address-pairs.ts';
import { CheckedReader } from './checked-reader.ts';
import { portNameFromFdbText, portNumberFromBrforward } from './neighbours/bridge-fdb.ts';
import { FreshRead } from './neighbours/fresh-read.ts';
import { KernelTable } from './neighbours/kernel-table.ts';
import { type Neighbour, neighbourFromArp, neighboursFromArp, neighboursFromIp } from './neighbours/neighbour-text.ts';
import { openNetlinkAddon } from './netlink-addon.ts';

export type NeighboursOptions = {
  readonly guestDevices: readonly DeviceName[];
  readonly sysRoot?: string;
  readonly procRoot?: string;
  /** Runs a program without a shell and resolves with its standard output. */
  readonly run?: (program: string, args: readonly string[]) => Promise<string>;
  readonly monotonicMs?: () => number;
  readonly openAddon?: () => Addon;
  /** Told once when a table can not be read, and again only after it could be. */
  readonly onProblem?: (error: Error) => void;
};

/** A known IPv6 address is believed for this long: many requests of one page load cost one process. */
const FRESH_IPV6_MS = 1_000;
/** An unknown one is looked for again, but processes are started at least this far apart. */
const IPV6_GAP_MS = 250;

const RUN_TIMEOUT_MS = 2_000;
const MAX_OUTPUT_BYTES = 2_097_152;
/** 65,536 forwarding entries: a storm of MACs can grow a bridge's table without limit. */
const MAX_FDB_BYTES = 1_048_576;
/** The kernel gives a page of a sysfs file at a time. */
const PAGE_BYTES = 4_096;

export class KernelNeighbours implements Neighbours {
  readonly #options: NeighboursOptions;
  readonly #run: (program: string, args: readonly string[]) => Promise<string>;
  /** The text of /proc/net/arp. */
  readonly #arp: FreshRead<string>;
  readonly #ipv6: FreshRead<readonly Neighbour[]>;
  #hasProblem = false;

  constructor(options: NeighboursOptions) {
    this.#options = options;
    this.#run = options.run ?? runProgram;
    const monotonicMs = options.monotonicMs ?? (() => performance.now());
    const { procRoot = '/proc' } = options;
    this.#arp = new FreshRead(() => this.#guarded('', () => readFile(`${procRoot}/net/arp`, 'utf8')), 0, monotonicMs);
    const reader = this.#ipv6Reader(monotonicMs);
    this.#ipv6 = new FreshRead(() => this.#guarded([], () => reader.read()), IPV6_GAP_MS, monotonicMs);
  }

  async macOf(address: IpAddress): Promise<Mac | undefined> {
    if (!isIpv6(address)) return neighbourFromArp(await this.#arp.fresh(), this.#options.guestDevices, address)?.mac;
    return await this.#ipv6.find(FRESH_IPV6_MS, (neighbours) => macIn(neighbours, address));
  }

  async list(): Promise<readonly Neighbour[]> {
    const [arp, ipv6] = await Promise.all([this.#arp.fresh(), this.#ipv6.recent(FRESH_IPV6_MS)]);
    return [...neighboursFromArp(arp, this.#options.guestDevices), ...ipv6];
  }

  async portOf(mac: Mac): Promise<DeviceName | undefined> {
    for (const bridge of this.#options.guestDevices) {
      const name = await this.#portOn(bridge, mac);
      const port = name === undefined ? undefined : parseDeviceName(name);
      if (port !== undefined) return port;
    }
    return undefined;
  }

  #ipv6Reader(monotonicMs: () => number): CheckedReader<Neighbour> {
    const { guestDevices, sysRoot = '/sys', openAddon = openNetlinkAddon } = this.#options;
    const table = new KernelTable(guestDevices, sysRoot, openAddon, monotonicMs);
    return new CheckedReader({
      direct: () => table.ipv6(),
      tool: () => this.#askIp(),
      isBetween: arePairsBetween,
      onAgreed: () => undefined,
      onDiffering: () => {
        table.distrust();
        this.#options.onProblem?.(new Error('neighbours are read by netlink otherwise than ip prints them'));
      },
    });
  }

  async #askIp(): Promise<readonly Neighbour[]> {
    const { guestDevices } = this.#options;
    const show = (device: DeviceName): Promise<string> => this.#run('ip', ['-6', 'neigh', 'show', 'dev', device]);
    const texts = await Promise.all(guestDevices.map(show));
    return texts.flatMap(neighboursFromIp);
  }

  /** An unreadable table is an empty one: a guest that can not be identified gets nothing, and the agent goes on. */
  async #guarded<T>(empty: T, read: () => Promise<T | undefined>): Promise<T> {
    try {
      const table = (await read()) ?? empty;
      this.#hasProblem = false;
      return table;
    } catch (error) {
      if (!this.#hasProblem) this.#options.onProblem?.(error as Error);
      this.#hasProblem = true;
      return empty;
    }
  }

  async #portOn(bridge: DeviceName, mac: Mac): Promise<string | undefined> {
    const folder = `${this.#options.sysRoot ?? '/sys'}/class/net/${bridge}`;
    const entries = await readAtMost(`${folder}/brforward`, MAX_FDB_BYTES);
    if (entries !== undefined) return await this.#portName(folder, portNumberFromBrforward(entries, mac));
    // A /sys of another network namespace does not know the device; the bridge tool asks the kernel.
    const text = await this.#run('bridge', ['fdb', 'show', 'br', bridge]).catch(() => '');
    return portNameFromFdbText(text, mac);
  }

  async #portName(folder: string, port: number | undefined): Promise<string | undefined> {
    if (port === undefined) return undefined;
    for (const name of await readdir(`${folder}/brif`).catch(() => [])) {
      const text = await readFile(`${folder}/brif/${name}/port_no`, 'utf8').catch(() => '');
      if (Number.parseInt(text, 16) === port) return name;
    }
    return undefined;
  }
}

function macIn(neighbours: readonly Neighbour[], address: IpAddress): Mac | undefined {
  return neighbours.find((neighbour) => neighbour.address === address)?.mac;
}

async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const options = { timeout: RUN_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  const { stdout } = await promisify(execFile)(program, args, options);
  return stdout;
}

/** Undefined if there is no such file. */
async function readAtMost(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const pages: Buffer[] = [];
    for (let total = 0; total < maxBytes; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(PAGE_BYTES), 0, PAGE_BYTES, total);
      if (bytesRead === 0) break;
      pages.push(buffer.subarray(0, bytesRead));
      total += bytesRead;
    }
    return Buffer.concat(pages);
  } finally {
    await file.close();
  }
}
