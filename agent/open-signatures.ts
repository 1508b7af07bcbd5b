/** The three signatures of an open request: the router's own under the quote, the guest's under voucher and deposit. */
import { depositNonce } from '../protocol/channel.ts';
import { authorizationDigest, type SignedAuthorization } from '../protocol/funding.ts';
import type { OpenRequest } from '../protocol/open-wire.ts';
import { quoteDigest } from '../protocol/quote.ts';
import { recoverSigner } from '../protocol/signature.ts';
import { voucherSigner } from '../protocol/voucher.ts';
import type { AgentConfig } from './core/config.ts';
import type { DeskRefusal } from './ports.ts';

/** Each check costs a router 20-40 ms: only after everything that is cheap. Undefined if all three hold. */
export function judgeOpenSignatures(settings: AgentConfig['chain'], request: OpenRequest): DeskRefusal | undefined {
  const { quote, config, voucher } = request;
  const { chainId, channels, token } = settings;
  if (recoverSigner(quoteDigest({ chainId, channels }, quote), quote.signature) !== quote.device) {
    return refusal('bad-quote', 'a quote signed by this router');
  }
  if (voucherSigner({ chainId, channels }, voucher) !== config.signer) {
    return refusal('bad-signature', `a first voucher signed by ${config.signer}`);
  }
  const tokenDomain = {
    name: settings.tokenName,
    version: settings.tokenVersion,
    chainId,
    verifyingContract: token,
  };
  const authorization = authorizationFrom(settings, request);
  const payer = recoverSigner(authorizationDigest(tokenDomain, authorization), authorization.signature);
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
