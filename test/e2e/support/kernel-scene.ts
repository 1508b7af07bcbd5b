/** The lab with the real enforcer on its router and no agent: the test itself says what each guest may do. */
import t from 'tap';
import { createNftEnforcer } from '../../../agent/adapters/nft/enforcer.ts';
import type {
  CounterKey,
  DeviceName,
  EnforcementPlan,
  IpAddress,
  Mac,
  SessionGrant,
} from '../../../agent/core/model.ts';
import type { Enforcer, EnforcerEvent } from '../../../agent/ports.ts';
import { GUEST_DEVICE, serverOfGuest, UDP_ECHO_PORT, UDP_SINK_PORT } from '../../lab/addresses.ts';
import { elevate } from '../../lab/elevate.ts';
import { type Addresses, connectToNetwork } from '../../lab/guest-link.ts';
import { Lab } from '../../lab/lab.ts';
import { settled } from '../../lab/wait.ts';
import { readBeyond, readWire, type WireBytes } from '../../lab/wire.ts';
import { buildWorld, type GuestHost, type World } from '../../lab/world.ts';

export const PORTAL_PORT = 2050;

export type KernelScene = {
  readonly lab: Lab;
  readonly world: World;
  readonly enforcer: Enforcer;
  readonly events: EnforcerEvent[];
  readonly guests: readonly KernelGuest[];
  openEnforcer(): Enforcer;
};

export type KernelGuest = {
  readonly host: GuestHost;
  readonly addresses: Addresses;
  readonly server: { readonly ip4: string; readonly ip6: string };
};

/** Builds the world, joins all guests, then closes the door: nobody may pass. */
export async function openKernelScene(guestCount: number): Promise<KernelScene> {
  elevate();
  const lab = new Lab();
  const enforcers: Enforcer[] = [];
  t.teardown(async () => {
    for (const enforcer of enforcers) await enforcer.close();
    await lab.close();
  });
  const world = await buildWorld(lab, {
    guests: guestCount,
    portalPort: PORTAL_PORT,
    captiveUrl: 'http://portal.lan/',
  });
  const guests = await Promise.all(
    world.guests.map(async (host) => ({
      host,
      addresses: await connectToNetwork(lab, host),
      server: serverOfGuest(host.index),
    })),
  );
  const openEnforcer = (): Enforcer => {
    const enforcer = createNftEnforcer({
      runtimeDir: lab.path('nft'),
      netns: world.router.netns,
      unboundEveryMs: 0,
      log: {
        info: () => undefined,
        warn: (details, event) => t.comment(event, details),
        error: (details, event) => t.comment(event, details),
      },
    });
    enforcers.push(enforcer);
    return enforcer;
  };
  const enforcer = openEnforcer();
  const events: EnforcerEvent[] = [];
  enforcer.onEvent((event) => events.push(event));
  await enforcer.reconcile(planOf());
  return { lab, world, enforcer, events, guests, openEnforcer };
}

export function planOf(...grants: readonly SessionGrant[]): EnforcementPlan {
  return { guestDevices: [GUEST_DEVICE as DeviceName], portalPort: PORTAL_PORT, grants };
}

/** A grant for the guest with all its addresses on its own port. */
export function grantOf(guest: KernelGuest, limitBytes: bigint, rest: Partial<SessionGrant> = {}): SessionGrant {
  const { host, addresses } = guest;
  return {
    sessionId: host.index + 1,
    limitBytes,
    usedBytes: 0n,
    counters: new Map<CounterKey, bigint>(),
    stations: [
      {
        mac: host.mac as Mac,
        port: host.port as DeviceName,
        addresses: [addresses.ip4 as IpAddress, addresses.ip6 as IpAddress],
      },
    ],
    isOnline: true,
    ...rest,
  };
}

/** Metered bytes of a session by direction and family, as the agent would bill them. */
export async function meteredBytes(
  enforcer: Enforcer,
  sessionId: number,
): Promise<WireBytes & { readonly up: bigint }> {
  const { counters } = await enforcer.read();
  const sum = (matches: (key: string) => boolean): bigint =>
    counters
      .filter((one) => one.sessionId === sessionId && matches(one.key))
      .reduce((all, { bytes }) => all + bytes, 0n);
  const up = sum((key) => key.startsWith('up:'));
  const down6 = sum((key) => key.startsWith('down:') && key.slice(5).includes(':'));
  const down4 = sum((key) => key.startsWith('down:') && !key.slice(5).includes(':'));
  return { up, up4: 0n, up6: 0n, down4, down6 };
}

export type Passed = { readonly up: bigint; readonly down: bigint };

/** What really passed the router for a guest, from counters that the enforcer cannot touch: up as it arrived beyond, down as it reached the guest. */
export async function passedBytes(scene: KernelScene, guest: KernelGuest): Promise<Passed> {
  const read = async (): Promise<Passed> => {
    const wire = await readWire(guest.host.host);
    const beyond = await readBeyond(scene.world.internet, guest.host.index);
    return { up: beyond.up4 + beyond.up6, down: wire.down4 + wire.down6 };
  };
  return await settled('the counters beside the router', 300, 10_000, read);
}

export function passedSince(later: Passed, earlier: Passed): Passed {
  return { up: later.up - earlier.up, down: later.down - earlier.down };
}

/** Datagrams to the guest's server as fast as one process can send them. */
export async function floodUp(guest: KernelGuest, address: string, bytes: number): Promise<void> {
  const size = 1_200;
  const packets = Math.ceil(bytes / size);
  await guest.host.hand.call('udpSend', {
    address,
    port: UDP_SINK_PORT,
    size,
    packets,
    packetsPerS: 60_000,
    waitMs: 0,
  });
}

export async function floodDown(guest: KernelGuest, address: string, bytes: number): Promise<void> {
  const size = 1_200;
  const packets = Math.ceil(bytes / size);
  await guest.host.hand.call('udpReceive', { address, size, packets, packetsPerS: 60_000, waitMs: 200 });
}

/** True if a datagram comes back from the guest's server. */
export async function isEchoed(guest: KernelGuest, address: string, from?: string): Promise<boolean> {
  const source = from === undefined ? {} : { from: [from] };
  const { received } = await guest.host.hand.call('udpSend', {
    address,
    port: UDP_ECHO_PORT,
    size: 100,
    packets: 3,
    packetsPerS: 1_000,
    waitMs: 400,
    ...source,
  });
  return received.packets > 0;
}
