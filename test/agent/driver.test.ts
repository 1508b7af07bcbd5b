import { mock } from 'node:test';
import t from 'tap';
import type { Hex } from '../../protocol/hex.ts';
import { AgentScene, settled } from '../support/agent-scene.ts';
import { PHONE, PHONE_IP, testChannel, testVoucher, WLAN0 } from './core/support/story.ts';

const ID: Hex = testChannel().id;

async function paid(scene: AgentScene): Promise<void> {
  scene.driver.dispatch({ kind: 'station-joined', mac: PHONE, port: WLAN0 });
  scene.driver.dispatch({ kind: 'channel-opening', mac: PHONE, channel: testChannel() });
  scene.driver.dispatch({ kind: 'channel-confirmed', channelId: ID, deposit: 10_000n });
  await scene.driver.reconciled();
}

t.test('the changes of one turn share one reconcile', async (t) => {
  const scene = new AgentScene();
  await paid(scene);
  t.equal(scene.enforcer.plans.length, 1);
  t.equal(scene.enforcer.plans[0]?.grants[0]?.limitBytes, 100_000_000n);
});

t.test('a change during a reconcile gets a reconcile of its own before reconciled() resolves', async (t) => {
  const scene = new AgentScene();
  await paid(scene);
  const under = scene.driver.reconciled();
  await Promise.resolve();
  await Promise.resolve();
  scene.driver.dispatch({ kind: 'vouchers-stored', vouchers: [testVoucher(2_050n)] });
  await Promise.all([under, scene.driver.reconciled()]);
  t.equal(scene.enforcer.installed.get(1)?.limit, 200_000_000n);
});

t.test('no change is lost, at whichever turn of a running reconcile it comes', async (t) => {
  for (let turns = 0; turns < 20; turns++) {
    const scene = new AgentScene();
    await paid(scene);
    void scene.driver.reconciled();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    scene.driver.dispatch({ kind: 'vouchers-stored', vouchers: [testVoucher(2_050n)] });
    await scene.driver.reconciled();
    t.equal(scene.enforcer.installed.get(1)?.limit, 200_000_000n, `after ${turns} turns`);
  }
});

t.test('a kernel that refuses is said as trouble and tried again after a second, by one timer only', async (t) => {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  t.teardown(() => mock.timers.reset());
  const scene = new AgentScene();
  const isReconcile = (call: string) => call === 'enforcer.reconcile';
  scene.line.failAt(1, 'refused', isReconcile);
  await t.rejects(paid(scene), /packet filter cannot be changed: nft: no/);
  t.match(scene.driver.trouble, /packet filter/);
  scene.line.failAt(1, 'refused', isReconcile);
  await t.rejects(scene.driver.reconciled());
  t.equal(scene.enforcer.plans.length, 0);
  await scene.advance(1_000);
  t.equal(scene.enforcer.plans.length, 1);
  t.equal(scene.driver.trouble, undefined);
  await scene.advance(10_000);
  t.equal(scene.enforcer.plans.length, 1, 'both refusals together led to one retry');
});

t.test('a channel and its ended session are stored in one transaction', async (t) => {
  const scene = new AgentScene();
  await paid(scene);
  await settled();
  scene.journal.commits.length = 0;
  scene.driver.dispatch({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  await settled();
  const first = scene.journal.commits[0] ?? [];
  t.strictSame(first.map(({ kind }) => kind).sort(), ['channel', 'session']);
  t.match(
    first.find(({ kind }) => kind === 'session'),
    { session: { ended: 'guest-left' } },
  );
});

t.test('a close is sent only after its channel and the usage it claims are durable', async (t) => {
  const scene = new AgentScene();
  await paid(scene);
  scene.enforcer.carry(1, 5_000_000n, `down:${PHONE_IP}`);
  let stored: unknown;
  scene.chain.onClose = () => {
    const { channels, sessions } = scene.journal.load();
    stored = [channels[0]?.phase, sessions[0]?.session.ended, sessions[0]?.session.usage.downBytes];
  };
  scene.driver.dispatch({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  await settled();
  t.strictSame(stored, ['closing', 'guest-left', 5_000_000n]);
});

t.test('a close that cannot be stored is not sent, and tried again later', async (t) => {
  const scene = new AgentScene();
  await paid(scene);
  await settled();
  scene.journal.failure = new Error('disk full');
  scene.driver.dispatch({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  await settled();
  t.notOk(scene.line.calls.includes('chain.close'));
  t.match(scene.driver.trouble, /journal cannot be written: disk full/);
  t.equal(scene.driver.state.channels.get(ID)?.closeAttempts, 1);
  scene.journal.failure = undefined;
  scene.clock.ms += 10_000;
  await scene.sample();
  t.ok(scene.line.calls.includes('chain.close'));
  t.equal(scene.driver.trouble, undefined);
});

t.test('a broken journal is fatal, a full one is not', async (t) => {
  const scene = new AgentScene();
  for (const code of ['JOURNAL_FULL', 'JOURNAL_REFUSED', 'JOURNAL_IO', 'JOURNAL_FAILED']) {
    scene.journal.failure = Object.assign(new Error(code), { code });
    await t.rejects(scene.driver.commit([{ kind: 'session-forgotten', sessionId: 1 }]), { message: code });
  }
  t.strictSame(
    scene.fatal.map((cause) => (cause as Error).message),
    ['JOURNAL_IO', 'JOURNAL_FAILED'],
  );
});

t.test('close() writes usage that is newer than the journal, also what a last reconcile brought', async (t) => {
  const scene = new AgentScene();
  await paid(scene);
  await settled();
  scene.enforcer.carry(1, 5_000n, `down:${PHONE_IP}`);
  await scene.sample();
  t.equal(scene.journal.load().sessions[0]?.session.usage.downBytes, 0n);
  await scene.driver.close();
  t.equal(scene.journal.load().sessions[0]?.session.usage.downBytes, 5_000n);
  scene.driver.dispatch({ kind: 'vouchers-stored', vouchers: [testVoucher(2_050n)] });
  await settled();
  t.equal(scene.enforcer.installed.get(1)?.limit, 100_000_000n, 'nothing is done after close()');
});

t.test(
  'close() does not wait for the retry of a kernel that refused, and a failing journal does not stop it',
  async (t) => {
    const scene = new AgentScene();
    scene.line.failAt(1, 'refused', (call) => call === 'enforcer.reconcile');
    await t.rejects(paid(scene));
    scene.journal.failure = new Error('disk full');
    await scene.driver.close();
    t.ok(scene.events().includes('journal-commit-failed'));
  },
);

t.test('a watcher that throws does not stop the others, nor the event', async (t) => {
  const scene = new AgentScene();
  let calls = 0;
  const stop = scene.driver.watch(PHONE, () => {
    throw new Error('page gone');
  });
  const stopOther = scene.driver.watch(PHONE, () => void calls++);
  await paid(scene);
  t.ok(calls > 0);
  t.ok(scene.events().includes('watcher-failed'));
  stop();
  stopOther();
  const before = calls;
  scene.driver.dispatch({ kind: 'session-left', sessionId: 1, reason: 'owner' });
  await settled();
  t.equal(calls, before);
});
