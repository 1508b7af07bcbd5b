/**
 * SSP for whoever wants to try the router, from the node's own wallet; on development chains only, where SSP is worth nothing.
 * On any other chain it is refused before the chain is asked for anything. Guests get what `portal.faucet` says, if it is set.
 */
import type { Address } from '../../protocol/address.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { AgentConfig } from '../core/config.ts';
import { TRANSFER_GAS } from '../core/gas.ts';
import { DEVELOPMENT_CHAINS } from '../core/limits.ts';
import type { NodeIdentity } from '../core/model.ts';
import type { Chain, ChainCosts, FaucetResult } from '../ports.ts';

/** 1,000 SSP: more than a day of tests needs. */
export const MAX_FAUCET_UNITS: TokenAmount = 10_000_000n;

export type FaucetDeps = {
  readonly chain: Pick<Chain, 'balanceOf' | 'costs' | 'transfer'>;
  readonly node: NodeIdentity;
  readonly chainId: bigint;
  /** Of the node's own SSP, what passes that are being funded will take. */
  readonly promisedUnits: () => TokenAmount;
  /** The coin that the gas key must keep to close what is open. */
  readonly floorWei: (costs: ChainCosts) => bigint;
  /** Names each transfer, so that one of them is sent once. */
  readonly name: () => string;
};

export async function giveFromFaucet(deps: FaucetDeps, to: Address, units: TokenAmount): Promise<FaucetResult> {
  const { chain, node, chainId } = deps;
  if (!DEVELOPMENT_CHAINS.includes(chainId)) {
    const known = DEVELOPMENT_CHAINS.join(' or ');
    return refuse(
      'not-a-development-chain',
      `the faucet works on chain ${known} only; this router is on chain ${chainId}`,
    );
  }
  if (units < 1n || units > MAX_FAUCET_UNITS)
    return refuse('bad-amount', `the faucet gives 1 to ${MAX_FAUCET_UNITS} units, asked for ${units}`);
  const held = await chain.balanceOf(node.device);
  if (!held.ok) return refuse(held.reason, held.message);
  const promised = deps.promisedUnits();
  if (held.units < promised + units) {
    const message = `the node's wallet ${node.device} holds ${held.units} units, ${promised} of them for passes; asked for ${units}`;
    return refuse('not-enough', message);
  }
  const costs = await chain.costs();
  if (!costs.ok) return refuse(costs.reason, costs.message);
  const neededWei = deps.floorWei(costs) + TRANSFER_GAS * costs.gasPriceWei;
  if (costs.balanceWei < neededWei) {
    const message = `the gas key ${node.device} holds ${costs.balanceWei} wei, ${neededWei} are needed: send it coin`;
    return refuse('not-enough-coin', message);
  }
  const sent = await chain.transfer(to, units, deps.name());
  return sent.ok ? { ok: true, to, units, tx: sent.tx, feeWei: sent.feeWei } : refuse(sent.reason, sent.message);
}

export type GuestFaucetDeps = {
  readonly config: { readonly portal: Pick<AgentConfig['portal'], 'faucetUnits'> };
  readonly chain: Pick<Chain, 'balanceOf'>;
  readonly give: (to: Address, units: TokenAmount) => Promise<FaucetResult>;
};

/** What the portal's faucet asks: one guest after the other, and only who has less than one portion. */
export function guestFaucet({ config, chain, give }: GuestFaucetDeps): (to: Address) => Promise<FaucetResult> {
  let isGiving = false;
  return async (to) => {
    const { faucetUnits } = config.portal;
    if (faucetUnits === undefined) return refuse('no-faucet', 'the owner has set no portal.faucet');
    if (isGiving) return refuse('busy', 'another guest is being served; ask again in a few seconds');
    isGiving = true;
    try {
      const held = await chain.balanceOf(to);
      if (!held.ok) return refuse(held.reason, held.message);
      if (held.units >= faucetUnits) return refuse('has-enough', `${to} holds ${held.units} units already`);
      return await give(to, faucetUnits);
    } finally {
      isGiving = false;
    }
  };
}

function refuse(reason: string, message: string): Extract<FaucetResult, { ok: false }> {
  return { ok: false, reason, message };
}
