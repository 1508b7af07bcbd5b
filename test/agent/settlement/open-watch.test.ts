/** Deposits that nobody told of: pulled by the payer, mined after the router gave up, never come. */
import t from 'tap';
import type { AnyOpenRequest } from '../../../protocol/open-wire.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { NOW_S, PHONE } from '../core/support/story.ts';

const MINUTE_MS = 60_000;
const deposited = (deposit: bigint) => ({ deposit, claimed: 0n, exitAt: 0n, isClosed: false });

function pulled(scene: AgentScene): AnyOpenRequest {
  const { authorization: _, ...terms } = scene.openRequest();
  return { ...terms, pull: true };
}

async function pass(scene: AgentScene, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    scene.clock.ms += MINUTE_MS;
    await scene.opens.lookUp();
    await settled();
  }
}

t.test('a payer with a wallet of its own is waited for, and served once the chain has the deposit', async (t) => {
  const scene = new AgentScene();
  const request = pulled(scene);
  t.match(await scene.desk.open(PHONE, request), { ok: true, view: { phase: 'pending', creditUnits: 0n } });
  t.notOk(scene.line.calls.includes('chain.relayOpen'), 'nothing is relayed');
  await pass(scene, 10);
  t.equal(scene.desk.view(PHONE).phase, 'pending', 'a person needs its time');
  scene.chain.channels.set(request.voucher.channelId, deposited(10_000n));
  await scene.opens.lookUp();
  t.match(scene.desk.view(PHONE), { phase: 'active', creditUnits: 1_050n, depositUnits: 10_000n });
});

t.test('one that puts less into the channel than it has promised is not served', async (t) => {
  const scene = new AgentScene();
  const request = pulled(scene);
  await scene.desk.open(PHONE, request);
  scene.chain.channels.set(request.voucher.channelId, deposited(1_049n));
  await scene.opens.lookUp();
  t.equal(scene.desk.view(PHONE).phase, 'pending');
});

t.test(
  'a deposit that its payer has begun to take back, or that is below the minimum, begins no session',
  async (t) => {
    for (const seen of [{ ...deposited(10_000n), exitAt: NOW_S + 600n }, deposited(1_050n)]) {
      const scene = new AgentScene((config) => ({ ...config, price: { ...config.price, minDeposit: 1_051n } }));
      const request = pulled(scene);
      await scene.desk.open(PHONE, request);
      scene.chain.channels.set(request.voucher.channelId, seen);
      await scene.opens.lookUp();
      t.match(scene.desk.view(PHONE), { phase: 'pending', creditUnits: 0n });
    }
  },
);

t.test('one that was served and rolled back goes on though its payer leaves: it is closed, and paid', async (t) => {
  const scene = new AgentScene();
  const request = pulled(scene);
  const channelId = request.voucher.channelId;
  await scene.desk.open(PHONE, request);
  scene.chain.channels.set(channelId, deposited(10_000n));
  await scene.opens.lookUp();
  scene.driver.dispatch({ kind: 'channel-seen', channelId, seen: deposited(0n) });
  t.equal(scene.desk.view(PHONE).phase, 'pending');
  scene.chain.channels.set(channelId, { ...deposited(10_000n), exitAt: NOW_S + 600n });
  await scene.opens.lookUp();
  t.equal(scene.desk.view(PHONE).phase, 'active');
});

t.test('who never pays is given up, and forgotten an hour later', async (t) => {
  const scene = new AgentScene();
  const { voucher } = pulled(scene);
  await scene.desk.open(PHONE, pulled(scene));
  await pass(scene, 16);
  t.equal(scene.driver.state.channels.get(voucher.channelId)?.phase, 'failed');
  t.match(scene.journal.load().channels, [{ phase: 'failed' }]);
  await pass(scene, 61);
  t.equal(scene.driver.state.channels.size, 0);
  t.strictSame(scene.journal.load().channels, []);
});

t.test('one that was given up is not forgotten before its time', async (t) => {
  const scene = new AgentScene();
  const { voucher } = pulled(scene);
  await scene.desk.open(PHONE, pulled(scene));
  await pass(scene, 16);
  scene.driver.dispatch({ kind: 'channel-failed', channelId: voucher.channelId });
  t.equal(scene.driver.state.channels.get(voucher.channelId)?.phase, 'failed');
});

t.test('a deposit that comes after all is given back less the open fee', async (t) => {
  const scene = new AgentScene();
  const { voucher } = pulled(scene);
  await scene.desk.open(PHONE, pulled(scene));
  await pass(scene, 16);
  scene.chain.channels.set(voucher.channelId, deposited(10_000n));
  await pass(scene, 2);
  t.strictSame(scene.chain.claims, [{ id: voucher.channelId, units: 50n }]);
  t.match(scene.chain.channels.get(voucher.channelId), { isClosed: true });
  t.equal(scene.driver.state.channels.get(voucher.channelId)?.phase, 'settled');
  t.ok(scene.events().includes('late-deposit'));
});

t.test('after a restart a failed open is looked at once more before it is forgotten', async (t) => {
  const scene = new AgentScene();
  const { voucher } = pulled(scene);
  await scene.desk.open(PHONE, pulled(scene));
  await pass(scene, 16);
  scene.restart();
  scene.chain.channels.set(voucher.channelId, deposited(10_000n));
  await pass(scene, 1);
  t.strictSame(scene.chain.claims, [{ id: voucher.channelId, units: 50n }]);
  scene.restart();
  await pass(scene, 1);
  t.equal(scene.chain.claims.length, 1);
});

t.test('a guest may ask again for an open that was given up', async (t) => {
  const scene = new AgentScene();
  await scene.desk.open(PHONE, pulled(scene));
  await pass(scene, 16);
  t.match(await scene.desk.open(PHONE, pulled(scene)), { ok: true, view: { phase: 'pending' } });
});

t.test('while the chain is away nothing is given up', async (t) => {
  const scene = new AgentScene();
  await scene.desk.open(PHONE, pulled(scene));
  scene.line.failAt(1, 'refused', (call) => call === 'chain.channel');
  scene.clock.ms += 20 * MINUTE_MS;
  await scene.opens.lookUp();
  t.equal(scene.desk.view(PHONE).phase, 'pending');
});
