/**
 * Open, pay, claim and close against a real anvil and the real journal, with the agent killed behind each labelled step in
 * turn and started anew from its file: no acknowledged voucher is lost, no unpaid byte is served, nothing is claimed twice,
 * and no transaction is signed twice for one purpose.
 */
import t from 'tap';
import type { DeskResult } from '../../../agent/ports.ts';
import { channelId } from '../../../protocol/channel.ts';
import { keccak256Hex } from '../../../protocol/keccak.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import { ChainWorld, isLabelled } from '../../support/chain-world.ts';
import { createScene } from '../../support/channel-scene.ts';
import { PHONE } from '../core/support/story.ts';
import '../../support/own-testdir.ts';

const FIRST = 1_050n;
const SECOND = 2_050n;
/** 1,050 units buy 100 MB after the open fee, 2,050 buy 200 MB. */
const FIRST_BYTES = 100_000_000n;
const SECOND_BYTES = 200_000_000n;
/** Until the crank may send its next batch of claims. */
const CLAIM_MS = 200_000;
/** Beside the claim the story is told within the first minute of a life, before another batch of claims would be due. */
const SOON_MS = 4_000;

// Each of its runs is an agent's whole life; on a busy machine all together take longer than tap waits.
t.setTimeout(280_000);
const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const chain = createScene(anvil);
const [guest, payee, device] = anvil.accounts as [Account, Account, Account];

t.test('killed behind each step, the money comes out right', async (t) => {
  const { steps, labels } = await tell(Number.POSITIVE_INFINITY, t.testdir({}));
  t.comment(`${steps} steps: ${labels.join(', ')}`);
  t.ok(steps >= 15, 'the story has steps to die behind');
  for (const needed of ['transaction', 'rpc.eth_sendRawTransaction', 'channel', 'enforcer.reconcile'])
    t.ok(
      labels.some((label) => label.includes(needed)),
      `among them ${needed}`,
    );
  const died: number[] = [];
  for (let k = 1; k <= steps; k++) {
    try {
      const { lives } = await tell(k, t.testdir({}));
      if (lives > 1) died.push(k);
    } catch (cause) {
      t.fail(`killed behind step ${k} (${labels[k - 1]}): ${cause instanceof Error ? cause.message : cause}`);
    }
  }
  t.ok(died.length >= steps - 3, `it died in ${died.length} of ${steps} runs`);
});

/** Plays the story, killed once behind the k-th step. @throws what came out wrong */
async function tell(k: number, dir: string): Promise<{ steps: number; lives: number; labels: readonly string[] }> {
  const before = await books();
  const salt = keccak256Hex(new TextEncoder().encode(`killed behind ${k}`));
  const world = new ChainWorld({ anvil, guest, payee, device, journalPath: `${dir}/ledger.db`, salt });
  const first = world.line;
  try {
    const request = world.openRequest(FIRST);
    const id = channelId(anvil.deployment, request.config);
    first.failAt(k, 'crash', isLabelled);
    const channel = () => world.driver.state.channels.get(id);
    let acknowledged = 0n;
    const isCredited = (amount: bigint) => () => {
      const credit = channel()?.voucher.amount ?? 0n;
      assert(credit >= acknowledged, `acknowledged ${acknowledged}, known after the restart ${credit}`);
      return credit === amount && (channel()?.phase === 'active' || channel()?.phase === 'grace');
    };
    const acknowledge = async (amount: bigint, work: Promise<DeskResult>) => {
      if ((await work).ok) acknowledged = amount;
    };

    await world.until('open', () => acknowledge(FIRST, world.desk.open(PHONE, request)), isCredited(FIRST), SOON_MS);
    await use(world, FIRST_BYTES);
    world.clock.ms += CLAIM_MS;
    await world.until(
      'claim',
      () => Promise.resolve(),
      () => channel()?.claimedUnits === FIRST,
    );
    const more = world.voucher(id, SECOND);
    await world.until(
      'top up',
      () => acknowledge(SECOND, world.desk.voucher(PHONE, more)),
      isCredited(SECOND),
      SOON_MS,
    );
    await use(world, SECOND_BYTES);
    await world.until(
      'leave',
      () => world.desk.leave(PHONE),
      () => channel()?.phase === 'settled',
      SOON_MS,
    );

    const onChain = await chain.channel(request.config);
    assert(onChain.isClosed && onChain.claimed === SECOND, `claimed ${onChain.claimed} of ${SECOND}`);
    const after = await books();
    assert(after.earned - before.earned === SECOND, `the payee earned ${after.earned - before.earned}`);
    assert(before.guest - after.guest === SECOND, `the guest paid ${before.guest - after.guest}`);
    const purposes = world.store.transactions().map(({ purpose }) => purpose);
    assert(after.sent - before.sent === 3n, `${after.sent - before.sent} transactions, not 3: ${purposes}`);
    assert(world.passed() === SECOND_BYTES, `passed ${world.passed()} bytes`);
    assert(new Set(purposes).size === purposes.length, `signed twice: ${purposes}`);
    return { steps: first.counted, lives: world.lives, labels: first.calls.filter(isLabelled) };
  } finally {
    world.kill();
  }
}

/** The guest takes all it can get, up to and beyond what it paid for; none of it is lost and none is free. */
async function use(world: ChainWorld, paidBytes: bigint): Promise<void> {
  const metered = () => [...world.driver.state.sessions.values()].reduce((sum, { usage }) => sum + usage.downBytes, 0n);
  await world.until(
    `use of ${paidBytes}`,
    () => {
      world.download(paidBytes + 5_000_000n - world.passed());
      assert(world.passed() <= paidBytes, `passed ${world.passed()} of ${paidBytes}`);
      return Promise.resolve();
    },
    () => world.passed() === paidBytes && metered() === paidBytes,
    SOON_MS,
  );
}

async function books(): Promise<{ earned: bigint; guest: bigint; sent: bigint }> {
  const count = await anvil.request('eth_getTransactionCount', device.address, 'latest');
  return {
    earned: await chain.earned(payee.address),
    guest: await chain.balanceOf(guest.address),
    sent: BigInt(count as string),
  };
}

function assert(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}
