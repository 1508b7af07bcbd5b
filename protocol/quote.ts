/**
 * A quote: the router's signed offer of WiFi to one guest. A session keeps the tariff of the quote it was opened with,
 * whatever the owner changes later. The router keeps no quotes: the guest hands the signed quote back with the open.
 */
import type { Address } from './address.ts';
import { type ChannelsDeployment, channelsSeparator } from './channel.ts';
import { hashStruct, type StructType, typedDigest } from './eip712.ts';
import type { Hex } from './hex.ts';
import { type CompactSignature, recoverSigner, signDigest } from './signature.ts';
import type { TokenAmount } from './units.ts';

export type Quote = {
  readonly device: Address;
  readonly payee: Address;
  readonly token: Address;
  /** Price of 1,000,000 layer-3 bytes, both directions together. */
  readonly unitsPerMb: TokenAmount;
  /** Price of 60 s online. */
  readonly unitsPerMinute: TokenAmount;
  /** Smallest deposit the router opens a channel for. */
  readonly minDeposit: TokenAmount;
  /** Part of the first voucher that pays the router's gas for opening. */
  readonly openFee: TokenAmount;
  /** Seconds between exit request and reclaim that the channel must have. */
  readonly exitDelay: bigint;
  /** Unix seconds that the channel's expiry must have. */
  readonly expiry: bigint;
  /** Unix seconds until which the router honours the quote. */
  readonly validUntil: bigint;
  /** Random; makes quotes distinct. */
  readonly nonce: Hex;
};

export type SignedQuote = Quote & { readonly signature: CompactSignature };

const QUOTE: StructType = {
  name: 'Quote',
  fields: [
    ['device', 'address'],
    ['payee', 'address'],
    ['token', 'address'],
    ['unitsPerMb', 'uint64'],
    ['unitsPerMinute', 'uint64'],
    ['minDeposit', 'uint64'],
    ['openFee', 'uint64'],
    ['exitDelay', 'uint40'],
    ['expiry', 'uint40'],
    ['validUntil', 'uint40'],
    ['nonce', 'bytes32'],
  ],
};

export function quoteDigest(deployment: ChannelsDeployment, quote: Quote): Uint8Array {
  return typedDigest(channelsSeparator(deployment), hashStruct(QUOTE, quote));
}

export function signQuote(deployment: ChannelsDeployment, quote: Quote, deviceKey: Uint8Array): SignedQuote {
  return { ...quote, signature: signDigest(quoteDigest(deployment, quote), deviceKey) };
}

/** True if the quote was signed by the device it names. */
export function isQuoteSigned(deployment: ChannelsDeployment, quote: SignedQuote): boolean {
  return recoverSigner(quoteDigest(deployment, quote), quote.signature) === quote.device;
}

/** JSON form: amounts and times as decimal strings. */
export type QuoteJson = { readonly [Field in keyof SignedQuote]: SignedQuote[Field] extends bigint ? string : Hex };

export function quoteJsonFromQuote(quote: SignedQuote): QuoteJson {
  return {
    device: quote.device,
    payee: quote.payee,
    token: quote.token,
    unitsPerMb: quote.unitsPerMb.toString(),
    unitsPerMinute: quote.unitsPerMinute.toString(),
    minDeposit: quote.minDeposit.toString(),
    openFee: quote.openFee.toString(),
    exitDelay: quote.exitDelay.toString(),
    expiry: quote.expiry.toString(),
    validUntil: quote.validUntil.toString(),
    nonce: quote.nonce,
    signature: quote.signature,
  };
}
