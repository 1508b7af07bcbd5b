import t from 'tap';
import { hexFromBytes } from '../../../protocol/hex.ts';
import type { OpenRequest } from '../../../protocol/open-wire.ts';
import { type Tick, tickChain } from '../../../protocol/payword.ts';
import { type SignedTickVoucher, signTickVoucher } from '../../../protocol/tick-voucher.ts';
import { AgentScene, GUEST_KEY, settled } from '../../support/agent-scene.ts';
import { LAPTOP, PHONE } from '../core/support/story.ts';

type Chain = { readonly voucher: SignedTickVoucher; readonly coin: (index: number) => Tick };

async function streaming(): Promise<{ scene: AgentScene; request: OpenRequest }> {
  const scene = new AgentScene();
  const request = scene.openRequest({ mode: 'stream' });
  const result = await scene.desk.open(PHONE, request);
  if (!result.ok) throw new Error(`open refused: ${result.reason}`);
  return { scene, request };
}

/** 64 ticks of 10 units (1 MB) each, on top of `amount`. */
function chainOf(scene: AgentScene, request: OpenRequest, amount: bigint, key = GUEST_KEY): Chain {
  const words = tickChain(new Uint8Array(32).fill(Number(amount % 250n)), 64);
  const { channelId } = request.voucher;
  const anchor = hexFromBytes(words[0] as Uint8Array);
  const voucher = signTickVoucher(scene.deployment, { channelId, amount, anchor, tickValue: 10n, ticks: 64n }, key);
  return { voucher, coin: (index) => ({ index, preimage: words[index] as Uint8Array }) };
}

t.test('ticks raise the credit without a write of their own, and the kernel follows', async (t) => {
  const { scene, request } = await streaming();
  const { channelId } = request.voucher;
  const chain = chainOf(scene, request, 1_050n);
  t.match(await scene.desk.tickVoucher(PHONE, chain.voucher), { ok: true, view: { creditUnits: 1_050n } });
  t.match(await scene.desk.tickVoucher(PHONE, chain.voucher), { ok: true }, 'the same again is no error');
  scene.line.calls.length = 0;
  t.same(scene.desk.tick(PHONE, channelId, chain.coin(1)), { ok: true, promisedUnits: 1_060n });
  t.same(scene.desk.tick(PHONE, channelId, chain.coin(2)), { ok: true, promisedUnits: 1_070n });
  t.match(scene.desk.tick(PHONE, channelId, chain.coin(2)), { reason: 'tick-not-later' });
  t.match(scene.desk.tick(LAPTOP, channelId, chain.coin(3)), { reason: 'not-your-channel' });
  await new Promise((handedOver) => setTimeout(handedOver, 150));
  await settled();
  t.equal(scene.desk.view(PHONE).creditUnits, 1_070n);
  t.same(scene.line.calls, ['enforcer.reconcile'], 'one change of the kernel for both, and no commit');
  t.equal(scene.enforcer.installed.get(1)?.limit, 102_000_000n);
});

t.test(
  'after 64 ticks a voucher must cover them; a crash loses what came since the last write, and nothing for good',
  async (t) => {
    const { scene, request } = await streaming();
    const { channelId } = request.voucher;
    const chain = chainOf(scene, request, 1_050n);
    await scene.desk.tickVoucher(PHONE, chain.voucher);
    t.match(scene.desk.tick(PHONE, channelId, chain.coin(64)), { ok: true, promisedUnits: 1_690n });
    const next = chainOf(scene, request, 1_690n);
    t.match(await scene.desk.tickVoucher(PHONE, next.voucher), {
      reason: 'renewal-due',
      lastVoucher: { amount: 1_050n },
    });
    t.match(await scene.desk.tickVoucher(PHONE, chainOf(scene, request, 1_049n).voucher), {
      reason: 'renewal-due',
      expected: /already promised/,
    });
    t.match(await scene.desk.voucher(PHONE, scene.voucher(request, 1_690n)), { ok: true });
    t.match(await scene.desk.tickVoucher(PHONE, next.voucher), { ok: true });
    t.match(scene.desk.tick(PHONE, channelId, chain.coin(64)), { reason: 'tick-not-in-chain' }, 'of the chain before');
    t.match(scene.desk.tick(PHONE, channelId, next.coin(1)), { ok: true, promisedUnits: 1_700n });
    scene.restart();
    t.equal(scene.desk.view(PHONE).creditUnits, 1_690n, 'voucher and tick voucher were durable, the tick was not');
    t.match(scene.desk.tick(PHONE, channelId, next.coin(2)), { ok: true, promisedUnits: 1_710n }, 'nothing is lost');
  },
);

t.test('ticks are on disk within five seconds: a crash after that loses none, and none counts twice', async (t) => {
  const { scene, request } = await streaming();
  const { channelId } = request.voucher;
  const chain = chainOf(scene, request, 1_050n);
  await scene.desk.tickVoucher(PHONE, chain.voucher);
  t.match(scene.desk.tick(PHONE, channelId, chain.coin(7)), { ok: true });
  await new Promise((handedOver) => setTimeout(handedOver, 150));
  scene.clock.ms += 5_000;
  scene.driver.dispatch({ kind: 'tick', nowS: scene.clock.wall().unixS });
  await settled();
  scene.restart();
  t.equal(scene.desk.view(PHONE).creditUnits, 1_120n);
  t.match(scene.desk.tick(PHONE, channelId, chain.coin(7)), { reason: 'tick-not-later' });
  t.match(scene.desk.tick(PHONE, channelId, chain.coin(8)), { ok: true, promisedUnits: 1_130n });
});

t.test('a tick voucher is not answered before it is on disk; sent again, it is written then', async (t) => {
  const { scene, request } = await streaming();
  const chain = chainOf(scene, request, 1_050n);
  scene.journal.failure = new Error('disk full');
  t.match(await scene.desk.tickVoucher(PHONE, chain.voucher), { reason: 'storage-failed' });
  scene.journal.failure = undefined;
  t.match(await scene.desk.tickVoucher(PHONE, chain.voucher), { ok: true });
  scene.restart();
  t.match(scene.desk.tick(PHONE, request.voucher.channelId, chain.coin(1)), { ok: true, promisedUnits: 1_060n });
});

t.test('a tick voucher of another key, or one that cannot be checked, begins nothing', async (t) => {
  const { scene, request } = await streaming();
  const forged = chainOf(scene, request, 1_050n, new Uint8Array(32).fill(5));
  t.match(await scene.desk.tickVoucher(PHONE, forged.voucher), { reason: 'bad-signature' });
  scene.verifier.failure = new Error('thread died');
  t.match(await scene.desk.tickVoucher(PHONE, chainOf(scene, request, 1_050n).voucher), { reason: 'not-checked' });
  t.match(scene.desk.tick(PHONE, request.voucher.channelId, forged.coin(1)), { reason: 'no-tick-voucher' });
  scene.verifier.failure = undefined;
  scene.clock.isSynced = false;
  scene.clock.ms += 1_000;
  const chain = chainOf(scene, request, 1_050n);
  t.match(
    await scene.desk.tickVoucher(PHONE, chain.voucher),
    { ok: true },
    'nor is one refused for a clock that is not set',
  );
  t.match(scene.desk.tick(PHONE, request.voucher.channelId, chain.coin(1)), { ok: true });
});
