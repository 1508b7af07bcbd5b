import { mock } from 'node:test';
import t from 'tap';
import { FreeBytes } from '../../../agent/earnings/free-bytes.ts';
import { AgentScene } from '../../support/agent-scene.ts';
import { PHONE } from '../core/support/story.ts';

const DAY_S = 86_400n;

async function trial(scene: AgentScene, bytes: bigint): Promise<void> {
  const result = await scene.desk.startTrial(PHONE);
  if (!result.ok) throw new Error(result.reason);
  scene.download(bytes);
  await scene.sample();
}

t.test('a trial that has ended is still of today; tomorrow it is not', async (t) => {
  const scene = new AgentScene();
  const free = new FreeBytes(scene);
  await trial(scene, 300_000n);
  t.equal(free.today(), 300_000n);
  t.equal(free.today(), 300_000n, 'looked at twice, counted once');
  await scene.desk.leave(PHONE);
  t.equal(scene.driver.state.sessions.size, 0, 'the state has forgotten it');
  t.equal(free.today(), 300_000n);
  scene.clock.unixS += DAY_S;
  t.equal(free.today(), 0n);
});

t.test('a trial over midnight counts for each day what passed in it', async (t) => {
  const scene = new AgentScene();
  const free = new FreeBytes(scene);
  await trial(scene, 300_000n);
  t.equal(free.today(), 300_000n);
  scene.clock.unixS += DAY_S;
  t.equal(free.today(), 0n);
  scene.download(50_000n);
  await scene.sample();
  t.equal(free.today(), 50_000n);
});

t.test('a trial that becomes a paid session is counted there', async (t) => {
  const scene = new AgentScene();
  const free = new FreeBytes(scene);
  await trial(scene, 300_000n);
  t.equal(free.today(), 300_000n);
  const result = await scene.desk.open(PHONE, scene.openRequest());
  t.ok(result.ok);
  t.equal(free.today(), 0n);
});

t.test('it looks by itself until it is closed', (t) => {
  const scene = new AgentScene();
  let looks = 0;
  const driver = {
    get state() {
      looks += 1;
      return scene.driver.state;
    },
  };
  mock.timers.enable({ apis: ['setInterval'] });
  const free = new FreeBytes({ driver, clock: scene.clock });
  free.start();
  mock.timers.tick(3_000);
  const before = looks;
  t.ok(before >= 3);
  free.close();
  mock.timers.tick(3_000);
  t.equal(looks, before);
  mock.timers.reset();
  t.end();
});
