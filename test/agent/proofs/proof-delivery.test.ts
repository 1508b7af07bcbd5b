/** Proofs over a bad uplink: a real collector's answers in memory, an agent that dies, a journal out of a backup. */
import t from 'tap';
import { isClockCorrectionSigned } from '../../../protocol/clock-statement.ts';
import {
  GENESIS_PREV,
  type SignedTrafficProof,
  trafficProofDigestHex,
  trafficProofSigner,
} from '../../../protocol/traffic-proof.ts';
import { AgentScene, NODE, settled } from '../../support/agent-scene.ts';
import { FakeCollector } from '../../support/fake-collector.ts';
import { PHONE } from '../core/support/story.ts';

const DAY_MS = 86_400_000;

async function paying(scene: AgentScene): Promise<AgentScene> {
  const result = await scene.desk.open(PHONE, scene.openRequest());
  if (!result.ok) throw new Error(result.reason);
  return scene;
}

/** The guest uses a million bytes, and the interval ends. */
async function interval(scene: AgentScene, ms = 60_000): Promise<void> {
  scene.download(1_000_000n);
  await scene.sample();
  await pass(scene, ms);
}

async function pass(scene: AgentScene, ms: number): Promise<void> {
  scene.clock.ms += ms;
  scene.proofs.poll();
  await settled();
  await settled();
}

function isChained(scene: AgentScene, chain: readonly SignedTrafficProof[]): boolean {
  const { chainId, registry } = scene.config.chain;
  return chain.every((proof, i) => {
    const before = chain[i - 1];
    const prev = before === undefined ? proof.prev : trafficProofDigestHex({ chainId, registry }, before);
    const isSigned = trafficProofSigner({ chainId, registry }, proof) === NODE.device;
    return isSigned && proof.prev === prev && (before === undefined || proof.seq === before.seq + 1n);
  });
}

const bytesOf = (chain: readonly SignedTrafficProof[]) => chain.reduce((sum, { bytesDown }) => sum + bytesDown, 0n);

t.test('nothing is signed after a start until the collector has said how far the chain goes', async (t) => {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  collector.isAway = true;
  await paying(scene);
  await interval(scene);
  t.equal(scene.journal.proofs(9).length, 0);
  t.match(scene.journal.waiting(), { drafts: 1, signed: 0 });
  collector.isAway = false;
  await pass(scene, 60_000);
  t.match(scene.journal.waiting(), { drafts: 0, signed: 0 });
  t.equal(collector.taken.size, 1);
});

t.test('24 hours without a network: a budget of flash is kept, and all bytes arrive once, in order', async (t) => {
  const budget = 12_000;
  const scene = new AgentScene((config) => ({ ...config, proofs: { ...config.proofs, budgetBytes: BigInt(budget) } }));
  const collector = new FakeCollector(scene);
  await paying(scene);
  await interval(scene);
  collector.isAway = true;
  for (let round = 0; round < 143; round++) {
    scene.download(500_000n);
    await scene.sample();
    await pass(scene, DAY_MS / 144);
    const { signedBytes, draftBytes } = scene.journal.waiting();
    if (signedBytes + draftBytes > budget) t.fail(`round ${round}: ${signedBytes + draftBytes} bytes wait`);
  }
  t.ok(scene.events().includes('intervals-merged'));
  t.notOk(scene.events().includes('proofs-over-budget'));
  scene.restart();
  collector.isAway = false;
  collector.lostAnswers = 3;
  for (let tries = 0; tries < 8; tries++) await pass(scene, 60_000);
  t.match(scene.journal.waiting(), { drafts: 0, signed: 0 });
  t.equal(
    bytesOf(collector.chain),
    [...scene.enforcer.passed.values()].reduce((sum, bytes) => sum + bytes, 0n),
  );
  t.ok(isChained(scene, collector.chain), 'one chain, each signed by the device');
  t.notOk(scene.events().includes('proof-contradicted'));
});

t.test(
  'a journal out of an old backup: the chain goes on after what the collector has, and nothing is signed twice',
  async (t) => {
    const scene = new AgentScene();
    const collector = new FakeCollector(scene);
    await paying(scene);
    await interval(scene);
    const backup = scene.journal.copy();
    await interval(scene);
    await interval(scene);
    t.equal(collector.chain.length, 3);
    const restored = new AgentScene();
    restored.journal.replay(backup.commits);
    restored.clock.ms = scene.clock.ms;
    restored.clock.unixS = scene.clock.unixS;
    collector.plugIn(restored);
    await restored.driver.reconciled();
    await interval(restored);
    await interval(restored);
    t.ok(restored.events().includes('chain-forked'));
    t.notOk(restored.events().includes('proof-contradicted'));
    t.ok(isChained(restored, collector.chain), 'one chain');
    t.ok(collector.chain.length > 3);
    const epochs = collector.chain.map(({ epoch }) => epoch);
    t.ok((epochs[3] ?? 0n) > (epochs[2] ?? 0n), 'in an epoch that the other life has signed nothing for');
    restored.restart();
    await interval(restored);
    await interval(restored);
    t.equal(restored.events().filter((event) => event === 'chain-forked').length, 1, 'and it stays so');
    t.equal(collector.chain.at(-1)?.epoch, epochs[3]);
  },
);

t.test('an emptied journal goes on with the chain as well, instead of holding proofs for ever', async (t) => {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  await paying(scene);
  await interval(scene);
  const after = new AgentScene();
  after.heldBecause = 'the journal was damaged';
  after.clock.ms = scene.clock.ms;
  after.clock.unixS = scene.clock.unixS;
  collector.plugIn(after);
  t.equal(after.proofs.held, 'the journal was damaged');
  await paying(after);
  await interval(after);
  t.equal(after.proofs.held, undefined);
  await interval(after);
  t.ok(collector.chain.length >= 2);
  t.ok(isChained(after, collector.chain));
});

t.test('two lives of one key at once: the second proof of a number is told, and the next start goes on', async (t) => {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  await paying(scene);
  await interval(scene);
  const clone = new AgentScene();
  clone.journal.replay(scene.journal.commits);
  collector.plugIn(clone);
  await clone.driver.reconciled();
  await interval(clone);
  await interval(clone);
  t.equal(collector.chain.length, 3);
  await interval(scene);
  t.ok(scene.events().includes('proof-contradicted'), 'evidence of the clone is with the collector');
  scene.restart();
  await scene.driver.reconciled();
  await interval(scene);
  await interval(scene);
  t.ok(scene.events().includes('chain-forked'));
  t.ok(collector.chain.length > 3);
  t.ok(isChained(scene, collector.chain));
});

t.test('an unset clock: seconds of this run, marked so, and corrected once the time is known', async (t) => {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  await paying(scene);
  scene.clock.isSynced = false;
  scene.clock.unixS = 86_400n;
  await interval(scene);
  await interval(scene);
  t.strictSame(
    collector.chain.map(({ clockState }) => clockState),
    [0n, 0n],
  );
  t.ok(collector.chain.every(({ startS, endS }) => startS <= endS && endS < 1_000n));
  const setS = 1_795_400_000n;
  scene.clock.unixS = setS;
  scene.clock.isSynced = true;
  await interval(scene);
  const [correction] = collector.corrections;
  t.match(correction, { fromSeq: 0n, toSeq: 1n, bootS: setS });
  const { chainId, registry } = scene.config.chain;
  t.ok(correction !== undefined && isClockCorrectionSigned({ chainId, registry }, correction));
  t.equal(collector.corrections.length, 1);
  t.equal(collector.chain.at(-1)?.clockState, 1n);
});

t.test("a clock ten years off is found out by the collector's statement, and not signed for", async (t) => {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  const trueS = scene.clock.unixS;
  collector.timeS = trueS;
  scene.clock.unixS = trueS + 10n * 365n * 86_400n;
  await paying(scene);
  await interval(scene);
  await interval(scene);
  t.ok(collector.chain.length > 0);
  t.strictSame([...new Set(collector.chain.map(({ clockState }) => clockState))], [0n]);
  t.ok(
    collector.chain.every(({ epoch }) => epoch <= trueS / 604_800n + 1n),
    'no epoch of another decade',
  );
  t.equal(collector.corrections[0]?.fromSeq, 0n);
  t.not(collector.corrections[0]?.statement, GENESIS_PREV, 'it names the statement');
});

t.test('an unset clock is put right before anything is signed when the collector tells the time', async (t) => {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  await paying(scene);
  collector.timeS = scene.clock.unixS;
  scene.clock.isSynced = false;
  scene.clock.unixS = 5n;
  await interval(scene);
  t.match(collector.chain, [{ clockState: 1n }]);
  const age = (collector.timeS ?? 0n) - (collector.chain[0]?.endS ?? 0n);
  t.ok(age > -120n && age < 120n, `${age} s`);
});

t.test('a flash that is full loses nothing: what could not be stored is in the next interval', async (t) => {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  await paying(scene);
  await interval(scene);
  scene.journal.failure = Object.assign(new Error('full'), { code: 'JOURNAL_FULL' });
  await interval(scene);
  await interval(scene);
  scene.journal.failure = undefined;
  await interval(scene);
  await pass(scene, 600_000);
  t.equal(bytesOf(collector.chain), 4_000_000n);
  t.ok(isChained(scene, collector.chain));
});
