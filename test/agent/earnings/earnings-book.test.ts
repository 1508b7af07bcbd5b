import t from 'tap';
import type { WeekReward } from '../../../agent/earnings/earnings.ts';
import { createEarningsBook } from '../../../agent/earnings/earnings-book.ts';
import { followEarnings } from '../../../agent/earnings/follow-earnings.ts';
import { EPOCH_S } from '../../../protocol/rewards.ts';
import { AgentScene } from '../../support/agent-scene.ts';
import { PHONE } from '../core/support/story.ts';

const DEVICE = `0x${'d1'.repeat(20)}` as const;

function bookOf(scene: AgentScene, weeks: readonly WeekReward[] = []) {
  return createEarningsBook({
    ...scene,
    driver: scene.driver,
    proofsHeld: () => scene.heldBecause,
    weeks: () => weeks,
  });
}

/** A paid channel over which `bytes` went down. */
async function busy(bytes: bigint): Promise<AgentScene> {
  const scene = new AgentScene();
  const result = await scene.desk.open(PHONE, scene.openRequest());
  if (!result.ok) throw new Error(result.reason);
  scene.download(bytes);
  await scene.sample();
  return scene;
}

t.test('a byte is open, then waiting; what the session charged is on it', async (t) => {
  const scene = await busy(10_000_000n);
  const open = bookOf(scene)(1);
  t.match(open.days, [{ meteredBytes: 10_000_000n, provenBytes: 0n, losses: [{ reason: 'open-interval' }] }]);
  t.match(open.sessions, [{ meteredBytes: 10_000_000n, openBytes: 10_000_000n, unsignedBytes: 0n, waitingBytes: 0n }]);
  await scene.proofs.closeInterval();
  const [day] = bookOf(scene)(1).days;
  const [session] = bookOf(scene)(1).sessions;
  if (day === undefined || session === undefined) throw new Error('no report');
  t.equal(day.meteredBytes, 10_000_000n);
  t.match(day.losses, [
    { reason: scene.journal.proofs(1).length === 1 ? 'waiting' : 'not-signed', bytes: 10_000_000n },
  ]);
  t.equal(session.openBytes, 0n);
  t.equal(session.unsignedBytes + session.waitingBytes, 10_000_000n);
  t.equal(session.judgedBytes, 0n);
  t.ok(session.chargedUnits > 0n);
  t.equal(day.paidUnits, session.chargedUnits);
});

t.test('a trial is metered and free', async (t) => {
  const scene = new AgentScene();
  await scene.desk.startTrial(PHONE);
  scene.download(300_000n);
  await scene.sample();
  const { days, sessions } = bookOf(scene)(1);
  t.match(days, [
    { meteredBytes: 300_000n, paidBytes: 0n, losses: [{ before: 'paid', reason: 'free', bytes: 300_000n }] },
  ]);
  t.match(sessions, [{ meteredBytes: 300_000n, freeBytes: 300_000n, openBytes: 0n, chargedUnits: 0n }]);
});

t.test('weeks come from the reward watch, the reason for holding from the owner', async (t) => {
  const scene = await busy(1_000n);
  scene.heldBecause = 'journal damaged';
  const week = { epoch: scene.clock.wall().unixS / EPOCH_S, claimedUnits: 9n, rewardUnits: 1n, state: 'paid' } as const;
  const report = bookOf(scene, [week])(1);
  t.match(report, { weeks: [week], heldBecause: 'journal damaged', days: [{ losses: [{ reason: 'held' }] }] });
  const opened: { name: string; close: () => unknown }[] = [];
  const chain = {
    rewardWeeks: () => Promise.reject(new Error('not asked at the start')),
    claimRewards: () => Promise.reject(new Error('not asked at the start')),
  };
  const owner = { status: () => ({ proofs: { held: 'as the owner is told' } }) as never };
  const { weeks, earnings } = followEarnings(
    { ...scene, driver: scene.driver, log: scene.log, chain, device: DEVICE, owner },
    opened,
  );
  t.same(weeks(), []);
  t.equal(earnings(1).heldBecause, 'as the owner is told');
  for (const { close } of opened) close();
});
