/** What a guest was shown and agreed to: whether a newer offer is still the same one, and what holds for a channel. Pure. */
import type { Hex } from '../../protocol/hex.ts';
import type { SignedQuote } from '../../protocol/quote.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { Terms } from './wallet.ts';

/** Prices that a channel keeps as long as it lives, whatever the router offers later. */
export type Tariff = Pick<SignedQuote, 'unitsPerMb' | 'unitsPerMinute'>;

/** What this page knows of a channel because it signed it, not because the router says so. */
export type Deal = {
  readonly channelId: Hex;
  /** What was shown as set aside: the page pays no more on its own. */
  readonly most: TokenAmount;
  /** Undefined for a session taken up from another device: the router's word would be all there is. */
  readonly tariff: Tariff | undefined;
};

/**
 * True if `fresh` means to the guest what `shown` does: price, fee, deposit, packages, and whom it pays with which token in
 * which contract. Times and the nonce differ in every quote.
 */
export function isSameOffer(shown: Terms, fresh: Terms): boolean {
  return meaningOf(shown) === meaningOf(fresh);
}

function meaningOf({ quote, deployment, tokenDomain, packages, trialBytes }: Terms): string {
  const { device, payee, token, unitsPerMb, unitsPerMinute, minDeposit, openFee, exitDelay } = quote;
  const { name, version, chainId, verifyingContract } = tokenDomain;
  return JSON.stringify(
    [
      [device, payee, token, unitsPerMb, unitsPerMinute, minDeposit, openFee, exitDelay],
      [deployment.chainId, deployment.channels, name, version, chainId, verifyingContract, trialBytes],
      packages.map((offer) => [offer.name, offer.units]),
    ],
    (_key, value: unknown) => (typeof value === 'bigint' ? `${value}` : value),
  );
}
