/** The demo's first chapter: a phone joins, is stopped, and is shown the way to the portal. */
import { OTHER_PORT, PORTAL_NAME, UDP_SINK_PORT } from './addresses.ts';
import type { Guest } from './guest.ts';
import type { Scene } from './scene.ts';
import type { Story } from './story.ts';
import { pause } from './wait.ts';
import { readBeyond, sumOf } from './wire.ts';

export async function tellArrival(story: Story, scene: Scene, guest: Guest): Promise<void> {
  await story.step('a phone joins: DHCP, IPv6 by router advertisement', async () => {
    const { ip4, ip6, captiveUrl } = await guest.join();
    const isOffered = captiveUrl === scene.captiveUrl;
    story.promise('DHCP option 114', scene.captiveUrl, captiveUrl ?? 'absent', isOffered);
    return `${ip4}, ${ip6}, option 114 = ${captiveUrl ?? 'absent'}`;
  });
  await story.step('before it pays: TCP, UDP and ping, over IPv4 and IPv6', async () => {
    await knockEverywhere(guest);
    const escaped = sumOf(await readBeyond(scene.world.internet, guest.host.index));
    story.promise('bytes out before payment', '0', `${escaped}`, escaped === 0n);
    return `blocked: ${escaped} bytes reached the internet`;
  });
  await story.step('the phone probes for a portal', async () => {
    const { status, headers } = await guest.probe();
    const isRedirected = status === 302 && headers['location'] === `http://${PORTAL_NAME}/`;
    story.promise(
      'probe answered by',
      `302 to http://${PORTAL_NAME}/`,
      `${status} to ${headers['location']}`,
      isRedirected,
    );
    const captive = await captiveState(guest);
    story.promise(
      'captive API before payment',
      'captive: true',
      `captive: ${captive.captive}`,
      captive.captive === true,
    );
    const page = await guest.portal.request('/');
    return `${status} to ${headers['location']}; captive API says ${captive.captive}; page of ${page.body.length} bytes`;
  });
}

/** RFC 8908 state, as a phone that got option 114 reads it. */
export async function captiveState(
  guest: Guest,
): Promise<{ readonly captive?: boolean; readonly 'bytes-remaining'?: number }> {
  const url = guest.addresses.captiveUrl ?? `http://${PORTAL_NAME}/`;
  const address = await guest.resolve(PORTAL_NAME, 4);
  const { body } = await guest.hand.call('http', { url, address, headers: { accept: 'application/captive+json' } });
  return JSON.parse(body) as { captive?: boolean };
}

/** Everything an unpaid guest may try at once; whatever comes through is seen beyond the router. */
export async function knockEverywhere(guest: Guest): Promise<void> {
  const { ip4, ip6 } = guest.server;
  const tries: Promise<unknown>[] = [];
  for (const address of [ip4, ip6]) {
    for (const port of [OTHER_PORT, 443, 53, 853]) {
      tries.push(guest.hand.call('connect', { address, port, timeoutMs: 1_000 }));
    }
    const datagrams = { address, port: UDP_SINK_PORT, size: 800, packets: 50, packetsPerS: 1_000, waitMs: 100 };
    tries.push(guest.hand.call('udpSend', datagrams));
    tries.push(guest.host.host.run(['ping', '-c', '2', '-i', '0.3', '-W', '1', address]));
  }
  await Promise.all(tries);
  await pause(200);
}
