/**
 * The stations of one BSS as last known, from two sources: notifications, which are quick and can be lost, and
 * get_clients, which is complete and can be a moment old. Reports each change once.
 */
import type { DeviceName, Mac } from '../../core/model.ts';
import type { StationEvent } from '../../ports.ts';
import { MAX_STATIONS_PER_BSS } from './hostapd-clients.ts';

export class Bss {
  readonly port: DeviceName;
  readonly #report: (event: StationEvent) => void;
  readonly #macs = new Set<Mac>();
  /** Stations notified about while a get_clients is under way: its answer may be older. */
  #newer: Set<Mac> | undefined;

  constructor(port: DeviceName, report: (event: StationEvent) => void) {
    this.port = port;
    this.#report = report;
  }

  get macs(): ReadonlySet<Mac> {
    return this.#macs;
  }

  joined(mac: Mac): void {
    this.#newer?.add(mac);
    this.#add(mac);
  }

  left(mac: Mac): void {
    this.#newer?.add(mac);
    this.#remove(mac);
  }

  /** A get_clients is sent: from now on notifications outrank its answer. */
  askingAll(): void {
    this.#newer = new Set();
  }

  /** The answer: right for all stations that no notification spoke of meanwhile. */
  answeredAll(macs: ReadonlySet<Mac>): void {
    const newer = this.#newer ?? new Set<Mac>();
    this.#newer = undefined;
    for (const mac of macs) if (!newer.has(mac)) this.#add(mac);
    for (const mac of [...this.#macs]) if (!macs.has(mac) && !newer.has(mac)) this.#remove(mac);
  }

  /** The BSS is gone and all its stations with it. */
  allLeft(): void {
    for (const mac of [...this.#macs]) this.#remove(mac);
  }

  #add(mac: Mac): void {
    if (this.#macs.has(mac) || this.#macs.size >= MAX_STATIONS_PER_BSS) return;
    this.#macs.add(mac);
    this.#report({ kind: 'joined', mac, port: this.port });
  }

  #remove(mac: Mac): void {
    if (this.#macs.delete(mac)) this.#report({ kind: 'left', mac, port: this.port });
  }
}
