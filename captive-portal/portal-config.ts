/** What of the agent's configuration the portal needs. An AgentConfig is one. */
import type { AgentConfig } from '../agent/core/config.ts';

export type PortalConfig = {
  readonly portal: AgentConfig['portal'];
  readonly price: Pick<AgentConfig['price'], 'packages' | 'trialBytes'>;
  readonly chain: Pick<AgentConfig['chain'], 'chainId' | 'channels' | 'token' | 'tokenName' | 'tokenVersion'>;
};
