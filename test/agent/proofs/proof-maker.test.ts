import t from 'tap';
import { GENESIS_PREV, trafficProofSigner } from '../../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../../protocol/traffic-proof-wire.ts';
import { signProofReceipt } from '../../../protocol/verdict.ts';
import { AgentScene, DEVICE_KEY, NODE, settled } from '../../support/agent-scene.ts';
import { PHONE, PHONE_IP } from '../core/support/story.ts';

const COLLECTOR_KEY = new Uint8Array(32).fill(11);

/** A guest with a paid channel that downloaded 10 MB. */
async function busy(scene: AgentScene): Promise<AgentScene> {
  const result = await scene.desk.open(PHONE, scene.openRequest());
  if (!result.ok) throw new Error(result.reason);
  scene.download(10_000_000n);
  await scene.sample();
  return scene;
}

function registry({ config }: AgentScene) {
  return { chainId: config.chain.chainId, registry: config.chain.registry };
}

/** Accepts everything, as the collector does; keeps what it got. */
function collector(scene: AgentScene) {
  const bodies: Uint8Array[] = [];
  const state = { bodies, isAway: false };
  scene.uploader = {
    upload: (body) => {
      if (state.isAway) return Promise.resolve({ ok: false, message: 'no route' });
      bodies.push(body);
      const { digest } = scene.journal.outbox(1)[0] ?? { digest: GENESIS_PREV };
      const receipt = { collector: NODE.device, proof: digest, verdict: 'valid' as const, receivedS: 1n };
      return Promise.resolve({ ok: true, receipt: signProofReceipt(registry(scene), receipt, COLLECTOR_KEY) });
    },
  };
  scene.restart();
  return state;
}

t.test('proofs form a chain: seq goes up by one, prev is the digest before, the device signs', async (t) => {
  const scene = await busy(new AgentScene());
  await scene.proofs.closeInterval();
  scene.download(5_000_000n);
  await scene.sample();
  await scene.proofs.closeInterval();
  const [second, first] = scene.journal.proofs(10);
  t.match(first?.proof, { seq: 0n, prev: GENESIS_PREV, bytesDown: 10_000_000n, paid: 150n });
  t.match(second?.proof, { seq: 1n, prev: first?.digest, bytesDown: 5_000_000n, paid: 50n });
  t.equal(second?.proof.startS, first?.proof.endS);
  t.ok(second && trafficProofSigner(registry(scene), second.proof) === NODE.device);
});

t.test('an interval closes when it is due, and not without anything to prove', async (t) => {
  const scene = new AgentScene();
  scene.clock.ms += 60_000;
  scene.proofs.poll();
  await settled();
  t.equal(scene.journal.proofs(10).length, 0);
  await busy(scene);
  scene.proofs.poll();
  await settled();
  t.equal(scene.journal.proofs(10).length, 1);
  scene.download(1_000_000n);
  await scene.sample();
  scene.proofs.poll();
  await settled();
  t.equal(scene.journal.proofs(10).length, 1, 'the next interval has just begun');
});

t.test('proof and proven marks are one transaction', async (t) => {
  const scene = await busy(new AgentScene());
  await scene.proofs.closeInterval();
  const commit = scene.journal.commits.find((entries) => entries.some(({ kind }) => kind === 'proof')) ?? [];
  t.match(commit, [
    { kind: 'proof' },
    { kind: 'session', session: { proven: { downBytes: 10_000_000n, units: 150n } } },
  ]);
});

t.test(
  'after a failed commit the interval is signed anew under the same number, and only one proof exists',
  async (t) => {
    const scene = await busy(new AgentScene());
    scene.journal.failure = new Error('disk full');
    scene.clock.ms += 60_000;
    scene.proofs.poll();
    await settled();
    t.ok(scene.events().includes('proof-close-failed'));
    t.match(scene.driver.trouble, /journal cannot be written/);
    scene.journal.failure = undefined;
    scene.download(1_000_000n);
    await scene.sample();
    scene.proofs.poll();
    await settled();
    t.equal(scene.journal.proofs(10).length, 0, 'it waits before it signs once more');
    scene.clock.ms += 1_000;
    scene.proofs.poll();
    await settled();
    t.match(
      scene.journal.proofs(10).map(({ proof }) => [proof.seq, proof.bytesDown]),
      [[0n, 11_000_000n]],
    );
  },
);

t.test('a broken journal met by a proof ends the agent', async (t) => {
  const scene = await busy(new AgentScene());
  scene.journal.failure = Object.assign(new Error('EIO'), { code: 'JOURNAL_IO' });
  await t.rejects(scene.proofs.closeInterval(), /EIO/);
  t.equal(scene.fatal.length, 1);
});

t.test('a restarted agent goes on with the chain, and proves nothing twice', async (t) => {
  const scene = await busy(new AgentScene());
  await scene.proofs.closeInterval();
  scene.restart();
  await scene.proofs.closeInterval();
  t.equal(scene.journal.proofs(10).length, 1);
  await scene.driver.reconciled();
  scene.download(1_000_000n);
  await scene.sample();
  await scene.proofs.closeInterval();
  t.match(
    scene.journal.proofs(10).map(({ proof }) => [proof.seq, proof.bytesDown]),
    [
      [1n, 1_000_000n],
      [0n, 10_000_000n],
    ],
  );
});

t.test(
  'usage that is flushed behind a proof on its way to the disk is not proven twice after a power cut',
  async (t) => {
    const scene = await busy(new AgentScene());
    const commit = scene.journal.commit.bind(scene.journal);
    scene.journal.commit = async (entries) => {
      const done = commit(entries);
      if (!entries.some(({ kind }) => kind === 'proof')) return await done;
      scene.journal.commit = commit;
      scene.clock.ms += 60_000;
      scene.download(2_000_000n);
      await scene.sample();
      await done;
    };
    await scene.proofs.closeInterval();
    scene.restart();
    await scene.driver.reconciled();
    await scene.sample();
    await scene.proofs.closeInterval();
    const [session] = scene.driver.state.sessions.values();
    const proven = scene.journal.proofs(9).reduce((sum, { proof }) => sum + proof.bytesDown + proof.bytesUp, 0n);
    t.equal(proven, (session?.usage.downBytes ?? 0n) + (session?.usage.upBytes ?? 0n));
  },
);

t.test('no proof is signed while they are held', async (t) => {
  const scene = new AgentScene();
  scene.heldBecause = 'the journal was damaged';
  scene.restart();
  await busy(scene);
  scene.clock.ms += 600_000;
  scene.proofs.poll();
  await scene.proofs.closeInterval();
  await settled();
  t.equal(scene.journal.proofs(10).length, 0);
  t.equal(scene.driver.trouble, undefined, 'WiFi is sold all the same');
});

t.test('what waits is uploaded oldest first and leaves the outbox on its receipt', async (t) => {
  const scene = new AgentScene();
  const { bodies } = collector(scene);
  await busy(scene);
  await scene.proofs.closeInterval();
  scene.download(1_000_000n);
  await scene.sample();
  await scene.proofs.closeInterval();
  scene.proofs.poll();
  await settled();
  t.strictSame(bodies.map(seqOf), [0n, 1n]);
  t.equal(scene.journal.outbox(10).length, 0);
  t.match(scene.journal.proofs(10), [{ receipt: { verdict: 'valid' } }, { receipt: { verdict: 'valid' } }]);
});

t.test('while the collector is away the waits grow, and nothing is lost', async (t) => {
  const scene = new AgentScene();
  const service = collector(scene);
  service.isAway = true;
  await busy(scene);
  await scene.proofs.closeInterval();
  const waits: unknown[] = [];
  for (let round = 0; round < 100; round++) {
    scene.proofs.poll();
    await settled();
    scene.clock.ms += 100;
  }
  for (const { event, details } of scene.logged) if (event === 'proof-not-uploaded') waits.push(details);
  t.match(waits, [{ retryInMs: 1_000 }, { retryInMs: 2_000 }, { retryInMs: 4_000 }]);
  t.ok(waits.length <= 4, `${waits.length} attempts in ten seconds`);
  service.isAway = false;
  scene.clock.ms += 60_000;
  scene.proofs.poll();
  await settled();
  t.equal(scene.journal.outbox(10).length, 0);
});

t.test('a receipt that cannot be stored leaves the proof in the outbox', async (t) => {
  const scene = new AgentScene();
  collector(scene);
  await busy(scene);
  await scene.proofs.closeInterval();
  scene.journal.failure = new Error('disk full');
  scene.proofs.poll();
  await settled();
  t.equal(scene.journal.outbox(10).length, 1);
  t.ok(scene.events().includes('upload-failed'));
  const before = scene.logged.length;
  scene.proofs.poll();
  await settled();
  t.equal(scene.logged.length, before, 'it waits before it sends the proof once more');
});

t.test('an unset clock is said in the proof, and one that was set back makes no negative interval', async (t) => {
  const scene = await busy(new AgentScene());
  scene.clock.isSynced = false;
  scene.clock.unixS -= 1_000_000n;
  await scene.proofs.closeInterval();
  const { clockState, startS, endS } = scene.journal.proofs(1)[0]?.proof ?? { clockState: 1n, startS: 1n, endS: 0n };
  t.equal(clockState, 0n);
  t.ok(startS <= endS);
});

t.test('nothing that identifies a guest is in the uploaded bytes', async (t) => {
  const scene = new AgentScene();
  const { bodies } = collector(scene);
  await busy(scene);
  await scene.proofs.closeInterval();
  scene.proofs.poll();
  await settled();
  const body = Buffer.from(bodies[0] ?? []);
  const mac = Buffer.from(PHONE.replaceAll(':', ''), 'hex');
  const ip = Buffer.from(PHONE_IP.split('.').map(Number));
  for (const [name, needle] of Object.entries({
    mac,
    ip,
    macText: PHONE,
    ipText: PHONE_IP,
    port: 'phy0',
    key: Buffer.from(DEVICE_KEY),
  }))
    t.notOk(body.includes(needle), name);
  t.ok(body.includes(Buffer.from(NODE.device.slice(2), 'hex')), 'the search works: the device is found');
});

function seqOf(body: Uint8Array): bigint | undefined {
  const decoded = decodeProofUpload(body);
  return decoded.ok ? decoded.value.proof.seq : undefined;
}
