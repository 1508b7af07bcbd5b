/** Two real agents that share a payee, around a model of kernel, journal and chain, joined by HTTP on loopback or by hand. */
import t from 'tap';
import { sisterHttp } from '../../../agent/adapters/sister-http.ts';
import { buildSisterDoor } from '../../../agent/roaming/sister-door.ts';
import type { SignedVoucher } from '../../../protocol/voucher.ts';
import { settled } from '../../support/agent-scene.ts';
import { LAPTOP, PHONE } from '../core/support/story.ts';
import { answered, TwoRouters } from './support/two-routers.ts';

t.test('a guest who paid at one router goes on at the other, over HTTP, and comes home to be closed', async (t) => {
  const world = new TwoRouters();
  const urls = new Map<string, string>();
  for (const router of [world.a, world.b]) {
    const door = buildSisterDoor({
      lookUp: (query) => router.lent.lookUp(query),
      give: (query) => router.lent.give(query),
      take: (carried) => router.lent.take(carried),
    });
    t.teardown(() => door.close());
    urls.set(router.address, await door.listen({ host: '127.0.0.1', port: 0 }));
  }
  for (const router of [world.a, world.b]) {
    const device = world.other(router).address;
    router.connect(sisterHttp([{ device, url: urls.get(device) ?? '' }]));
  }
  const { a, b } = world;
  const request = await a.paid();
  t.equal(a.download(40_000_000n), 40_000_000n);
  await a.sample();
  t.match(await b.desk.attach(LAPTOP, await answered(b, LAPTOP)), {
    ok: true,
    view: { phase: 'active', isOnline: true, downBytes: 40_000_000n, bytesRemaining: 60_000_000n },
  });
  t.equal(a.desk.view(PHONE).phase, 'none', 'the first router serves it no longer');
  t.equal(a.download(1n), 0n);
  t.equal(b.download(99_000_000n), 60_000_000n, 'what is left, and not a byte more');
  await b.sample();
  t.match(await b.desk.voucher(LAPTOP, a.voucher(request, 2_050n, 100_000_000n)), { ok: true });
  t.equal(b.download(10_000_000n), 10_000_000n);
  await b.sample();
  t.same(b.driver.state.channels.get(request.voucher.channelId)?.voucher.amount, 2_050n);
  await b.desk.leave(LAPTOP);
  await b.sample();
  t.equal(b.paidOut.size, 0, 'only the router that opened it closes it');
  await b.watch.look();
  await a.sample();
  t.same([...a.paidOut.values()], [1_150n], 'open fee, and 110 MB at both routers');
  t.notOk(b.driver.state.channels.has(request.voucher.channelId), 'the visitor is forgotten');
  t.equal(b.driver.state.custody.size, 1, 'its number is not');
});

t.test('a router out of reach keeps its channel: the other grants nothing, whatever the guest shows', async (t) => {
  const { a, b, link } = new TwoRouters();
  const request = await a.paid();
  a.download(40_000_000n);
  await a.sample();
  const asked = await answered(b, LAPTOP);
  link.isUp = false;
  t.match(await b.desk.attach(LAPTOP, asked), { ok: false, reason: 'channel-not-open' });
  t.match(await b.desk.voucher(LAPTOP, a.voucher(request, 9_000n)), { ok: false, reason: 'unknown-channel' });
  t.match(await b.desk.challenge(LAPTOP, request.config.signer), { ok: false, reason: 'unknown-channel' });
  t.equal(b.download(1n), 0n);
  t.equal(a.download(1n), 1n, 'it goes on where it is');
});

t.test(
  'routers that never meet again both end the channel: at home it is closed, the visitor is given up',
  async (t) => {
    const { a, b, link } = new TwoRouters();
    const request = await a.paid();
    const id = request.voucher.channelId;
    a.download(40_000_000n);
    await a.sample();
    t.match(await b.desk.attach(LAPTOP, await answered(b, LAPTOP)), { ok: true });
    b.download(10_000_000n);
    await b.sample();
    link.isUp = false;
    await b.desk.leave(LAPTOP);
    await b.sample();
    const pass = async (seconds: bigint) => {
      for (const router of [a, b]) {
        router.clock.ms += Number(seconds) * 1_000;
        await router.sample();
        await router.watch.look();
        await settled();
      }
    };
    await pass(request.config.expiry - a.clock.wall().unixS + 3_600n);
    t.same([...a.paidOut.values()], [450n], 'what it had metered itself');
    t.match(a.driver.state.channels.get(id), { phase: 'settled' });
    t.match(b.driver.state.channels.get(id), { phase: 'away' }, 'it still tries');
    await pass(7n * 86_400n);
    t.notOk(b.driver.state.channels.has(id));
    t.equal(b.driver.state.sessions.size, 0);
    t.equal(b.driver.state.custody.size, 0);
    b.restart();
    t.notOk(b.driver.state.channels.has(id), 'in its journal neither');
  },
);

t.test(
  'an answer that is lost is asked for again; a query or hand-over that is replayed is worth nothing',
  async (t) => {
    const { a, b, link } = new TwoRouters();
    const request = await a.paid();
    link.losesAnswers = true;
    const id = request.voucher.channelId;
    t.match(await b.desk.attach(LAPTOP, await answered(b, LAPTOP)), { ok: false }, 'given, and not arrived');
    t.equal(a.driver.state.channels.get(id)?.phase, 'away');
    link.losesAnswers = false;
    await a.watch.look();
    t.equal(b.driver.state.channels.get(id)?.phase, 'active', 'the giver brings it');
    t.match(await b.desk.attach(LAPTOP, await answered(b, LAPTOP)), { ok: true });
    b.download(50_000_000n);
    await b.sample();
    const [query] = link.asked;
    const [carried] = link.brought;
    if (query === undefined || carried === undefined) throw new Error('nothing was asked');
    t.match(await a.lent.give(query), { ok: true }, 'the same question, the same answer, word for word');
    t.same(await a.lent.give(query), await a.lent.give(query));
    t.match(await b.lent.take(carried), { ok: true }, 'known already');
    t.equal(b.download(99_000_000n), 50_000_000n, 'and nothing is granted by it again');
    await b.desk.leave(LAPTOP);
    await b.sample();
    await b.watch.look();
    await a.sample();
    t.match(await b.lent.take(carried), { ok: false, message: /stale-sequence/ });
    t.match(await a.lent.give(query), { ok: false, message: /stale-sequence/ });
    t.same([...a.paidOut.values()], [1_050n]);
  },
);

t.test(
  'an old voucher is never new again: not at the router left behind, not at the visitor, not back at home',
  async (t) => {
    const { a, b } = new TwoRouters();
    const request = await a.paid();
    const id = request.voucher.channelId;
    const vouchers = [1_250n, 1_450n, 2_050n, 3_050n].map((amount) => a.voucher(request, amount));
    const [stolen, early, atB, atHome] = vouchers as [SignedVoucher, SignedVoucher, SignedVoucher, SignedVoucher];
    const answers = async () => ({ a: await a.desk.voucher(PHONE, early), b: await b.desk.voucher(LAPTOP, early) });
    t.match(await a.desk.voucher(PHONE, early), { ok: true });
    a.download(40_000_000n);
    await a.sample();
    t.match(await b.desk.attach(LAPTOP, await answered(b, LAPTOP)), { ok: true });
    t.match(await b.desk.voucher(LAPTOP, atB), { ok: true });
    // The newest is at B: A has 1450 in its journal, and whatever is shown to it, it extends nothing.
    for (const voucher of vouchers)
      t.match(await a.desk.voucher(PHONE, voucher), { ok: false, reason: 'channel-not-open' });
    a.restart();
    for (const voucher of vouchers) t.match(await a.desk.voucher(PHONE, voucher), { ok: false });
    t.equal(a.download(1n), 0n);
    t.match(await b.desk.voucher(LAPTOP, stolen), { reason: 'amount-not-increasing', lastVoucher: { amount: 2_050n } });
    t.match(await answers(), { a: { ok: false }, b: { reason: 'amount-not-increasing' } });
    // Home again, by the guest's own wish.
    t.match(await a.desk.attach(PHONE, await answered(a, PHONE)), { ok: true, view: { creditUnits: 2_050n } });
    for (const voucher of [stolen, early])
      t.match(await a.desk.voucher(PHONE, voucher), {
        reason: 'amount-not-increasing',
        lastVoucher: { amount: 2_050n },
      });
    b.restart();
    for (const voucher of vouchers) t.match(await b.desk.voucher(LAPTOP, voucher), { ok: false });
    t.equal(b.download(1n), 0n);
    t.match(await a.desk.voucher(PHONE, atHome), { ok: true, view: { creditUnits: 3_050n } });
    t.equal(a.driver.state.channels.get(id)?.voucher.amount, 3_050n);
  },
);

t.test('an answer to one router’s challenge opens nothing at its sister, nor the other way round', async (t) => {
  const { a, b } = new TwoRouters();
  await a.paid();
  // The attach names channel and challenge, no router: the challenge is what makes it one router's own.
  const toA = await answered(a, LAPTOP);
  const toB = await answered(b, LAPTOP);
  t.equal(toA.channelId, toB.channelId);
  t.match(await b.desk.attach(LAPTOP, toA), { ok: false, reason: 'bad-challenge' });
  t.match(await b.desk.attach(LAPTOP, toB), { ok: false, reason: 'bad-challenge' }, 'one try each');
  t.match(await a.desk.attach(LAPTOP, toB), { ok: false, reason: 'bad-challenge' });
  t.match(await a.desk.attach(LAPTOP, toA), { ok: false, reason: 'bad-challenge' });
  t.equal(a.download(1n), 1n, 'the guest goes on where it is');
  const own = await answered(b, LAPTOP);
  t.match(await b.desk.attach(PHONE, own), { ok: false, reason: 'bad-challenge' }, 'and one device’s');
  t.match(await b.desk.attach(LAPTOP, own), { ok: true });
});

t.test('what the chain does not hold is not sold on a word: not before the look, and not without one', async (t) => {
  const { a, b, ledger, link } = new TwoRouters();
  const request = await a.paid();
  const id = request.voucher.channelId;
  const held = ledger.get(id);
  if (held === undefined) throw new Error('no deposit');
  a.download(40_000_000n);
  await a.sample();
  const attach = async () => await b.desk.attach(LAPTOP, await answered(b, LAPTOP));

  b.chain.isReachable = false;
  t.match(await attach(), { ok: false, reason: 'chain-unreachable' });
  b.chain.isReachable = true;
  ledger.set(id, { ...held, exitAt: 5n });
  t.match(await attach(), { ok: false, reason: 'channel-not-open', got: '10000 units, being taken back' });
  ledger.set(id, { ...held, isClosed: true });
  t.match(await attach(), { ok: false, got: 'a closed channel' });
  t.equal(link.asked.length, 0, 'nothing has moved');
  t.equal(a.download(1n), 1n, 'and it is served on where it is');

  // Less than the vouchers that A has accepted come to: A's chain lags, or A lies.
  ledger.set(id, { ...held, deposit: 1_000n });
  t.match(await attach(), { ok: false, reason: 'channel-not-open', got: '1000 units' });
  t.match(b.driver.state.channels.get(id), { phase: 'pending' });
  t.equal(b.download(1n), 0n);
  t.match(await b.desk.voucher(LAPTOP, a.voucher(request, 2_050n)), { ok: false });
});

t.test('a hand-over that is brought is taken on the word of the chain', async (t) => {
  const { a, b, ledger, link } = new TwoRouters();
  const id = (await a.paid()).voucher.channelId;
  const held = ledger.get(id);
  if (held === undefined) throw new Error('no deposit');
  link.losesAnswers = true;
  t.match(await b.desk.attach(LAPTOP, await answered(b, LAPTOP)), { ok: false });
  link.losesAnswers = false;
  b.chain.isReachable = false;
  await a.watch.look();
  t.notOk(b.driver.state.channels.has(id), 'not without a look');
  b.chain.isReachable = true;
  ledger.set(id, { ...held, exitAt: 5n });
  await a.watch.look();
  await b.sample();
  t.match(b.driver.state.custody.get(id)?.last.handOver, { to: a.address, isOver: true }, 'it goes home at once');
  await b.watch.look();
  await a.sample();
  t.same([...a.paidOut.values()], [50n], 'and is closed there');
});

t.test('a stranger, another payee, a forged or altered hand-over are refused', async (t) => {
  const { a, b, link } = new TwoRouters();
  await a.paid();
  const asked = await answered(b, LAPTOP);
  link.losesAnswers = true;
  await b.desk.attach(LAPTOP, asked);
  const [query] = link.asked;
  if (query === undefined) throw new Error('nothing was asked');
  const given = await a.lent.give(query);
  if (!given.ok) throw new Error(given.message);
  const { handOver } = given.value;
  const changed = { ...given.value, handOver: { ...handOver, charged: 0n } };
  t.match(await b.lent.take(changed), { ok: false, message: /signatures/ });
  const forOther = { ...given.value, handOver: { ...handOver, to: a.address } };
  t.match(await b.lent.take(forOther), { ok: false, message: /not-for-us/ });
  t.match(await a.lent.give({ ...query, asker: '0x0000000000000000000000000000000000000bad' }), { ok: false });
  t.match(await a.lent.give({ ...query, sequence: 7n }), { ok: false, message: /signature/ });
  t.match(await a.lent.lookUp({ ...query, asked: b.address }), { ok: false, message: /expected a question to/ });
});

t.test('killed at each durable step, both routers find a channel at exactly one of them', async (t) => {
  for (const faulty of ['a', 'b'] as const) {
    for (let step = 0; step < 6; step++) {
      const world = new TwoRouters();
      const { a, b } = world;
      const request = await a.paid();
      a.download(30_000_000n);
      await a.sample();
      world[faulty].dieAtCommit(step);
      // Of who died nothing is ever heard.
      void answered(b, LAPTOP).then((answer) => b.desk.attach(LAPTOP, answer));
      await settled();
      b.download(10_000_000n);
      for (const router of [a, b]) {
        router.restart();
        await router.driver.reconciled();
      }
      for (let round = 0; round < 3; round++) {
        for (const router of [a, b]) {
          await router.sample();
          await router.watch.look();
        }
      }
      const id = request.voucher.channelId;
      const serving = [a, b].filter(({ driver }) =>
        ['active', 'grace'].includes(driver.state.channels.get(id)?.phase ?? ''),
      );
      const isClosed = a.paidOut.size === 1;
      t.equal(serving.length + (isClosed ? 1 : 0), 1, `${faulty} killed at commit ${step}`);
      const carried = a.carried + b.carried;
      t.ok(carried <= 100_000_000n);
      if (isClosed) t.ok(([...a.paidOut.values()][0] ?? 0n) >= 350n, 'nothing that was metered is forgotten');
    }
  }
});
