/** An owner's wallet and passes with answers that a test sets: what asks them is under test, not what they do. */
import type { FaucetResult, PassesResult, PassRow, WalletView, WithdrawResult } from '../../agent/ports.ts';
import type { Treasury } from '../../agent/treasury/treasury.ts';

export const PASS: PassRow = {
  serial: 7,
  code: 'ABCDE-FGHJK-MNPQR-STVWX',
  address: `0x${'a7'.repeat(20)}`,
  units: 50_000n,
  madeS: 1_700_000_000n,
  state: 'ready',
  leftUnits: 50_000n,
};
export const VIEW: WalletView = {
  device: `0x${'de'.repeat(20)}`,
  payee: `0x${'9a'.repeat(20)}`,
  owner: `0x${'0e'.repeat(20)}`,
  chainId: 31_337n,
  token: `0x${'70'.repeat(20)}`,
  units: 120_000n,
  earnedUnits: 30_000n,
  coinWei: 1_500_000_000_000_000_000n,
  floorWei: 210_000_000_000_000n,
  lockedUnits: 10_000n,
  claimableUnits: 1_234n,
  pendingUnits: 500n,
};

export class ScriptedTreasury implements Treasury {
  readonly asked: unknown[][] = [];
  created: PassesResult = { ok: true, passes: [{ ...PASS, state: 'funding' }] };
  listed: readonly PassRow[] = [PASS];
  seen: WalletView = VIEW;
  withdrawn: WithdrawResult = { ok: true, moves: [] };

  given: FaucetResult = { ok: false, reason: 'not-a-development-chain', message: 'this router is on chain 1' };

  readonly faucet: Treasury['faucet'] = (to, units) => {
    this.asked.push(['faucet', to, units]);
    return Promise.resolve(this.given);
  };

  readonly passes: Treasury['passes'] = {
    create: (count, units) => {
      this.asked.push(['create', count, units]);
      return Promise.resolve(this.created);
    },
    fund: () => {
      this.asked.push(['fund']);
      return Promise.resolve(this.created);
    },
    list: () => Promise.resolve(this.listed),
  };

  readonly wallet: Treasury['wallet'] = {
    view: () => Promise.resolve(this.seen),
    withdraw: (units) => {
      this.asked.push(['withdraw', units]);
      return Promise.resolve(this.withdrawn);
    },
  };
}
