/** The signatures of an open request: the router's own under the quote, the payer's under voucher and deposit. */
import { depositNonce, openDigest } from '../../protocol/channel.ts';
import { authorizationDigest } from '../../protocol/funding.ts';
import type { AnyOpenRequest } from '../../protocol/open-wire.ts';
import { permit2Digest, permit2Nonce } from '../../protocol/permit.ts';
import { quoteDigest } from '../../protocol/quote.ts';
import { voucherDigest } from '../../protocol/voucher.ts';
import type { AgentConfig } from '../core/config.ts';
import { refuse } from '../core/refusal.ts';
import type { DeskRefusal, OpenDeposit, SignatureClaim, Verifier } from '../ports.ts';

/**
 * Each check costs a router up to 0.1 s: only after everything that is cheap. Undefined if all hold. What a token alone can
 * check (the permit of EIP-2612, whose nonce it keeps) is left to the simulation before anything is sent.
 * @throws VerifierError if they could not be checked.
 */
export async function judgeOpenSignatures(
  verifier: Verifier,
  settings: AgentConfig['chain'],
  request: AnyOpenRequest,
): Promise<DeskRefusal | undefined> {
  const { quote, config, voucher } = request;
  const { chainId, channels } = settings;
  const deposit = payersClaim(settings, request);
  const [device, signer, payer] = await verifier.recover([
    { digest: quoteDigest({ chainId, channels }, quote), signature: quote.signature },
    { digest: voucherDigest({ chainId, channels }, voucher), signature: voucher.signature },
    ...(deposit === undefined ? [] : [deposit]),
  ]);
  if (device !== quote.device) return refuse('bad-quote', 'a quote signed by this router', 'another signature');
  if (signer !== config.signer)
    return refuse('bad-signature', `a first voucher signed by ${config.signer}`, 'another signature');
  if (deposit === undefined || payer === config.payer) return undefined;
  return refuse('bad-signature', `a deposit authorised by ${config.payer}`, 'another signature');
}

/** What the router relays; undefined if the payer opens the channel itself. */
export function depositFrom(settings: AgentConfig['chain'], request: AnyOpenRequest): OpenDeposit | undefined {
  const { config, deposit: amount, voucher } = request;
  if ('authorization' in request) {
    const nonce = depositNonce(voucher.channelId, 0n);
    return { from: config.payer, to: settings.channels, value: amount, nonce, ...request.authorization };
  }
  if ('permit' in request) {
    const { deadline, signature: permitSignature, openSignature } = request.permit;
    return { standard: 'eip-2612', amount, deadline, permitSignature, openSignature };
  }
  if ('permit2' in request) return { standard: 'permit2', amount, ...request.permit2 };
  return undefined;
}

/** The signature by which the payer binds the deposit to this channel and to no other. */
function payersClaim(settings: AgentConfig['chain'], request: AnyOpenRequest): SignatureClaim | undefined {
  const { chainId, channels, token, tokenName: name, tokenVersion: version } = settings;
  const id = request.voucher.channelId;
  const deposit = depositFrom(settings, request);
  if (deposit === undefined) return undefined;
  if (!('standard' in deposit)) {
    const domain = { name, version, chainId, verifyingContract: token };
    return { digest: authorizationDigest(domain, deposit), signature: deposit.signature };
  }
  const { amount, deadline } = deposit;
  if (deposit.standard === 'eip-2612') {
    return { digest: openDigest({ chainId, channels }, id, amount, deadline), signature: deposit.openSignature };
  }
  const permit = { token, amount, spender: channels, nonce: permit2Nonce(id, 0n), deadline, channelId: id };
  return { digest: permit2Digest(chainId, permit), signature: deposit.signature };
}
