/** A router that dies after each step between the end of an interval and its receipt: each byte is proven exactly once. */
import t from 'tap';
import type { ProofUploader } from '../../../agent/ports.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { FakeCollector } from '../../support/fake-collector.ts';
import type { Fault } from '../../support/fault-line.ts';
import { PHONE } from '../core/support/story.ts';

const ROUNDS = 4;

for (const fault of ['crash', 'answer-lost', 'refused'] as const) {
  t.test(`${fault} at each step from interval to receipt`, async (t) => {
    const steps = await tell(Number.POSITIVE_INFINITY, fault);
    t.ok(steps.length > 6, steps.join(', '));
    for (const needed of ['journal.commit proof', 'journal.commit draft', 'journal.commit receipt', 'head', 'upload'])
      t.ok(
        steps.some((step) => step.startsWith(needed)),
        `${needed} is one of them`,
      );
    for (let k = 1; k <= steps.length; k++) await t.resolves(tell(k, fault), `${fault} at ${k}: ${steps[k - 1]}`);
  });
}

/** @throws what was lost or counted twice; returns the steps that were counted. */
async function tell(k: number, fault: Fault): Promise<readonly string[]> {
  const scene = new AgentScene();
  const collector = new FakeCollector(scene);
  guard(scene);
  const opened = await scene.desk.open(PHONE, scene.openRequest());
  if (!opened.ok) throw new Error(opened.reason);
  await settled();
  const isProofStep = (call: string) => !call.startsWith('journal.commit') || /draft|proof|receipt|chain/.test(call);
  const from = scene.line.calls.length;
  scene.line.failAt(k, fault, (call) => isProofStep(call) && !/^(enforcer|chain)/.test(call));
  for (let round = 0; round < ROUNDS; round++) {
    await revive(scene);
    scene.download(1_000_000n);
    await scene.sample();
    await pass(scene);
  }
  const steps = scene.line.calls.slice(from).filter((call) => isProofStep(call) && !/^(enforcer|chain)/.test(call));
  for (let tries = 0; tries < 8; tries++) await pass(scene);
  const passed = [...scene.enforcer.passed.values()].reduce((sum, bytes) => sum + bytes, 0n);
  const proven = collector.chain.reduce((sum, { bytesDown }) => sum + bytesDown, 0n);
  if (proven !== passed) throw new Error(`${passed} bytes passed, ${proven} are proven`);
  const places = new Set(collector.chain.map(({ epoch, seq }) => `${epoch} ${seq}`));
  if (places.size !== collector.taken.size) throw new Error('a number was signed twice');
  if (scene.events().includes('proof-contradicted')) throw new Error('the collector has two proofs of one number');
  return steps;
}

async function pass(scene: AgentScene): Promise<void> {
  await revive(scene);
  scene.clock.ms += 61_000;
  scene.proofs.poll();
  await settled();
  await settled();
}

/** An agent that died is started anew with what its journal and the kernel kept. */
async function revive(scene: AgentScene): Promise<void> {
  if (!scene.line.isDead && scene.fatal.length === 0) return;
  scene.line.failAt(Number.POSITIVE_INFINITY, 'refused');
  scene.fatal.length = 0;
  scene.restart();
  await scene.driver.reconciled();
  await scene.sample();
}

/** The uploader's calls can fail like those of the other edges. */
function guard(scene: AgentScene): void {
  const { line } = scene;
  const whole = scene.uploader as Required<ProofUploader>;
  const lost = (): { ok: false; message: string } => ({ ok: false, message: 'no answer' });
  const call = async <T>(name: string, effect: () => Promise<T>): Promise<T | { ok: false; message: string }> =>
    await await line.call<Promise<T | { ok: false; message: string }>>(name, effect, () => Promise.resolve(lost()));
  scene.uploader = {
    upload: (body) => call('upload', () => whole.upload(body)),
    head: () => call('head', () => whole.head()),
  };
  scene.restart();
}
