/**
 * The chain adapter, loaded with its first use: its libraries take memory and start time that a router without a paying
 * guest should not spend.
 */
import type { Chain } from '../ports.ts';
import type { ChainDeps } from './chain.ts';

export function lazyChain(deps: ChainDeps): Chain {
  let loading: Promise<Chain> | undefined;
  const chain = (): Promise<Chain> => {
    loading ??= import('./chain.ts').then(({ createChain }) => createChain(deps));
    return loading;
  };
  return {
    relayOpen: async (...request) => (await chain()).relayOpen(...request),
    channel: async (id) => (await chain()).channel(id),
    close: async (...request) => (await chain()).close(...request),
    balanceOf: async (owner) => (await chain()).balanceOf(owner),
  };
}
