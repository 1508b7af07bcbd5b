/**
 * dnsmasq's lease file: what the notifications do not tell, namely names after a restart of ours and leases that expired.
 * It is looked at when its modification time changes. Host names in it come from the guests.
 */
import { open } from 'node:fs/promises';
import type { IpAddress, Lease } from '../core/model.ts';
import { parseIp, parseMac } from '../core/names.ts';
import type { StationEvent } from '../ports.ts';
import { parseHostname } from './hostname.ts';

export type LeaseFileOptions = {
  readonly path: string;
  /** How often the modification time is looked at. */
  readonly pollMs?: number;
  /** Leases of other networks stand in the same file; only those that this accepts are reported. */
  readonly accepts: (address: IpAddress) => boolean;
  /** Told once when the file can not be read, and again only after it could be. */
  readonly onProblem?: (error: Error) => void;
};

/** dnsmasq refuses more than 1000 leases by default (dhcp-lease-max); a line has 100 to 200 bytes. */
const MAX_FILE_BYTES = 1_048_576;
const MAX_LEASES = 8_192;

/** IPv4 leases "expiry mac address name client-id", one per line; anything else, DHCPv6 included, is left out. */
export function leasesFromText(text: string): readonly Lease[] {
  // dnsmasq rewrites the file in place: what stands after the last line end is not finished.
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n', MAX_LEASES);
  return lines.flatMap((line) => {
    const [expiry = '', macText = '', addressText = '', name] = line.split(' ');
    const mac = parseMac(macText);
    const address = parseIp(addressText);
    if (!/^\d{1,20}$/.test(expiry) || mac === undefined || address === undefined) return [];
    const hostname = parseHostname(name);
    return [{ mac, address, ...(hostname === undefined ? {} : { hostname }) }];
  });
}

export class LeaseFile {
  readonly #options: LeaseFileOptions;
  #listener: (event: StationEvent) => void = () => undefined;
  #leases: ReadonlyMap<IpAddress, Lease> = new Map();
  #version = '';
  #timer: NodeJS.Timeout | undefined;
  #isReading = false;
  #hasProblem = false;

  constructor(options: LeaseFileOptions) {
    this.#options = options;
  }

  /** Reports the leases that are there, then each change. */
  async start(listener: (event: StationEvent) => void): Promise<void> {
    this.#listener = listener;
    await this.refresh();
    this.#timer = setInterval(() => void this.refresh(), this.#options.pollMs ?? 5_000);
    this.#timer.unref();
  }

  /** As last read. */
  leases(): readonly Lease[] {
    return [...this.#leases.values()];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Looks at the file now. */
  async refresh(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      const found = await readIfChanged(this.#options.path, this.#version);
      this.#hasProblem = false;
      if (found === undefined) return;
      this.#version = found.version;
      this.#take(leasesFromText(found.text));
    } catch (error) {
      if (!this.#hasProblem) this.#options.onProblem?.(error as Error);
      this.#hasProblem = true;
    } finally {
      this.#isReading = false;
    }
  }

  #take(leases: readonly Lease[]): void {
    const before = this.#leases;
    const accepted = leases.filter(({ address }) => this.#options.accepts(address));
    this.#leases = new Map(accepted.map((lease) => [lease.address, lease]));
    for (const { mac, address } of before.values()) {
      if (this.#leases.get(address)?.mac !== mac) this.#listener({ kind: 'released', mac, address });
    }
    for (const lease of this.#leases.values()) {
      const old = before.get(lease.address);
      if (old?.mac !== lease.mac || old.hostname !== lease.hostname) this.#listener({ kind: 'leased', lease });
    }
  }
}

/**
 * Text and version of the file, undefined if it has not changed since `version`. A file that changes while it is read is
 * left for the next look: half a file would release guests that are there.
 */
async function readIfChanged(path: string, version: string): Promise<{ version: string; text: string } | undefined> {
  const file = await open(path);
  try {
    const { mtimeNs, size, ino } = await file.stat({ bigint: true });
    const found = `${mtimeNs} ${size} ${ino}`;
    if (found === version) return undefined;
    const length = Number(size < BigInt(MAX_FILE_BYTES) ? size : BigInt(MAX_FILE_BYTES));
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0);
    const after = await file.stat({ bigint: true });
    if (after.mtimeNs !== mtimeNs || after.size !== size) return undefined;
    return { version: found, text: buffer.toString('utf8', 0, bytesRead) };
  } finally {
    await file.close();
  }
}
