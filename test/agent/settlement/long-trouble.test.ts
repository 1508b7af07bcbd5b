/** Long trouble, on an agent between fake edges: the chain away for a day, a clock years ahead, guests who cheat by waiting. */
import t from 'tap';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { NOW_S, PHONE } from '../core/support/story.ts';

const MINUTE_MS = 60_000;
const YEAR_S = 31_536_000n;

async function served(): Promise<{ scene: AgentScene; id: `0x${string}` }> {
  const scene = new AgentScene();
  const request = scene.openRequest();
  const result = await scene.desk.open(PHONE, request);
  if (!result.ok) throw new Error(`open refused: ${result.reason}`);
  return { scene, id: request.voucher.channelId };
}

/** Counters are read once a minute; at least as often as anything is decided here. */
async function pass(scene: AgentScene, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    scene.clock.ms += MINUTE_MS;
    await scene.sample();
  }
}

t.test('the chain is away for a day: the guest who left is settled once it is back, with the same claim', async (t) => {
  const { scene, id } = await served();
  scene.download(10_000_000n);
  await scene.sample();
  let attempts = 0;
  let isAway = true;
  const close = scene.chain.close.bind(scene.chain);
  scene.chain.close = (...asked) => {
    attempts += 1;
    return isAway ? Promise.resolve({ ok: false, reason: 'unreachable', message: 'away' }) : close(...asked);
  };
  await scene.desk.leave(PHONE);
  await settled();
  await pass(scene, 24 * 60);
  t.equal(scene.driver.state.channels.get(id)?.phase, 'closing');
  t.ok(attempts > 100 && attempts < 200, `tried every ten minutes, not ${attempts} times`);
  isAway = false;
  await pass(scene, 11);
  t.equal(scene.driver.state.channels.get(id)?.phase, 'settled');
  t.strictSame(scene.chain.claims, [{ id, units: 150n }]);
});

t.test('a guest who gives no further voucher gets what it paid for and not one packet more', async (t) => {
  const { scene, id } = await served();
  const passed = scene.download(500_000_000n);
  t.ok(passed <= 100_000_000n, `${passed} bytes for 100 MB`);
  await scene.sample();
  await pass(scene, 2);
  t.equal(scene.download(1_000_000n), 0n);
  t.equal(scene.desk.view(PHONE).isOnline, false);
  await scene.desk.leave(PHONE);
  await settled();
  const [claim] = scene.chain.claims;
  t.equal(claim?.id, id);
  t.ok((claim?.units ?? 0n) <= 1_050n, 'never above the voucher');
});

t.test('a clock that jumps years ahead closes channels with what was earned, and loses nothing', async (t) => {
  const { scene, id } = await served();
  scene.download(10_000_000n);
  await scene.sample();
  scene.driver.dispatch({ kind: 'tick', nowS: NOW_S + 10n * YEAR_S });
  await settled();
  t.strictSame(scene.chain.claims, [{ id, units: 150n }], 'as at its expiry: claimed, the rest given back');
  t.equal(scene.driver.state.channels.get(id)?.phase, 'settled');
});

t.test(
  'a guest at two routers with one channel: the second has never heard of it, and sells nothing for it',
  async (t) => {
    const { scene, id } = await served();
    const other = new AgentScene();
    const request = scene.openRequest();
    t.match(await other.desk.voucher(PHONE, scene.voucher(request, 2_000n)), { ok: false, reason: 'unknown-channel' });
    // Its own open, with the same key: another channel, paid for by another deposit.
    const second = other.openRequest({ salt: `0x${'5b'.repeat(32)}` });
    t.not(second.voucher.channelId, id);
    t.match(await other.desk.open(PHONE, second), { ok: true });
    t.match(await scene.desk.voucher(PHONE, other.voucher(second, 2_000n)), { ok: false });
    t.equal(scene.desk.view(PHONE).creditUnits, 1_050n, 'nothing carries over');
  },
);
