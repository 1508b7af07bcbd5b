import t from 'tap';
import type { ChainFailure } from '../../../agent/ports.ts';
import { type FaucetDeps, giveFromFaucet, guestFaucet, MAX_FAUCET_UNITS } from '../../../agent/treasury/faucet.ts';

const TO = `0x${'0e'.repeat(20)}` as const;
const DEVICE = `0x${'de'.repeat(20)}` as const;
const TX = { ok: true, tx: `0x${'7e'.repeat(32)}`, feeWei: 9n } as const;
/** A transfer takes 65,000 gas. */
const COSTS = { ok: true, gasPriceWei: 2n, balanceWei: 130_007n } as const;
const AWAY: ChainFailure = { ok: false, reason: 'unreachable', message: 'the node does not answer' };

function scene(change: Partial<FaucetDeps> = {}) {
  const asked: unknown[][] = [];
  const deps: FaucetDeps = {
    chain: {
      balanceOf: (...words) => {
        asked.push(['balanceOf', ...words]);
        return Promise.resolve({ ok: true, units: 700n });
      },
      costs: () => Promise.resolve(COSTS),
      transfer: (...words) => {
        asked.push(['transfer', ...words]);
        return Promise.resolve(TX);
      },
    },
    node: { device: DEVICE, payee: TO },
    chainId: 31_337n,
    promisedUnits: () => 100n,
    floorWei: () => 7n,
    name: () => 'once',
    ...change,
  };
  return { asked, give: (units: bigint) => giveFromFaucet(deps, TO, units) };
}

t.test('on a development chain the node gives of its own, but not what passes need', async (t) => {
  const { asked, give } = scene();
  t.match(await give(600n), { ok: true, to: TO, units: 600n, tx: TX.tx, feeWei: 9n });
  t.match(asked, [
    ['balanceOf', DEVICE],
    ['transfer', TO, 600n, 'once'],
  ]);
  t.match(await give(601n), { ok: false, reason: 'not-enough', message: /holds 700 units, 100 of them for passes/ });
  t.match(await give(0n), { ok: false, reason: 'bad-amount' });
  t.match(await give(MAX_FAUCET_UNITS + 1n), { ok: false, reason: 'bad-amount' });
  t.equal(asked.filter(([what]) => what === 'transfer').length, 1);
  t.match(await scene({ chainId: 1_337n }).give(5n), { ok: true });
});

t.test('on any other chain it refuses, and the chain is not even asked', async (t) => {
  for (const chainId of [1n, 10n, 137n, 8_453n, 11_155_111n, 31_338n]) {
    const { asked, give } = scene({ chainId });
    const message = new RegExp(`works on chain 31337 or 1337 only; this router is on chain ${chainId}$`);
    t.match(await give(5n), { ok: false, reason: 'not-a-development-chain', message });
    t.strictSame(asked, []);
  }
});

t.test('a chain that does not answer is told', async (t) => {
  const transfer = () => Promise.resolve(TX);
  const away = () => Promise.resolve(AWAY);
  const costs = () => Promise.resolve(COSTS);
  t.match(await scene({ chain: { balanceOf: away, costs, transfer } }).give(5n), { ok: false, reason: 'unreachable' });
  const balanceOf = () => Promise.resolve({ ok: true as const, units: 9_999n });
  t.match(await scene({ chain: { balanceOf, costs: away, transfer } }).give(5n), { ok: false, reason: 'unreachable' });
  t.match(await scene({ chain: { balanceOf, costs, transfer: away } }).give(5n), { ok: false, message: AWAY.message });
});

t.test('guests who make up addresses get none of the coin that closes channels', async (t) => {
  const poor = scene({ floorWei: () => 8n });
  t.match(await poor.give(5n), {
    ok: false,
    reason: 'not-enough-coin',
    message: /holds 130007 wei, 130008 are needed/,
  });
  t.notOk(poor.asked.some(([what]) => what === 'transfer'));
  t.match(await scene().give(5n), { ok: true });
});

t.test('a guest gets the owner’s portion, once, and one guest after the other', async (t) => {
  const held = new Map<string, bigint>();
  const given: unknown[][] = [];
  let finish = () => {};
  const chain = { balanceOf: (owner: string) => Promise.resolve({ ok: true as const, units: held.get(owner) ?? 0n }) };
  const portal: { faucetUnits?: bigint } = {};
  const faucet = guestFaucet({
    config: { portal },
    chain,
    give: async (to, units) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      given.push([to, units]);
      held.set(to, units);
      return { ...TX, to, units };
    },
  });
  t.match(await faucet(TO), { ok: false, reason: 'no-faucet' });
  portal.faucetUnits = 500n;
  const first = faucet(TO);
  t.match(await faucet(DEVICE), { ok: false, reason: 'busy' });
  finish();
  t.match(await first, { ok: true, units: 500n });
  t.match(await faucet(TO), { ok: false, reason: 'has-enough', message: /holds 500 units already/ });
  held.set(TO, 499n);
  const again = faucet(TO);
  await new Promise(setImmediate);
  finish();
  t.match(await again, { ok: true }, 'who has used some may ask for more');
  t.strictSame(given, [
    [TO, 500n],
    [TO, 500n],
  ]);
  const away = guestFaucet({ config: { portal }, chain: { balanceOf: () => Promise.resolve(AWAY) }, give: faucet });
  t.match(await away(TO), { ok: false, reason: 'unreachable' });
  t.match(await away(TO), { ok: false, reason: 'unreachable' }, 'and is not busy for ever');
});
