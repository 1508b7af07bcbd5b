/** How a guest's page learns what a pass code holds, and how often the chain is asked for it. */
import t from 'tap';
import { BalanceDesk } from '../../../agent/guest/balance-desk.ts';
import type { Chain } from '../../../agent/ports.ts';
import type { Address } from '../../../protocol/address.ts';

function addressOf(n: number): Address {
  return `0x${n.toString(16).padStart(40, '0')}`;
}

function scene(answer: Awaited<ReturnType<Chain['balanceOf']>> = { ok: true, units: 7n }) {
  const asked: Address[] = [];
  let nowMs = 0;
  const desk = new BalanceDesk({
    chain: { balanceOf: (owner) => Promise.resolve(answer).finally(() => asked.push(owner)) },
    clock: { monotonicMs: () => nowMs },
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { desk, asked, pass };
}

t.test('the chain is asked once for pages that ask at the same time, and again two seconds later', async (t) => {
  const { desk, asked, pass } = scene();
  const [a, b] = await Promise.all([desk.balance(addressOf(1)), desk.balance(addressOf(1))]);
  t.strictSame(
    [a, b],
    [
      { ok: true, units: 7n },
      { ok: true, units: 7n },
    ],
  );
  t.equal(asked.length, 1);
  pass(2_000);
  await desk.balance(addressOf(1));
  t.equal(asked.length, 2);
});

t.test('a crowd of addresses is not asked for: 120 a minute, and the next minute 120 again', async (t) => {
  const { desk, asked, pass } = scene();
  for (let i = 0; i < 120; i++) t.ok((await desk.balance(addressOf(i))).ok);
  t.match(await desk.balance(addressOf(500)), { ok: false, reason: 'not-checked', got: 'more' });
  t.equal(asked.length, 120);
  t.ok((await desk.balance(addressOf(119))).ok, 'what was just answered is answered still');
  pass(60_000);
  t.ok((await desk.balance(addressOf(500))).ok);
});

t.test('a chain that does not answer is said so', async (t) => {
  const { desk } = scene({ ok: false, reason: 'unreachable', message: 'timeout' });
  t.match(await desk.balance(addressOf(1)), { ok: false, reason: 'chain-unreachable', got: 'timeout' });
});
