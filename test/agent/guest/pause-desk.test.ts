/** Pause and resume at the real desk, over HTTP, with a kernel and a journal that outlive the agent. */
import t from 'tap';
import { byGuest, cafe } from '../../captive-portal/support/cafe.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { PHONE } from '../core/support/story.ts';

async function paying() {
  const scene = new AgentScene();
  const opened = await scene.desk.open(PHONE, scene.openRequest());
  if (!opened.ok) throw new Error(`open refused: ${opened.reason}`);
  const { app } = await cafe({
    pause: () => scene.desk.pause(PHONE),
    resume: () => scene.desk.resume(PHONE),
  });
  const post = async (what: 'pause' | 'resume') => (await app.inject(byGuest('POST', `/api/${what}`))).json();
  return { scene, post };
}

t.test('while it is paused the kernel passes nothing, also after a restart; then the guest goes on', async (t) => {
  const { scene, post } = await paying();
  t.equal(scene.download(1_000n), 1_000n);
  t.match(await post('pause'), { isPaused: true, isOnline: false, phase: 'active' });
  t.equal(scene.download(1_000n), 0n);
  scene.restart();
  await scene.driver.reconciled();
  t.equal(scene.download(1_000n), 0n);
  t.match(await post('pause'), { isPaused: true }, 'again changes nothing');
  t.match(await post('resume'), { isPaused: false, isOnline: true });
  t.equal(scene.download(1_000n), 1_000n);
  await scene.sample();
  t.equal(scene.desk.view(PHONE).downBytes, 2_000n, 'what passed before the pause is not lost and not counted twice');
  scene.restart();
  await scene.driver.reconciled();
  t.equal(scene.download(1_000n), 1_000n, 'going on is kept as well');
});

t.test('without a paid session, or with a journal that fails, the guest hears so', async (t) => {
  const { scene, post } = await paying();
  scene.journal.failure = new Error('disk full');
  t.match(await post('pause'), { status: 503, reason: 'not-selling' });
  scene.journal.failure = undefined;
  await settled();
  await scene.desk.leave(PHONE);
  t.match(await post('pause'), { status: 403, reason: 'unknown-guest' });
});
