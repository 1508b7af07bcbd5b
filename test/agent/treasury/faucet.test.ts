import t from 'tap';
import type { ChainFailure } from '../../../agent/ports.ts';
import { type FaucetDeps, giveFromFaucet, MAX_FAUCET_UNITS } from '../../../agent/treasury/faucet.ts';

const TO = `0x${'0e'.repeat(20)}` as const;
const DEVICE = `0x${'de'.repeat(20)}` as const;
const TX = { ok: true, tx: `0x${'7e'.repeat(32)}`, feeWei: 9n } as const;
const AWAY: ChainFailure = { ok: false, reason: 'unreachable', message: 'the node does not answer' };

function scene(change: Partial<FaucetDeps> = {}) {
  const asked: unknown[][] = [];
  const deps: FaucetDeps = {
    chain: {
      balanceOf: (...words) => {
        asked.push(['balanceOf', ...words]);
        return Promise.resolve({ ok: true, units: 700n });
      },
      transfer: (...words) => {
        asked.push(['transfer', ...words]);
        return Promise.resolve(TX);
      },
    },
    node: { device: DEVICE, payee: TO },
    chainId: 31_337n,
    promisedUnits: () => 100n,
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
  t.match(await scene({ chain: { balanceOf: away, transfer } }).give(5n), { ok: false, reason: 'unreachable' });
  const balanceOf = () => Promise.resolve({ ok: true as const, units: 9_999n });
  t.match(await scene({ chain: { balanceOf, transfer: away } }).give(5n), { ok: false, message: AWAY.message });
});
