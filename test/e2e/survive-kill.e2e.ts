/** kill -9 of the agent while guests surf: no unpaid byte, no lost credit, paid flows go on, back within 10 s. */
import t from 'tap';
import { knockEverywhere } from '../lab/demo-arrival.ts';
import { passedAndMetered, passedBytes } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { pause, until } from '../lab/wait.ts';
import { readBeyond, sumOf } from '../lab/wire.ts';

const MOST_RESTART_MS = 10_000;
const PAID_BYTES = 20_000_000n;
const scene = await openTestScene();
const { guest, other, agent, world } = scene;
await guest.join();
await guest.buy(20n);
// An IPv6 address is learned from its first packet, and a dead agent learns nothing.
await until('service over IPv6', 10_000, () => guest.reaches(6));

t.test('a paid download goes on through kill -9, and the agent is back within 10 s', async (t) => {
  const flow = await guest.startDownload(4, 3_000_000, 1_500_000);
  // Once, at no moment in particular: survive-labels-*.e2e.ts do it at every step.
  await pause(300);
  await agent.kill();
  const atKill = await guest.flow(flow);
  await until('the flow to move while the agent is dead', 3_000, async () => {
    const now = await guest.flow(flow);
    return now.isDone || now.bytes > atKill.bytes;
  });
  const backMs = await agent.start();
  t.ok(backMs < MOST_RESTART_MS, `back after ${Math.round(backMs)} ms`);
  t.match(await guest.finish(flow, 20_000), { isIntact: true, bytes: 3_000_000 });
});

t.test('after the restarts the meter still equals the wire, and the credit is whole', async (t) => {
  const { passed, metered } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
  const session = await agent.sessionOf(guest.mac);
  t.equal(session.creditUnits, 500n + 20_000n);
  t.equal(session.bytesRemaining, PAID_BYTES - passed);
});

t.test('while the agent is dead an unpaid guest gets nothing', async (t) => {
  await other.join();
  await agent.kill();
  await knockEverywhere(other);
  t.equal(sumOf(await readBeyond(world.internet, other.host.index)), 0n);
});

t.test('while the agent is dead a paid guest gets what was paid, and not a byte more', async (t) => {
  const flow = await guest.startDownload(6, 40_000_000);
  await until('the flow to stand still at the quota', 20_000, async () => {
    const { bytes, idleMs } = await guest.flow(flow);
    return bytes > 1_000_000 && idleMs > 1_200;
  });
  const { down, up } = await passedBytes(scene, guest);
  t.ok(down + up <= PAID_BYTES, `${PAID_BYTES - down - up} bytes short of the quota`);
  t.ok(PAID_BYTES - down - up < 1_500n);
  await guest.hand.call('abort', { flow });
});

t.test('the agent takes up where it was killed, and a top-up serves again', async (t) => {
  await agent.start();
  const before = await passedBytes(scene, guest);
  t.ok(before.down + before.up <= PAID_BYTES);
  await guest.topUp(5n);
  t.match(await guest.download(4, 2_000_000), { isIntact: true, bytes: 2_000_000 });
  const { passed, metered } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
});
