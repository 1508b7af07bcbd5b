/** A router whose clock stands at 1970 after a restart: it serves, sells by the time of the chain, and signs nothing false. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';

const CLOCK_1970 = fileURLToPath(new URL('../lab/clock-1970.ts', import.meta.url));
const scene = await openTestScene({ options: { proofs: { interval: '2s' } } });
const { guest, other, agent } = scene;
await Promise.all([guest.join(), other.join()]);
await guest.buy(10n);
await guest.download(4, 500_000);
await agent.kill();
await agent.start({ NODE_OPTIONS: `--import=${CLOCK_1970}` });

t.test('a guest with credit surfs on, is metered to the byte, and can top up', async (t) => {
  t.equal((await agent.status()).isClockSynced, false);
  t.match(await guest.download(6, 1_000_000), { isIntact: true });
  const view = await guest.topUp(1n);
  t.equal(view.creditUnits, 500n + 11_000n);
  const { metered, passed } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
});

t.test('a new guest is sold to by the time of the chain; the own clock still counts as not known', async (t) => {
  await other.buy(1n);
  t.equal(await other.reaches(4), true);
  t.equal((await agent.status()).isClockSynced, false);
});

t.test('proofs of that time are dated by the collector’s signed clock, and count', async (t) => {
  const proof = await until('a proof closed after the restart', 15_000, async () =>
    (await agent.proofs()).find(({ receipt, proof: { seq } }) => receipt?.verdict === 'valid' && seq > 0n),
  );
  t.ok(Math.abs(Number(proof.proof.endS) - Date.now() / 1_000) < 600, `dated ${proof.proof.endS}`);
  t.notOk(
    (await agent.proofs()).some(({ proof: { startS } }) => startS < 1_000_000n),
    'none is dated 1970',
  );
});

t.test('once the clock is right again all goes on', async (t) => {
  await agent.kill();
  await agent.start();
  await other.topUp(1n);
  t.equal(await other.reaches(4), true);
  t.match(await guest.download(4, 500_000), { isIntact: true });
  const { metered, passed } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
});
