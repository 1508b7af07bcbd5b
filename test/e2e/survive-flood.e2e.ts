/** The quota under the hardest traffic there is: UDP floods and eight TCP flows at once, both ways, both families. */
import t from 'tap';
import { UDP_SINK_PORT } from '../lab/addresses.ts';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { pause, until } from '../lab/wait.ts';

const PAID_BYTES = 5_000_000n;
const PACKET_BYTES = 1_500n;
const scene = await openTestScene();
const { guest } = scene;
await guest.join();
await guest.buy(5n);
await until('service over both families', 10_000, async () => (await guest.reaches(4)) && (await guest.reaches(6)));

t.test('eight TCP flows and UDP floods both ways pass not one byte beyond what was paid', async (t) => {
  const flows = await Promise.all([
    ...([4, 6] as const).flatMap((family) => [1, 2].map(() => guest.startDownload(family, 20_000_000))),
    ...([4, 6] as const).flatMap((family) => [1, 2].map(() => guest.startUpload(family, 20_000_000))),
  ]);
  const flood = { size: 1_200, packets: 4_000, packetsPerS: 4_000 };
  await Promise.all(
    [guest.server.ip4, guest.server.ip6].flatMap((address) => [
      guest.hand.call('udpSend', { ...flood, address, port: UDP_SINK_PORT, waitMs: 0 }),
      guest.hand.call('udpReceive', { ...flood, address, waitMs: 500 }),
    ]),
  );
  await pause(500);
  for (const flow of flows) await guest.hand.call('abort', { flow });
  const { passed, metered } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
  t.ok(passed <= PAID_BYTES, `${passed - PAID_BYTES} bytes beyond the quota`);
  t.ok(PAID_BYTES - passed < PACKET_BYTES, `${PAID_BYTES - passed} bytes unsold`);
});

t.test('the flood that was dropped costs nothing: a top-up serves what it paid for, and no byte more', async (t) => {
  await guest.topUp(2n);
  const flow = await guest.startDownload(4, 20_000_000);
  await until('the flow to stand still at the new quota', 20_000, async () => {
    const { bytes, idleMs } = await guest.flow(flow);
    return bytes > 1_000_000 && idleMs > 1_200;
  });
  const { passed, metered } = await passedAndMetered(scene, guest);
  const paid = PAID_BYTES + 2_000_000n;
  t.equal(metered, passed);
  t.ok(passed <= paid && paid - passed < PACKET_BYTES, `${paid - passed} bytes unsold`);
});
