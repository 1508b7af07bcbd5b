/** The owner's money matters in one hand: the node's wallet and the passes that it funds. */
import type { Address } from '../../protocol/address.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { AgentConfig } from '../core/config.ts';
import type { NodeIdentity } from '../core/model.ts';
import { floatFloorWei } from '../core/settlement.ts';
import type { Driver, DriverLog } from '../driver.ts';
import { PassDesk } from '../guest/pass-desk.ts';
import type { Chain, ChainCosts, Clock, FaucetResult, PassBook, Signer } from '../ports.ts';
import { giveFromFaucet, guestFaucet } from './faucet.ts';
import { Wallet, type WalletDeps } from './wallet.ts';

export type Treasury = {
  readonly passes: Pick<PassDesk, 'create' | 'fund' | 'list'>;
  readonly wallet: Pick<Wallet, 'view' | 'withdraw'>;
  /** On development chains only. */
  readonly faucet: (to: Address, units: TokenAmount) => Promise<FaucetResult>;
};

/** With what guests may ask of it. */
export type NodeTreasury = Treasury & { readonly guestFaucet: (to: Address) => Promise<FaucetResult> };

export type TreasuryDeps = {
  readonly config: AgentConfig;
  readonly driver: Driver;
  readonly chain: Chain;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly node: NodeIdentity;
  readonly passBook: PassBook;
  readonly passSeed: () => Uint8Array;
  readonly ownerAddress: WalletDeps['ownerAddress'];
  readonly random32: () => Uint8Array;
  readonly log: DriverLog;
};

export function createTreasury(deps: TreasuryDeps): NodeTreasury {
  const { chain, clock, log, node, ownerAddress, passBook: book, passSeed: seed, signer } = deps;
  const { chainId, token } = deps.config.chain;
  const state = () => deps.driver.state;
  const name = () => Buffer.from(deps.random32()).toString('hex');
  const passes = new PassDesk({ book, seed, chain, gasKey: signer, state, clock, log });
  const promisedUnits = () => passes.fundingUnits;
  const floorWei = (costs: ChainCosts) => floatFloorWei(state(), costs);
  const faucet: Treasury['faucet'] = (to, units) =>
    giveFromFaucet({ chain, node, chainId, promisedUnits, floorWei, name }, to, units);
  return {
    passes,
    wallet: new Wallet({ chain, node, chainId, token, state, ownerAddress, promisedUnits, name }),
    faucet,
    guestFaucet: guestFaucet({ config: deps.config, chain, give: faucet }),
  };
}
