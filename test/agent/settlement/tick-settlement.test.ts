/**
 * Ticks come to money on a real anvil: a guest streams them and vanishes, and the owner gets what they are worth, once,
 * although the agent is killed behind each step of it. A router that asks for more is stopped by the contract.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { channelId } from '../../../protocol/channel.ts';
import { type Hex, hexFromBytes } from '../../../protocol/hex.ts';
import { keccak256Hex, keccak256Text } from '../../../protocol/keccak.ts';
import { type Tick, tickChain } from '../../../protocol/payword.ts';
import { type SignedTickVoucher, signTickVoucher } from '../../../protocol/tick-voucher.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import { ChainWorld, isLabelled } from '../../support/chain-world.ts';
import { createScene } from '../../support/channel-scene.ts';
import { PHONE, WLAN0 } from '../core/support/story.ts';
import '../../support/own-testdir.ts';

/** 100 MB after the open fee; a tick is 10 units, 1 MB. */
const FIRST = 1_050n;
const MB = 1_000_000n;

t.setTimeout(280_000);
const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const scene = createScene(anvil);
const [guest, payee, device] = anvil.accounts as [Account, Account, Account];

type Streaming = {
  readonly world: ChainWorld;
  readonly id: Hex;
  readonly voucher: SignedTickVoucher;
  readonly coin: (index: number) => Tick;
};

/** The phone has paid `ticks` ticks on top of its first voucher, used all of it, and the ticks are on disk. */
async function streaming(name: string, ticks: number, journalPath: string): Promise<Streaming> {
  const salt = keccak256Hex(new TextEncoder().encode(name));
  const world = new ChainWorld({ anvil, guest, payee, device, journalPath, salt });
  const request = world.openRequest(FIRST);
  const id = channelId(anvil.deployment, request.config);
  await world.until(
    'open',
    () => world.desk.open(PHONE, request),
    () => world.driver.state.channels.get(id)?.phase === 'active',
  );
  const words = tickChain(keccak256Text(name), 64);
  const anchor = hexFromBytes(words[0] as Uint8Array);
  const unsigned = { channelId: id, amount: FIRST, anchor, tickValue: 10n, ticks: 64n };
  const voucher = signTickVoucher(anvil.deployment, unsigned, guest.secretKey);
  assert((await world.desk.tickVoucher(PHONE, voucher)).ok, 'tick voucher refused');
  const coin = (index: number): Tick => ({ index, preimage: words[index] as Uint8Array });
  assert(world.desk.tick(PHONE, id, coin(ticks)).ok, 'tick refused');
  await sleep(150);
  await world.driver.reconciled();
  world.download(200n * MB);
  world.clock.ms += 5_000;
  await world.look();
  await sleep(20);
  return { world, id, voucher, coin };
}

async function vanish({ world, id }: Streaming): Promise<void> {
  const gone = () => Promise.resolve(world.driver.dispatch({ kind: 'station-left', mac: PHONE, port: WLAN0 }));
  await world.until('settlement', gone, () => world.driver.state.channels.get(id)?.phase === 'settled', 90_000_000);
}

async function books(): Promise<{ earned: bigint; guest: bigint; sent: bigint }> {
  const count = await anvil.request('eth_getTransactionCount', device.address, 'latest');
  return {
    earned: await scene.earned(payee.address),
    guest: await scene.balanceOf(guest.address),
    sent: BigInt(count as string),
  };
}

t.test(
  'a guest who vanishes has paid its ticks: by one claim and one close, whatever step the agent dies behind',
  async (t) => {
    const play = async (k: number) => {
      const before = await books();
      const told = await streaming(`ticks, killed behind ${k}`, 60, `${t.testdir({})}/ledger.db`);
      const { world, id, coin } = told;
      assert(world.passed() === 160n * MB, `passed ${world.passed()}`);
      world.kill();
      world.start();
      await world.driver.reconciled();
      const again = world.desk.tick(PHONE, id, coin(60));
      assert(
        !again.ok && again.reason === 'tick-not-later',
        'the last tick again is worth nothing, after a restart too',
      );
      const { line } = world;
      line.failAt(k, 'crash', isLabelled);
      await vanish(told);
      const after = await books();
      world.kill();
      assert(after.earned - before.earned === FIRST + 600n, `earned ${after.earned - before.earned}`);
      assert(before.guest - after.guest === FIRST + 600n, `the guest paid ${before.guest - after.guest}`);
      assert(after.sent - before.sent === 3n, `${after.sent - before.sent} transactions for open, ticks and close`);
      return { steps: line.counted, lives: world.lives };
    };
    const { steps } = await play(Number.POSITIVE_INFINITY);
    t.ok(steps >= 5, `${steps} steps to die behind`);
    let died = 0;
    for (let k = 1; k <= steps; k++) {
      try {
        if ((await play(k)).lives > 2) died += 1;
      } catch (cause) {
        t.fail(`killed behind step ${k}: ${cause instanceof Error ? cause.message : cause}`);
      }
    }
    t.ok(died >= steps - 2, `it died in ${died} of ${steps} runs`);
  },
);

t.test('ticks that are not worth the gas are left to the guest', async (t) => {
  const before = await books();
  const told = await streaming('few ticks', 3, `${t.testdir({})}/ledger.db`);
  await vanish(told);
  told.world.kill();
  const after = await books();
  t.equal(after.earned - before.earned, FIRST);
  t.equal(after.sent - before.sent, 2n);
});

t.test('the contract stops a router that claims more than its ticks, and pays nothing twice', async (t) => {
  const { world, id, voucher, coin } = await streaming('greedy', 20, `${t.testdir({})}/ledger.db`);
  const config = world.driver.state.channels.get(id)?.config;
  if (config === undefined) throw new Error('no channel');
  const claim = (amount: bigint, last: Tick, by = voucher) =>
    world.chain.claimTicks({ config, ticks: { voucher: by, last }, amount });
  t.match(await claim(1_251n, coin(20)), { reason: 'refused', message: /AmountAboveCeiling/ });
  const invented = { index: 21, preimage: coin(20).preimage };
  t.match(await claim(1_260n, invented), { reason: 'refused', message: /the contract refuses/ });
  t.match(await claim(1_260n, coin(20), { ...voucher, tickValue: 11n }), { reason: 'refused', message: /WrongSigner/ });
  t.match(await claim(1_260n, { index: 65, preimage: coin(64).preimage }), { reason: 'refused' });
  const before = await books();
  t.match(await claim(1_250n, coin(20)), { ok: true });
  t.match(await claim(1_250n, coin(20)), { ok: true });
  t.match(await claim(1_100n, coin(5)), { ok: true }, 'ticks that were claimed already are worth nothing');
  const after = await books();
  t.equal(after.earned - before.earned, 1_250n);
  t.equal(after.sent - before.sent, 1n, 'what is claimed already is not sent again');
  world.kill();
});

function assert(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}
