/** A deposit that a wallet outside the page makes, as JSON: the two calls, and a link for wallets that take EIP-681. */
import type { DepositRequest } from '../agent/ports.ts';
import { approveLink, pullCalls } from '../protocol/outside-wallet.ts';
import type { PortalConfig } from './portal-config.ts';

export function depositJson({ channelId, config, units }: DepositRequest, { chain }: PortalConfig) {
  const { chainId, token, channels } = chain;
  const [approve, open] = pullCalls({ channels, token }, config, units);
  return {
    v: 1,
    channelId,
    chainId: `${chainId}`,
    payer: config.payer,
    units: `${units}`,
    // In this order, as eth_sendTransaction.
    calls: [approve, open],
    approveLink: approveLink(chainId, token, channels, units),
  };
}
