import t from 'tap';
import { createOwnerDesk, extendSession, type OwnerDeps } from '../../../agent/owner/owner.ts';
import { AgentScene, NODE, settled } from '../../support/agent-scene.ts';
import { PHONE, PHONE_IP, testConfig, WLAN0 } from '../core/support/story.ts';

function ownerOf(scene: AgentScene, change: Partial<OwnerDeps> = {}) {
  const { driver, journal, clock } = scene;
  const notSelling = () => scene.notSelling;
  return createOwnerDesk({
    version: '1.2.3',
    driver,
    journal,
    clock,
    node: NODE,
    notSelling,
    isBusConnected: () => true,
    ...change,
  });
}

async function served(): Promise<AgentScene> {
  const scene = new AgentScene();
  const result = await scene.desk.open(PHONE, scene.openRequest());
  if (!result.ok) throw new Error(result.reason);
  scene.download(10_000_000n);
  await scene.sample();
  return scene;
}

t.test('the status sums up who is on and what was earned', async (t) => {
  const scene = await served();
  const owner = ownerOf(scene);
  scene.clock.ms += 5_000;
  await scene.proofs.closeInterval();
  t.strictSame(owner.status(), {
    version: '1.2.3',
    uptimeMs: 5_000,
    ...NODE,
    sessions: 1,
    openChannels: 1,
    earnedUnits: 150n,
    settledUnits: 0n,
    gasWei: 21_000n,
    openFeeUnits: 50n,
    downBytes: 10_000_000n,
    upBytes: 0n,
    proofs: { closed: 1, acknowledged: 0, waiting: 1 },
    isBusConnected: true,
    isClockSynced: true,
    health: [
      { check: 'clock', ok: true, message: 'set by time synchronisation' },
      { check: 'bus', ok: true, message: 'ubus is heard' },
      { check: 'proofs', ok: true, message: 'signed and stored' },
    ],
  });
  t.match(owner.sessions(), [{ id: 1, macs: [PHONE], addresses: [PHONE_IP], phase: 'active', chargedUnits: 150n }]);
  t.match(owner.channels(), [{ phase: 'active', deposit: 10_000n }]);
  t.equal(owner.proofs(10).length, 1);
});

t.test('why nothing is sold, and why no proof is signed, is in the status', async (t) => {
  const scene = await served();
  scene.notSelling = 'no uplink';
  const owner = ownerOf(scene, { proofsHeld: 'the journal was damaged' });
  t.match(owner.status(), { notSelling: 'no uplink', proofs: { held: 'the journal was damaged' } });
  scene.journal.failure = new Error('disk full');
  await t.rejects(scene.driver.commit([{ kind: 'session-forgotten', sessionId: 9 }]));
  t.match(owner.status().notSelling, /journal cannot be written: disk full/);
});

t.test('the owner ends a session: it is stopped, claimed and settled', async (t) => {
  const scene = await served();
  const owner = ownerOf(scene);
  t.equal(await owner.endSession(1), true);
  await settled();
  t.match(owner.status(), { sessions: 0, openChannels: 0, earnedUnits: 0n, settledUnits: 150n });
  t.equal(await owner.endSession(1), false);
  t.equal(await owner.endSession(77), false);
});

t.test('a clock that is not set is a reason of not selling, and has its own line of health', async (t) => {
  const scene = await served();
  scene.clock.isSynced = false;
  const status = ownerOf(scene, { isBusConnected: () => false, proofsHeld: 'the journal was damaged' }).status();
  t.match(status.notSelling, /the clock is not set yet.*wait for time synchronisation/);
  t.match(status.health, [
    { check: 'sale', ok: false, message: /the clock is not set yet/, fix: 'wait for time synchronisation (NTP)' },
    { check: 'clock', ok: false, fix: /Enable NTP/ },
    { check: 'bus', ok: false, fix: /ubusd/ },
    { check: 'proofs', ok: false, message: /the journal was damaged/ },
  ]);
  scene.notSelling = 'no uplink';
  t.match(ownerOf(scene).status(), { notSelling: 'no uplink', health: [{ message: 'no uplink', fix: /doctor/ }] });
});

t.test('bytes that the owner gives are in kernel and journal when the call is done', async (t) => {
  const scene = await served();
  const config = testConfig((usual) => ({ ...usual, price: { ...usual.price, giftBytesPerDay: 5_500_000n } }));
  const give = (id: number, bytes: bigint) => extendSession({ ...scene, config }, id, bytes);
  t.same(await give(1, 5_000_000n), { kind: 'given' });
  t.match(scene.journal.load().sessions, [{ session: { trialBytes: 5_000_000n } }]);
  t.equal(scene.download(500_000_000n), 95_000_000n);
  t.match(scene.journal.load().gifts, { bytes: 5_000_000n });
  t.same(await give(1, 500_001n), { kind: 'used-up', leftBytes: 500_000n }, 'the day has a bound');
  t.same(await give(9, 1n), { kind: 'not-found' });
  await ownerOf(scene).endSession(1);
  t.same(await give(1, 1n), { kind: 'not-found' });
});

t.test('a channel whose deposit went away again has a line of health', async (t) => {
  const scene = new AgentScene();
  scene.driver.dispatch({ kind: 'station-joined', mac: PHONE, port: WLAN0 });
  const request = scene.openRequest();
  const { channelId } = request.voucher;
  await scene.desk.open(PHONE, request);
  const checks = () =>
    ownerOf(scene)
      .status()
      .health?.map(({ check }) => check);
  t.notOk(checks()?.includes('deposits'));
  const seen = { deposit: 0n, claimed: 0n, exitAt: 0n, isClosed: false };
  scene.driver.dispatch({ kind: 'channel-seen', channelId, seen });
  t.match(
    ownerOf(scene)
      .status()
      .health?.find(({ check }) => check === 'deposits'),
    { ok: false, message: new RegExp(channelId) },
  );
});
