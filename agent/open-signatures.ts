/** The three signatures of an open request: the router's own under the quote, the guest's under voucher and deposit. */
import { depositNonce } from '../protocol/channel.ts';
import { authorizationDigest, type SignedAuthorization } from '../protocol/funding.ts';
import type { OpenRequest } from '../protocol/open-wire.ts';
import { quoteDigest } from '../protocol/quote.ts';
import { voucherDigest } from '../protocol/voucher.ts';
import type { AgentConfig } from './core/config.ts';
import type { DeskRefusal, Verifier } from './ports.ts';

/**
 * Each check costs a router up to 0.1 s: only after everything that is cheap. Undefined if all three hold.
 * @throws VerifierError if they could not be checked.
 */
export async function judgeOpenSignatures(
  verifier: Verifier,
  settings: AgentConfig['chain'],
  request: OpenRequest,
): Promise<DeskRefusal | undefined> {
  const { quote, config, voucher } = request;
  const { chainId, channels, token } = settings;
  const tokenDomain = {
    name: settings.tokenName,
    version: settings.tokenVersion,
    chainId,
    verifyingContract: token,
  };
  const authorization = authorizationFrom(settings, request);
  const [device, signer, payer] = await verifier.recover([
    { digest: quoteDigest({ chainId, channels }, quote), signature: quote.signature },
    { digest: voucherDigest({ chainId, channels }, voucher), signature: voucher.signature },
    { digest: authorizationDigest(tokenDomain, authorization), signature: authorization.signature },
  ]);
  if (device !== quote.device) return refusal('bad-quote', 'a quote signed by this router');
  if (signer !== config.signer) return refusal('bad-signature', `a first voucher signed by ${config.signer}`);
  if (payer === config.payer) return undefined;
  return refusal('bad-signature', `a deposit authorised by ${config.payer}`);
}

/** EIP-3009: the deposit may go to the contract, and only into this channel. */
export function authorizationFrom(settings: AgentConfig['chain'], request: OpenRequest): SignedAuthorization {
  const { config, deposit, authorization, voucher } = request;
  return {
    from: config.payer,
    to: settings.channels,
    value: deposit,
    validAfter: authorization.validAfter,
    validBefore: authorization.validBefore,
    nonce: depositNonce(voucher.channelId, 0n),
    signature: authorization.signature,
  };
}

function refusal(reason: 'bad-quote' | 'bad-signature', expected: string): DeskRefusal {
  return { ok: false, reason, expected, got: 'another signature' };
}
