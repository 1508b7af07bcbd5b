/**
 * The chain adapter, loaded with its first use: its libraries take memory and start time that a router without a paying
 * guest should not spend.
 */
import type { Chain } from '../ports.ts';
import type { RewardsChain } from '../rewards-port.ts';
import type { ChainDeps } from './chain.ts';

export function lazyChain(deps: ChainDeps): Chain & RewardsChain {
  let loading: Promise<Chain & RewardsChain> | undefined;
  const chain = (): Promise<Chain & RewardsChain> => {
    loading ??= import('./chain.ts').then(({ createChain }) => createChain(deps));
    return loading;
  };
  return {
    relayOpen: async (...request) => (await chain()).relayOpen(...request),
    channel: async (id) => (await chain()).channel(id),
    claim: async (claims) => (await chain()).claim(claims),
    claimTicks: async (claim) => (await chain()).claimTicks(claim),
    close: async (...request) => (await chain()).close(...request),
    balanceOf: async (owner) => (await chain()).balanceOf(owner),
    earned: async (payee) => (await chain()).earned(payee),
    transfer: async (...request) => (await chain()).transfer(...request),
    withdraw: async (...request) => (await chain()).withdraw(...request),
    rewardWeeks: async (...request) => (await chain()).rewardWeeks(...request),
    claimRewards: async (...request) => (await chain()).claimRewards(...request),
    costs: async () => (await chain()).costs(),
    time: async () => (await chain()).time(),
    tend: async () => {
      // Nothing sent, nothing to look after: no reason to load what it takes.
      const isIdle = loading === undefined && (deps.log?.live().length ?? 0) === 0;
      return isIdle ? { ok: true, isIdle } : (await chain()).tend();
    },
  };
}
