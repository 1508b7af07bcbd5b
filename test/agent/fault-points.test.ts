/**
 * A guest's whole story - open, use, top up, use, leave, settle, prove - with each call to an edge going wrong in turn:
 * refused, done but unanswered, or the last before the process died. The money must come out right every time.
 */
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { accountOf } from '../../agent/core/account.ts';
import { openShares } from '../../agent/core/open-shares.ts';
import { channelOfSession } from '../../agent/core/state.ts';
import { AgentScene, settled } from '../support/agent-scene.ts';
import type { Fault } from '../support/fault-line.ts';
import { PHONE } from './core/support/story.ts';

const FIRST = 1_050n;
const SECOND = 2_050n;
/** 1,050 units buy 100 MB after the open fee, 2,050 buy 200 MB. */
const FIRST_BYTES = 100_000_000n;
const SECOND_BYTES = 200_000_000n;
const MAX_TRIES = 12;

t.test('each refused call leaves the money right, and the story completes', (t) => everyFault(t, 'refused'));
t.test('each call that is done but not answered leaves the money right', (t) => everyFault(t, 'answer-lost'));
t.test('a crash after each call leaves the money right, and service goes on from journal and kernel', (t) =>
  everyFault(t, 'crash'),
);

async function everyFault(t: Test, fault: Fault): Promise<void> {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  try {
    const calls = await tell(new AgentScene(), undefined, 'refused');
    t.ok(calls > 15, 'the story has calls to fail');
    t.comment(`${calls} calls`);
    for (let k = 1; k <= calls; k++) {
      try {
        await tell(new AgentScene(), k, fault);
      } catch (cause) {
        t.fail(`${fault} at call ${k}: ${cause instanceof Error ? cause.message : cause}`);
      }
    }
  } finally {
    mock.timers.reset();
  }
}

/** Plays the story; returns how many calls it made. @throws what came out wrong. */
async function tell(scene: AgentScene, k: number | undefined, fault: Fault): Promise<number> {
  await begin(scene);
  const request = scene.openRequest();
  scene.line.failAt(k ?? Number.POSITIVE_INFINITY, fault, (call) => call !== 'enforcer.verify');

  await until(scene, 'open', () => scene.desk.open(PHONE, request), isPaid(FIRST));
  await use(scene, FIRST_BYTES);
  const more = scene.voucher(request, SECOND);
  await until(scene, 'top up', () => scene.desk.voucher(PHONE, more), isPaid(SECOND));
  await use(scene, SECOND_BYTES);
  const id = request.voucher.channelId;
  const isClosed = () => scene.chain.channels.get(id)?.isClosed === true;
  await until(scene, 'leave', () => scene.desk.leave(PHONE), isClosed);
  await until(
    scene,
    'prove',
    async () => scene.proofs.poll(),
    () => isSettled(scene) && openShares(scene.driver.state).length === 0,
  );

  const claimed = scene.chain.claims.reduce((sum, { units }) => sum + units, 0n);
  assert(scene.chain.claims.length === 1, `claimed ${scene.chain.claims.length} times`);
  assert(claimed <= SECOND, `claimed ${claimed} of ${SECOND}`);
  // A crash may lose the usage of the last moments, in the guest's favour; this story samples before it leaves.
  assert(claimed === SECOND, `claimed ${claimed}, earned ${SECOND}`);
  const proven = scene.journal.proofs(100).reduce((sum, { proof }) => sum + proof.paid, 0n);
  assert(proven === claimed, `proofs name ${proven} units, claimed were ${claimed}`);
  const bytes = scene.journal.proofs(100).reduce((sum, { proof }) => sum + proof.bytesDown, 0n);
  assert(bytes === SECOND_BYTES, `proofs name ${bytes} bytes`);
  return scene.line.counted;
}

async function begin(scene: AgentScene): Promise<void> {
  scene.watch.close();
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  void scene.watch.start();
  await settled();
}

/** Does `act` again and again, as a guest who taps once more, until `isDone`; starts the agent anew when it died. */
async function until(
  scene: AgentScene,
  what: string,
  act: () => Promise<unknown>,
  isDone: (scene: AgentScene) => boolean,
): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (hasEnded(scene)) await crash(scene);
    if (!isDone(scene)) void act().catch(() => undefined);
    await settled();
    await scene.advance(11_000);
    if (hasEnded(scene)) continue;
    check(scene);
    if (isDone(scene)) return;
  }
  const { state } = scene.driver;
  const phases = [...state.channels.values()].map(({ phase }) => phase);
  throw new Error(`${what} never came to an end: channels ${phases}, trouble ${scene.driver.trouble}`);
}

/** Dead, or about to be started anew because its journal is broken. */
function hasEnded(scene: AgentScene): boolean {
  return scene.line.isDead || scene.fatal.length > 0;
}

async function crash(scene: AgentScene): Promise<void> {
  scene.line.failAt(Number.POSITIVE_INFINITY, 'refused');
  scene.fatal.length = 0;
  scene.restart();
  await begin(scene);
}

/** The guest takes all it can get, up to and beyond what it paid for; none of it is lost and none is free. */
async function use(scene: AgentScene, paidBytes: bigint): Promise<void> {
  const passed = () => [...scene.enforcer.passed.values()].reduce((sum, bytes) => sum + bytes, 0n);
  const metered = () => [...scene.driver.state.sessions.values()].reduce((sum, { usage }) => sum + usage.downBytes, 0n);
  await until(
    scene,
    `use of ${paidBytes}`,
    () => {
      scene.download(paidBytes + 5_000_000n - passed());
      return Promise.resolve();
    },
    () => passed() === paidBytes && metered() === paidBytes,
  );
}

function isPaid(amount: bigint): (scene: AgentScene) => boolean {
  return ({ desk }) => {
    const { phase, creditUnits } = desk.view(PHONE);
    return (phase === 'active' || phase === 'grace') && creditUnits === amount;
  };
}

function isSettled({ driver }: AgentScene): boolean {
  return [...driver.state.channels.values()].every(({ phase }) => phase === 'settled');
}

/** What must hold at every moment. */
function check(scene: AgentScene): void {
  const { state } = scene.driver;
  for (const session of state.sessions.values()) {
    const channel = channelOfSession(state, session);
    const { chargedUnits, creditUnits } = accountOf(session, channel);
    assert(chargedUnits <= creditUnits, `I1: charged ${chargedUnits} of ${creditUnits}`);
    if (channel === undefined) continue;
    const stored = scene.journal.storedAmount(channel.id) ?? 0n;
    assert(creditUnits <= stored, `I3: credit ${creditUnits}, stored ${stored}`);
  }
  const stored = scene.journal.storedInAll();
  const passed = [...scene.enforcer.passed.values()].reduce((sum, bytes) => sum + bytes, 0n);
  const bought = stored > 50n ? (stored - 50n) * 100_000n : 0n;
  assert(passed <= bought, `passed ${passed} bytes, bought ${bought}`);
  const seqs = scene.journal.proofs(100).map(({ proof }) => proof.seq);
  assert(new Set(seqs).size === seqs.length, 'a proof number was used twice');
}

function assert(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}
