/** The node's wallet, as its owner sees it: what the router holds, what guests owe it, and the way home for all of it. */
import type { Address } from '../../protocol/address.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import { accountOf } from '../core/account.ts';
import type { NodeIdentity } from '../core/model.ts';
import { floatFloorWei } from '../core/settlement.ts';
import { type AgentState, channelOfSession } from '../core/state.ts';
import type { Chain, ChainFailure, WalletMove, WalletView, WithdrawResult } from '../ports.ts';

export type WalletDeps = {
  readonly chain: Pick<Chain, 'balanceOf' | 'earned' | 'costs' | 'transfer' | 'withdraw'>;
  readonly node: NodeIdentity;
  readonly chainId: bigint;
  readonly token: Address;
  readonly state: () => AgentState;
  /** Set once by the command line on the router. @throws if it cannot be read */
  readonly ownerAddress: () => Address | undefined;
  /** Of the node's own SSP, what passes that are being funded will take. */
  readonly promisedUnits: () => TokenAmount;
  /** Names each withdrawal, so that one of them is sent once. */
  readonly name: () => string;
};

export class Wallet {
  readonly #deps: WalletDeps;

  constructor(deps: WalletDeps) {
    this.#deps = deps;
  }

  async view(): Promise<WalletView> {
    const { chain, node, chainId, token, state, ownerAddress } = this.#deps;
    const [held, earned, costs] = await Promise.all([
      chain.balanceOf(node.device),
      chain.earned(node.payee),
      chain.costs(),
    ]);
    const owner = ownerAddress();
    const now = state();
    return {
      device: node.device,
      payee: node.payee,
      chainId,
      token,
      ...(owner === undefined ? {} : { owner }),
      ...(held.ok ? { units: held.units } : { trouble: held.message }),
      ...(earned.ok ? { earnedUnits: earned.units } : { trouble: earned.message }),
      ...(costs.ok ? { coinWei: costs.balanceWei, floorWei: floatFloorWei(now, costs) } : { trouble: costs.message }),
      ...channelSums(now),
    };
  }

  /**
   * Brings home what there is: the payee's earnings to the payee, and `units` (absent: all) of the node's own SSP to the
   * owner's address. The coin stays: it pays for closing channels.
   */
  async withdraw(units?: TokenAmount): Promise<WithdrawResult> {
    const { chain, node, ownerAddress } = this.#deps;
    const owner = ownerAddress();
    if (owner === undefined) {
      return refuse('no-owner', 'the owner has no address yet; on the router: shareagent wallet owner 0x..');
    }
    const moves: WalletMove[] = [];
    const earned = await chain.earned(node.payee);
    if (!earned.ok) return refuse(earned.reason, earned.message);
    if (earned.units > 0n) {
      const paid = await chain.withdraw(node.payee, this.#deps.name());
      if (!paid.ok) return refuse(paid.reason, fateOf('the withdrawal of earnings', paid));
      moves.push({
        what: 'earnings',
        to: node.payee,
        units: earned.units - earned.feeUnits,
        tx: paid.tx,
        feeWei: paid.feeWei,
      });
    }
    const held = await chain.balanceOf(node.device);
    if (!held.ok) return { ok: true, moves, trouble: held.message };
    const promised = this.#deps.promisedUnits();
    const free = held.units > promised ? held.units - promised : 0n;
    const sent = units ?? free;
    if (sent > free) {
      const message = `the node's wallet holds ${held.units} units, ${promised} of them for passes; asked for ${sent}`;
      return moves.length === 0 ? refuse('not-enough', message) : { ok: true, moves, trouble: message };
    }
    if (sent === 0n) return { ok: true, moves };
    const result = await chain.transfer(owner, sent, this.#deps.name());
    if (!result.ok) return { ok: true, moves, trouble: fateOf(`the transfer of ${sent} units`, result) };
    return {
      ok: true,
      moves: [...moves, { what: 'own', to: owner, units: sent, tx: result.tx, feeWei: result.feeWei }],
    };
  }
}

/** What guests have put aside, what of it is earned and not claimed yet, and what is still on its way. */
function channelSums(state: AgentState): Pick<WalletView, 'lockedUnits' | 'claimableUnits' | 'pendingUnits'> {
  let lockedUnits = 0n;
  let claimableUnits = 0n;
  for (const session of state.sessions.values()) {
    const channel = channelOfSession(state, session);
    if (channel === undefined || ['pending', 'failed', 'settled'].includes(channel.phase)) continue;
    const claimed = channel.claimedUnits ?? 0n;
    const charged = channel.closeUnits ?? accountOf(session, channel).chargedUnits;
    lockedUnits += channel.deposit - claimed;
    if (charged > claimed) claimableUnits += charged - claimed;
  }
  const pending = [...state.channels.values()].filter(({ phase }) => phase === 'pending');
  return { lockedUnits, claimableUnits, pendingUnits: pending.reduce((sum, { voucher }) => sum + voucher.amount, 0n) };
}

/** What was signed and is not mined in time is still alive: whoever asks anew at once may send it twice. */
function fateOf(what: string, { reason, message }: ChainFailure): string {
  if (reason === 'refused') return `${what} was refused: ${message}`;
  return `${what} may still be mined: ask for the balances before you send it again (${message})`;
}

function refuse(reason: string, message: string): Extract<WithdrawResult, { ok: false }> {
  return { ok: false, reason, message };
}
