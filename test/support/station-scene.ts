/** A station source on a stand-in router, and what it reports. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { type UbusStationOptions, UbusStationSource } from '../../agent/adapters/ubus/station-source.ts';
import type { DeviceName } from '../../agent/core/model.ts';
import type { StationEvent } from '../../agent/ports.ts';
import { UbusClient } from '../../openwrt/node-openwrt-ubus/src/client.ts';
import { UbusDaemon } from './ubus-daemon/daemon.ts';
import { OpenwrtServices, type OpenwrtServicesOptions } from './ubus-daemon/openwrt-services.ts';

/** An hour: a test that needs a poll says so. */
const NEVER_MS = 3_600_000;

/** Events of a station source, and a way to wait for one. */
export class StationEvents {
  readonly all: StationEvent[] = [];
  #wake: () => void = () => undefined;

  readonly push = (event: StationEvent): void => {
    this.all.push(event);
    this.#wake();
  };

  async until(isMet: (events: readonly StationEvent[]) => boolean): Promise<void> {
    while (!isMet(this.all)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Without resync, which only says "look again", and counters. */
  changes(): readonly StationEvent[] {
    return this.all.filter(({ kind }) => kind !== 'resync' && kind !== 'air');
  }
}

export type StationRouter = { readonly daemon: UbusDaemon; readonly services: OpenwrtServices; readonly path: string };

export async function startRouter(t: Test, options: Partial<OpenwrtServicesOptions> = {}): Promise<StationRouter> {
  const path = join(mkdtempSync(join(tmpdir(), 'ubus-stations-')), 'bus');
  t.teardown(() => rmSync(dirname(path), { recursive: true }));
  const daemon = await UbusDaemon.start(path);
  t.teardown(() => daemon.close());
  const services = new OpenwrtServices({ socketPath: path, ...options });
  t.teardown(() => services.close());
  await services.start();
  return { daemon, services, path };
}

export async function startSource(t: Test, path: string, options: Partial<UbusStationOptions> = {}) {
  const events = new StationEvents();
  const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 20 } });
  const source = new UbusStationSource({
    client,
    guestDevices: ['br-guest' as DeviceName],
    pollMs: NEVER_MS,
    departureMs: 30,
    callTimeoutMs: 20_000,
    ...options,
  });
  t.teardown(() => client.close());
  t.teardown(() => source.close());
  await source.start(events.push);
  return { source, events };
}
