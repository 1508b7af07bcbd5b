/** The demo's second chapter: the phone pays with a pass code and surfs; the meter is held against the wire. */

import { UDP_ECHO_PORT } from './addresses.ts';
import { captiveState } from './demo-arrival.ts';
import type { Figures } from './demo-figures.ts';
import { DEPOSIT_UNITS, type Guest } from './guest.ts';
import { passedAndMetered } from './passed.ts';
import type { Scene } from './scene.ts';
import { grouped, type Story } from './story.ts';

const MEGABYTES_PAID = 10n;

export async function tellPurchase(story: Story, scene: Scene, guest: Guest, figures: Figures): Promise<void> {
  await story.step('it pays: a pass code, one signature opens the channel, the router relays it', async () => {
    const begunMs = performance.now();
    const view = await guest.buy(MEGABYTES_PAID);
    const isOnline = view.isOnline && (await guest.reaches(4)) && (await guest.reaches(6));
    const seconds = (performance.now() - begunMs) / 1_000;
    const online = `${seconds.toFixed(1)} s${isOnline ? '' : ', and then not on both'}`;
    story.promise('online after paying', '< 10 s, IPv4 and IPv6', online, isOnline && seconds < 10);
    figures.phonePaidBytes = MEGABYTES_PAID * 1_000_000n;
    const onChain = await scene.chain.channel(view.channelId ?? '0x');
    story.promise(
      'deposit on chain',
      grouped(DEPOSIT_UNITS),
      grouped(onChain.deposit),
      onChain.deposit === DEPOSIT_UNITS,
    );
    return `deposit ${grouped(onChain.deposit)} units, first voucher over ${grouped(view.creditUnits)}, online in ${seconds.toFixed(1)} s`;
  });
  await story.step('it surfs: TCP down and up, UDP, over IPv4 and IPv6', async () => {
    const begunMs = performance.now();
    await Promise.all([guest.download(4, 2_500_000), guest.download(6, 2_500_000)]);
    await Promise.all([guest.upload(4, 400_000), guest.upload(6, 400_000)]);
    const seconds = (performance.now() - begunMs) / 1_000;
    const echo = { port: UDP_ECHO_PORT, size: 1_000, packets: 100, packetsPerS: 2_000, waitMs: 2_000 };
    const [echoed4, echoed6] = await Promise.all([
      guest.hand.call('udpSend', { ...echo, address: guest.server.ip4 }),
      guest.hand.call('udpSend', { ...echo, address: guest.server.ip6 }),
    ]);
    const echoed = echoed4.received.packets + echoed6.received.packets;
    return `5.8 MB of TCP in ${seconds.toFixed(1)} s, every byte as sent; ${echoed} of 200 datagrams echoed`;
  });
  await story.step('the meter against the wire', async () => {
    const { metered, passed, down, up } = await passedAndMetered(scene, guest);
    story.promise('metered = on the phone’s wire', grouped(passed), grouped(metered), metered === passed);
    const { up4, up6 } = await guest.wire();
    const lost = up4 + up6 - up;
    story.promise('sent by the phone, not carried on', '0', `${lost}`, lost === 0n);
    const said = (await captiveState(guest))['bytes-remaining'] ?? -1;
    const truth = figures.phonePaidBytes - metered;
    story.promise('captive API bytes-remaining', grouped(truth), grouped(said), BigInt(said) === truth);
    return `metered ${grouped(metered)}, on the wire ${grouped(down)} down and ${grouped(up)} up, ${grouped(said)} left`;
  });
}
