/** The guest's view and the router's terms as JSON. The guest's MAC stays inside: the page has no use for it. */

import type { ChallengeResult, GuestView } from '../agent/ports.ts';
import { quoteJsonFromQuote, type SignedQuote } from '../protocol/quote.ts';
import { voucherJsonFromVoucher } from '../protocol/voucher.ts';
import type { ChallengeJson, TermsJson, ViewJson } from './page/wire.ts';
import type { PortalConfig } from './portal-config.ts';

export function viewJsonFromView(view: GuestView): ViewJson {
  return {
    v: 1,
    isOnline: view.isOnline,
    phase: view.phase,
    downBytes: `${view.downBytes}`,
    upBytes: `${view.upBytes}`,
    onlineMs: view.onlineMs,
    chargedUnits: `${view.chargedUnits}`,
    creditUnits: `${view.creditUnits}`,
    depositUnits: `${view.depositUnits}`,
    bytesRemaining: `${view.bytesRemaining}`,
    isLow: view.isLow,
    ...(view.channelId !== undefined && { channelId: view.channelId, hasReceipt: true }),
    ...(view.secondsRemaining !== undefined && { secondsRemaining: view.secondsRemaining }),
    ...(view.isPaused !== undefined && { isPaused: view.isPaused }),
    ...(view.lastVoucher !== undefined && { lastVoucher: voucherJsonFromVoucher(view.lastVoucher) }),
    ...(view.refund !== undefined && { refund: { units: `${view.refund.units}`, tx: view.refund.tx } }),
    ...(view.onChain !== undefined && { onChain: onChainJson(view.onChain) }),
  };
}

function onChainJson({
  openFeeUnits,
  claimedUnits,
  gasWei,
  ...txs
}: NonNullable<GuestView['onChain']>): NonNullable<ViewJson['onChain']> {
  return { openFeeUnits: `${openFeeUnits}`, claimedUnits: `${claimedUnits}`, gasWei: `${gasWei}`, ...txs };
}

/** `nowS`: the router's wall clock, which stamps the guest's authorisation. */
export function termsJson(quote: SignedQuote, { chain, portal, price }: PortalConfig, nowS: bigint): TermsJson {
  const deployment = deploymentJson(chain);
  const { chainId } = deployment;
  return {
    v: 1,
    quote: quoteJsonFromQuote(quote),
    deployment,
    tokenDomain: { name: chain.tokenName, version: chain.tokenVersion, chainId, verifyingContract: chain.token },
    packages: price.packages.map(({ name, units }) => ({ name, units: `${units}` })),
    trialBytes: `${price.trialBytes}`,
    nowS: `${nowS}`,
    ...(portal.faucetUnits !== undefined && { faucetUnits: `${portal.faucetUnits}` }),
  };
}

/** With where the channels live: a session can be taken up while nothing is sold and no terms are given. */
export function challengeJson(
  { channelId, challenge }: Extract<ChallengeResult, { ok: true }>,
  { chain }: PortalConfig,
): ChallengeJson {
  return { v: 1, ch: channelId, challenge, deployment: deploymentJson(chain) };
}

function deploymentJson({ chainId, channels }: PortalConfig['chain']): TermsJson['deployment'] {
  return { chainId: `${chainId}`, channels };
}
