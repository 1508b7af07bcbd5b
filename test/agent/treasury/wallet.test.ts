import t from 'tap';
import { emptyState } from '../../../agent/core/state.ts';
import type { ChainFailure } from '../../../agent/ports.ts';
import { Wallet, type WalletDeps } from '../../../agent/treasury/wallet.ts';
import { AgentScene } from '../../support/agent-scene.ts';
import { PHONE } from '../core/support/story.ts';

const OWNER = `0x${'0e'.repeat(20)}` as const;
const DEVICE = `0x${'de'.repeat(20)}` as const;
const PAYEE = `0x${'9a'.repeat(20)}` as const;
const AWAY: ChainFailure = { ok: false, reason: 'unreachable', message: 'the node does not answer' };
const TX = { ok: true, tx: `0x${'7e'.repeat(32)}`, feeWei: 9n } as const;

function scene(change: Partial<WalletDeps['chain']> = {}, deps: Partial<WalletDeps> = {}) {
  const sent: unknown[][] = [];
  let n = 0;
  const wallet = new Wallet({
    chain: {
      balanceOf: () => Promise.resolve({ ok: true, units: 700n }),
      earned: () => Promise.resolve({ ok: true, units: 300n, feeUnits: 15n }),
      costs: () => Promise.resolve({ ok: true, balanceWei: 5n, gasPriceWei: 1n }),
      transfer: (...asked) => {
        sent.push(['transfer', ...asked]);
        return Promise.resolve(TX);
      },
      withdraw: (...asked) => {
        sent.push(['withdraw', ...asked]);
        return Promise.resolve(TX);
      },
      ...change,
    },
    node: { device: DEVICE, payee: PAYEE },
    chainId: 31_337n,
    token: `0x${'70'.repeat(20)}`,
    state: () => emptyState(0, 0n),
    ownerAddress: () => OWNER,
    promisedUnits: () => 0n,
    name: () => `${++n}`,
    ...deps,
  });
  return { wallet, sent };
}

t.test('balances, and what guests owe', async (t) => {
  const agent = new AgentScene();
  await agent.desk.open(PHONE, agent.openRequest());
  agent.download(1_000_000n);
  await agent.sample();
  const { wallet } = scene({}, { state: () => agent.driver.state });
  t.match(await wallet.view(), {
    units: 700n,
    earnedUnits: 300n,
    coinWei: 5n,
    owner: OWNER,
    lockedUnits: 10_000n,
    claimableUnits: 60n,
    pendingUnits: 0n,
  });
});

t.test('what the chain does not say is absent, and why', async (t) => {
  const { wallet } = scene({ balanceOf: () => Promise.resolve(AWAY) }, { ownerAddress: () => undefined });
  const view = await wallet.view();
  t.equal(view.units, undefined);
  t.equal(view.owner, undefined);
  t.equal(view.trouble, AWAY.message);
});

t.test("earnings go to the payee, the node's own to the owner, each under a name of its own", async (t) => {
  const { wallet, sent } = scene();
  t.match(await wallet.withdraw(), {
    ok: true,
    moves: [
      { what: 'earnings', to: PAYEE, units: 285n },
      { what: 'own', to: OWNER, units: 700n },
    ],
  });
  t.strictSame(sent, [
    ['withdraw', PAYEE, '1'],
    ['transfer', OWNER, 700n, '2'],
  ]);
});

t.test('nothing goes anywhere without an address of the owner', async (t) => {
  const { wallet, sent } = scene({}, { ownerAddress: () => undefined });
  t.match(await wallet.withdraw(), { ok: false, reason: 'no-owner' });
  t.strictSame(sent, []);
});

t.test('more than there is is refused; what was sent before is told', async (t) => {
  const none = () => Promise.resolve({ ok: true as const, units: 0n, feeUnits: 0n });
  t.match(await scene({ earned: none }).wallet.withdraw(701n), { ok: false, reason: 'not-enough' });
  t.match(await scene().wallet.withdraw(701n), { ok: true, moves: [{ what: 'earnings' }], trouble: /holds 700/ });
  t.match(await scene({ earned: none, balanceOf: none }).wallet.withdraw(), { ok: true, moves: [] });
});

t.test('a chain that fails at any step is told', async (t) => {
  const away = () => Promise.resolve(AWAY);
  t.match(await scene({ earned: away }).wallet.withdraw(), { ok: false, reason: 'unreachable' });
  t.match(await scene({ withdraw: away }).wallet.withdraw(), { ok: false, reason: 'unreachable' });
  t.match(await scene({ balanceOf: away }).wallet.withdraw(), {
    ok: true,
    moves: [{ what: 'earnings' }],
    trouble: AWAY.message,
  });
  t.match(await scene({ transfer: away }).wallet.withdraw(), {
    ok: true,
    moves: [{ what: 'earnings' }],
    trouble: /transfer of 700 units may still be mined: .* \(the node does not answer\)/,
  });
  const no = () => Promise.resolve({ ok: false as const, reason: 'refused' as const, message: 'BalanceTooLow' });
  t.match(await scene({ transfer: no }).wallet.withdraw(), { trouble: /was refused: BalanceTooLow/ });
});

t.test('what passes that are being funded will take stays', async (t) => {
  const { wallet, sent } = scene({}, { promisedUnits: () => 600n });
  t.match(await wallet.withdraw(), { ok: true, moves: [{ what: 'earnings' }, { what: 'own', units: 100n }] });
  t.match(await wallet.withdraw(101n), { ok: true, trouble: /holds 700 units, 600 of them for passes; asked for 101/ });
  t.equal(sent.filter(([what]) => what === 'transfer').length, 1);
  const short = scene({}, { promisedUnits: () => 800n });
  t.match(await short.wallet.withdraw(), { ok: true, moves: [{ what: 'earnings' }] });
});
