/**
 * The guest's wallet: what it signs to open a channel, to add to it and to catch up after a lost answer.
 * Pure functions over the protocol, used by the page, by the form that works without JavaScript and by scripted guests.
 * It never signs above what the guest agreed to: amounts come from the caller and are held below the deposit.
 *
 * @see protocol/open-wire.ts, protocol/voucher.ts
 */
import type { Address } from '../../protocol/address.ts';
import { type SignedAttach, signAttach } from '../../protocol/attach.ts';
import { type ChannelConfig, type ChannelsDeployment, channelId, depositNonce } from '../../protocol/channel.ts';
import type { Domain } from '../../protocol/eip712.ts';
import { authorizationDigest } from '../../protocol/funding.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { OpenRequest, PaymentMode } from '../../protocol/open-wire.ts';
import { parsePassCode, secretKeyFromPassCode } from '../../protocol/pass-code.ts';
import { isQuoteSigned, quoteJsonFromQuote, type SignedQuote } from '../../protocol/quote.ts';
import { addressFromSecretKey, isSecretKey, signDigest } from '../../protocol/signature.ts';
import { BYTES_PER_MB, type ByteCount, type TokenAmount } from '../../protocol/units.ts';
import {
  type SignedVoucher,
  signVoucher,
  type Voucher,
  voucherJsonFromVoucher,
  voucherSigner,
} from '../../protocol/voucher.ts';

/** What a router offers now, and where its channels and token live. */
export type Terms = {
  readonly quote: SignedQuote;
  readonly deployment: ChannelsDeployment;
  readonly tokenDomain: Domain;
  readonly packages: readonly PackageOffer[];
  readonly trialBytes: ByteCount;
  /** The router's wall clock: a phone's own may be hours off. */
  readonly nowS: bigint;
  /** Test SSP for a ticket, where SSP is worth nothing. */
  readonly faucetUnits?: TokenAmount;
};

/** `units` bought in one tap, in HOLD mode. */
export type PackageOffer = { readonly name: string; readonly units: TokenAmount };

export type Purchase = {
  readonly terms: Terms;
  readonly secretKey: Uint8Array;
  /** Moved into the channel; what is not claimed returns to the same key. */
  readonly deposit: TokenAmount;
  /** Ceiling of the first voucher, open fee included. */
  readonly firstAmount: TokenAmount;
  readonly mode: PaymentMode;
  /** 32 random bytes: makes the channel distinct. */
  readonly salt: Hex;
  /** Unix seconds until which the deposit may be moved; an hour from the router's now if left out. */
  readonly validBefore?: bigint;
};

export type WalletRefusal = {
  readonly ok: false;
  readonly reason: 'bad-quote' | 'deposit-too-small' | 'voucher-below-open-fee' | 'amount-above-deposit';
  readonly expected: string;
  readonly got: string;
};

/** The router may relay the deposit for this long; the nonce binds it to one channel, so later would do no harm. */
const AUTHORIZATION_SECONDS = 3_600n;
/** The first package and two more. */
const DEPOSIT_PACKAGES = 3n;

/** Key of a pass code as a person typed it, or undefined if it is none. */
export function secretKeyFromText(text: string): Uint8Array | undefined {
  const code = parsePassCode(text);
  const secretKey = code === undefined ? undefined : secretKeyFromPassCode(code);
  return secretKey !== undefined && isSecretKey(secretKey) ? secretKey : undefined;
}

/** Everything a router needs to open the channel and serve at once. Signs three times. */
export function openRequestFrom({
  terms,
  secretKey,
  deposit,
  firstAmount,
  mode,
  salt,
  validBefore = terms.nowS + AUTHORIZATION_SECONDS,
}: Purchase): WalletResult<{ readonly request: OpenRequest }> {
  const { quote, deployment, tokenDomain } = terms;
  if (!isQuoteSigned(deployment, quote))
    return refuse('bad-quote', `a quote signed by ${quote.device}`, 'another signature');
  if (quote.token !== tokenDomain.verifyingContract)
    return refuse('bad-quote', `token ${quote.token}`, tokenDomain.verifyingContract);
  if (tokenDomain.chainId !== deployment.chainId)
    return refuse('bad-quote', `a token on chain ${deployment.chainId}`, `chain ${tokenDomain.chainId}`);
  if (deposit < quote.minDeposit)
    return refuse('deposit-too-small', `at least ${quote.minDeposit} units`, `${deposit}`);
  if (firstAmount < quote.openFee)
    return refuse('voucher-below-open-fee', `at least ${quote.openFee} units`, `${firstAmount}`);
  if (firstAmount > deposit) return refuse('amount-above-deposit', `at most the deposit, ${deposit}`, `${firstAmount}`);
  const payer = addressFromSecretKey(secretKey);
  const { payee, device, expiry, exitDelay } = quote;
  const config: ChannelConfig = { payer, signer: payer, payee, device, expiry, exitDelay, salt };
  const id = channelId(deployment, config);
  const validity = { validAfter: 0n, validBefore };
  const transfer = { from: payer, to: deployment.channels, value: deposit, ...validity, nonce: depositNonce(id, 0n) };
  const request: OpenRequest = {
    mode,
    quote,
    config,
    deposit,
    authorization: { ...validity, signature: signDigest(authorizationDigest(tokenDomain, transfer), secretKey) },
    voucher: signVoucher(deployment, { channelId: id, amount: firstAmount, ackBytes: 0n }, secretKey),
  };
  return { ok: true, request };
}

/**
 * Deposits to try for a purchase, the roomy one first: what is set aside beyond the first package comes back unused, and lets
 * the guest add data without opening another channel. The exact one is for a pass code that holds no more than that.
 */
export function depositsToTry(
  quote: Pick<SignedQuote, 'minDeposit'>,
  firstAmount: TokenAmount,
): readonly TokenAmount[] {
  const roomy = maximum(quote.minDeposit, DEPOSIT_PACKAGES * firstAmount);
  const exact = maximum(quote.minDeposit, firstAmount);
  return roomy === exact ? [exact] : [roomy, exact];
}

/** `last` raised by `addUnits`, or by what the deposit still holds if that is less. Refuses once the deposit is spent. */
export function nextVoucher(step: {
  readonly deployment: ChannelsDeployment;
  readonly secretKey: Uint8Array;
  readonly last: Voucher;
  readonly depositUnits: TokenAmount;
  readonly addUnits: TokenAmount;
  /** Metered bytes shown to the guest. */
  readonly ackBytes: ByteCount;
}): WalletResult<{ readonly voucher: SignedVoucher }> {
  const { deployment, secretKey, last, depositUnits, addUnits } = step;
  if (last.amount >= depositUnits) {
    return refuse('amount-above-deposit', `more than ${last.amount} units set aside`, `${depositUnits}`);
  }
  const wanted = last.amount + addUnits;
  const amount = wanted < depositUnits ? wanted : depositUnits;
  const ackBytes = step.ackBytes > last.ackBytes ? step.ackBytes : last.ackBytes;
  return { ok: true, voucher: signVoucher(deployment, { channelId: last.channelId, amount, ackBytes }, secretKey) };
}

/** True if this key signed the voucher: how a wallet that forgot its state takes it back from the router. */
export function isOwnVoucher(deployment: ChannelsDeployment, secretKey: Uint8Array, voucher: SignedVoucher): boolean {
  return voucherSigner(deployment, voucher) === addressFromSecretKey(secretKey);
}

/**
 * STREAM: units to add now, or 0n while there is enough. Keeps one step ahead of the charge; a step is what two seconds cost
 * at the speed seen since the last look, and at least the price of 1 MB (or of a minute), so that a slow guest risks little.
 */
export function streamStep(
  quote: Pick<SignedQuote, 'unitsPerMb' | 'unitsPerMinute'>,
  seen: {
    readonly chargedUnits: TokenAmount;
    readonly creditUnits: TokenAmount;
    readonly bytesRemaining: ByteCount;
    readonly chargedPerSecond: TokenAmount;
  },
): TokenAmount {
  const step = maximum(leastStep(quote), 2n * seen.chargedPerSecond);
  const paidAhead = seen.creditUnits - seen.chargedUnits;
  // The router holds back a reserve for time not yet charged, so the bytes it will still let pass may be worth less.
  const servedAhead = quote.unitsPerMb === 0n ? paidAhead : (seen.bytesRemaining * quote.unitsPerMb) / BYTES_PER_MB;
  const ahead = paidAhead < servedAhead ? paidAhead : servedAhead;
  return ahead >= step ? 0n : 2n * step - ahead;
}

/** STREAM: what is set aside: the largest package, or the smallest deposit the router takes. */
export function streamDeposit({ quote, packages }: Pick<Terms, 'quote' | 'packages'>): TokenAmount {
  const largest = packages.reduce((most, { units }) => maximum(most, units), 0n);
  return maximum(maximum(quote.minDeposit, largest), firstStreamAmount(quote));
}

/** STREAM: ceiling of the first voucher: the open fee and two steps. */
export function firstStreamAmount(quote: Pick<SignedQuote, 'unitsPerMb' | 'unitsPerMinute' | 'openFee'>): TokenAmount {
  return quote.openFee + 2n * leastStep(quote);
}

/** Bytes that `units` buy after the open fee, at the quoted price per MB; undefined if data has no price. Rounds down. */
export function bytesForPurchase(
  quote: Pick<SignedQuote, 'unitsPerMb'>,
  units: TokenAmount,
  openFee: TokenAmount,
): ByteCount | undefined {
  if (quote.unitsPerMb === 0n) return undefined;
  return units <= openFee ? 0n : ((units - openFee) * BYTES_PER_MB) / quote.unitsPerMb;
}

/** Answer to a router's challenge: takes up the running session of a channel on this device. Moves no money. */
export function attachRequestFrom({
  secretKey,
  channelId,
  challenge,
  deployment,
}: {
  readonly secretKey: Uint8Array;
  readonly channelId: Hex;
  readonly challenge: Hex;
  readonly deployment: ChannelsDeployment;
}): SignedAttach {
  return signAttach(deployment, { channelId, challenge }, secretKey);
}

/**
 * Request for `units` of the terms' token to `to`, as wallets read it from a QR code.
 * @see EIP-681: ethereum:TOKEN@CHAIN/transfer?address=TO&uint256=UNITS
 */
export function paymentUri(
  { quote, deployment }: Pick<Terms, 'quote' | 'deployment'>,
  to: Address,
  units: TokenAmount,
): string {
  return `ethereum:${quote.token}@${deployment.chainId}/transfer?address=${to}&uint256=${units}`;
}

/** Address of the page with a ticket in its fragment, which browsers do not send: for a second device on the same WiFi. */
export function ticketUrl(origin: string, code: string): string {
  return `${origin}/#t=${code}`;
}

/** The code in a fragment made by ticketUrl; '' if it holds none. */
export function ticketInFragment(fragment: string): string {
  return /^#t=([0-9A-Za-z-]{20,30})$/.exec(fragment)?.[1] ?? '';
}

/** Body of POST /api/challenge: whose running session is asked for. */
export function challengeJsonFromKey(secretKey: Uint8Array): { readonly v: 1; readonly signer: Address } {
  return { v: 1, signer: addressFromSecretKey(secretKey) };
}

/** Body of POST /api/trial: whose trial it is, whatever the device's MAC address. */
export function trialJsonFromKey(secretKey: Uint8Array): { readonly v: 1; readonly key: Address } {
  return { v: 1, key: addressFromSecretKey(secretKey) };
}

/** Body of POST /api/open. */
export function openJsonFromRequest({ mode, quote, config, deposit, authorization, voucher }: OpenRequest): object {
  return {
    v: 1,
    mode,
    quote: quoteJsonFromQuote(quote),
    config: { ...config, expiry: `${config.expiry}`, exitDelay: `${config.exitDelay}` },
    deposit: `${deposit}`,
    authorization: {
      validAfter: `${authorization.validAfter}`,
      validBefore: `${authorization.validBefore}`,
      signature: authorization.signature,
    },
    voucher: voucherJsonFromVoucher(voucher),
  };
}

type WalletResult<T> = ({ readonly ok: true } & T) | WalletRefusal;

function refuse(reason: WalletRefusal['reason'], expected: string, got: string): WalletRefusal {
  return { ok: false, reason, expected, got };
}

/** Price of 1 MB or of a minute, whichever is more: what a guest who pays as it goes risks at least, and what a tick is worth. */
export function leastStep(quote: Pick<SignedQuote, 'unitsPerMb' | 'unitsPerMinute'>): TokenAmount {
  return maximum(maximum(quote.unitsPerMb, quote.unitsPerMinute), 1n);
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
