/** The portal as the agent runs it: behind its door, listening on the guest devices, made anew when its options change. */
import type { DriverLog } from '../driver.ts';
import { PortalListener } from './portal-listener.ts';
import { type PortalDoor, PortalSwap, type SwappablePortal } from './portal-swap.ts';

export type OpenPortalDeps = {
  readonly build: () => SwappablePortal;
  readonly door: PortalDoor;
  readonly port: number;
  /** Addresses of the guest devices now. */
  readonly addresses: () => readonly string[];
  readonly log: DriverLog;
  /** What is to be closed when the agent ends, the newest first. */
  readonly opened: { readonly name: string; readonly close: () => unknown }[];
};

export type OpenPortal = {
  /** Begins to take guests in. */
  readonly listen: () => Promise<void>;
  /** To be told of each change of the configuration. */
  readonly follow: (changed: readonly string[]) => void;
};

export async function openPortal({ build, door, port, addresses, log, opened }: OpenPortalDeps): Promise<OpenPortal> {
  const portal = new PortalSwap(build, door);
  opened.push({ name: 'portal', close: () => portal.close() });
  await portal.renew();
  const listener = new PortalListener({ sink: portal, port, addresses, log });
  opened.push({ name: 'listener', close: () => listener.close() });
  return {
    listen: () => listener.start(),
    follow: (changed) => {
      if (!changed.some((option) => option.startsWith('portal.'))) return;
      void portal.renew().catch((err) => log.error({ err }, 'portal-not-renewed'));
    },
  };
}
