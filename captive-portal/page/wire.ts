/**
 * What portal and page say to each other as JSON, and reading it back. Shared by server, page and scripted guests;
 * no DOM, no Node. Amounts, bytes and times that are bigint cross as decimal strings.
 */
import type { Address } from '../../protocol/address.ts';
import type { ChannelsDeployment } from '../../protocol/channel.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { QuoteJson, SignedQuote } from '../../protocol/quote.ts';
import type { SignedVoucher, VoucherJson } from '../../protocol/voucher.ts';
import type { Terms } from './wallet.ts';

/** Answer of GET /api/view, of every accepted POST, and each event of GET /api/events. */
export type ViewJson = {
  readonly v: 1;
  readonly isOnline: boolean;
  readonly phase: GuestPhase;
  readonly channelId?: Hex;
  readonly downBytes: string;
  readonly upBytes: string;
  readonly onlineMs: number;
  readonly chargedUnits: string;
  readonly creditUnits: string;
  readonly depositUnits: string;
  readonly bytesRemaining: string;
  readonly secondsRemaining?: number;
  readonly isLow: boolean;
  readonly lastVoucher?: VoucherJson;
  readonly refund?: { readonly units: string; readonly tx: Hex };
  /** Present if this session can be paused (POST /api/pause, /api/resume): true while it is. */
  readonly isPaused?: boolean;
  /** True if GET /api/receipt has a signed receipt for this guest. */
  readonly hasReceipt?: boolean;
  /** What of the channel is settled on chain, and what that costs: the fee to the guest, the gas to the router. */
  readonly onChain?: {
    readonly openFeeUnits: string;
    readonly claimedUnits: string;
    readonly gasWei: string;
    readonly openTx?: Hex;
    readonly closeTx?: Hex;
  };
};

export type GuestPhase = 'none' | 'trial' | 'pending' | 'active' | 'grace' | 'closing' | 'settled' | 'failed';

/** ViewJson with its quantities read. */
export type View = {
  readonly isOnline: boolean;
  readonly phase: GuestPhase;
  readonly channelId?: Hex;
  readonly downBytes: bigint;
  readonly upBytes: bigint;
  readonly onlineMs: number;
  readonly chargedUnits: bigint;
  readonly creditUnits: bigint;
  readonly depositUnits: bigint;
  readonly bytesRemaining: bigint;
  readonly secondsRemaining?: number;
  readonly isLow: boolean;
  readonly lastVoucher?: SignedVoucher;
  readonly refund?: { readonly units: bigint; readonly tx: Hex };
  readonly isPaused?: boolean;
  readonly hasReceipt?: boolean;
  /** The transaction that set the deposit aside. */
  readonly openTx?: Hex;
};

/** Answer of GET /api/quote: all that a wallet needs to open a channel here. */
export type TermsJson = {
  readonly v: 1;
  readonly quote: QuoteJson;
  readonly deployment: { readonly chainId: string; readonly channels: Address };
  readonly tokenDomain: {
    readonly name: string;
    readonly version: string;
    readonly chainId: string;
    readonly verifyingContract: Address;
  };
  readonly packages: readonly { readonly name: string; readonly units: string }[];
  readonly trialBytes: string;
  readonly nowS: string;
  /** What POST /api/faucet gives; on a development chain only. */
  readonly faucetUnits?: string;
};

/** Answer of POST /api/challenge (204 without a body if the key has no running session): what the channel's key is to sign, for POST /api/attach from this very device. */
export type ChallengeJson = {
  readonly v: 1;
  readonly ch: Hex;
  readonly challenge: Hex;
  readonly deployment: TermsJson['deployment'];
};

/** RFC 9457 problem details, with our extension members. */
export type ProblemJson = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly reason: string;
  readonly expected?: string;
  readonly got?: string;
  /** On amount-not-increasing: the newest voucher the router holds. */
  readonly last?: VoucherJson;
};

export function viewFromJson(json: ViewJson): View {
  return {
    isOnline: json.isOnline,
    phase: json.phase,
    downBytes: BigInt(json.downBytes),
    upBytes: BigInt(json.upBytes),
    onlineMs: json.onlineMs,
    chargedUnits: BigInt(json.chargedUnits),
    creditUnits: BigInt(json.creditUnits),
    depositUnits: BigInt(json.depositUnits),
    bytesRemaining: BigInt(json.bytesRemaining),
    isLow: json.isLow,
    ...(json.channelId !== undefined && { channelId: json.channelId }),
    ...(json.secondsRemaining !== undefined && { secondsRemaining: json.secondsRemaining }),
    ...(json.lastVoucher !== undefined && { lastVoucher: voucherFromJson(json.lastVoucher) }),
    ...(json.refund !== undefined && { refund: { units: BigInt(json.refund.units), tx: json.refund.tx } }),
    ...(json.isPaused !== undefined && { isPaused: json.isPaused }),
    ...(json.hasReceipt !== undefined && { hasReceipt: json.hasReceipt }),
    ...(json.onChain?.openTx !== undefined && { openTx: json.onChain.openTx }),
  };
}

/** ChallengeJson read: the channel and the challenge, and where channels live. */
export type Challenge = { readonly channelId: Hex; readonly challenge: Hex; readonly deployment: ChannelsDeployment };

export function challengeFromJson({ ch, challenge, deployment }: ChallengeJson): Challenge {
  return { channelId: ch, challenge, deployment: deploymentFromJson(deployment) };
}

export function voucherFromJson(json: VoucherJson): SignedVoucher {
  return { channelId: json.ch, amount: BigInt(json.amt), ackBytes: BigInt(json.ack), signature: json.sig };
}

export function termsFromJson(json: TermsJson): Terms {
  return {
    quote: quoteFromJson(json.quote),
    deployment: deploymentFromJson(json.deployment),
    tokenDomain: { ...json.tokenDomain, chainId: BigInt(json.tokenDomain.chainId) },
    packages: json.packages.map(({ name, units }) => ({ name, units: BigInt(units) })),
    trialBytes: BigInt(json.trialBytes),
    nowS: BigInt(json.nowS),
    ...(json.faucetUnits !== undefined && { faucetUnits: BigInt(json.faucetUnits) }),
  };
}

function deploymentFromJson({ chainId, channels }: TermsJson['deployment']): ChannelsDeployment {
  return { chainId: BigInt(chainId), channels };
}

function quoteFromJson(json: QuoteJson): SignedQuote {
  return {
    device: json.device,
    payee: json.payee,
    token: json.token,
    unitsPerMb: BigInt(json.unitsPerMb),
    unitsPerMinute: BigInt(json.unitsPerMinute),
    minDeposit: BigInt(json.minDeposit),
    openFee: BigInt(json.openFee),
    exitDelay: BigInt(json.exitDelay),
    expiry: BigInt(json.expiry),
    validUntil: BigInt(json.validUntil),
    nonce: json.nonce,
    signature: json.signature,
  };
}
