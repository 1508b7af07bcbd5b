/** Why the desk refuses a guest: reasons are stable, the portal maps each to a status and a sentence. */
import type { SignedVoucher } from '../../protocol/voucher.ts';

export type DeskRefusal = {
  readonly ok: false;
  /** Stable reason; portal maps it to a status and a sentence that says what to do. */
  readonly reason: VoucherRefusalReason | OpenRefusalReason | AttachRefusalReason;
  readonly expected: string;
  readonly got: string;
  /** On a voucher that is not above the last: the last accepted one, so that the guest can resynchronise. */
  readonly lastVoucher?: SignedVoucher;
};
export type VoucherRefusalReason =
  | 'unknown-channel'
  | 'not-your-channel'
  | 'channel-not-open'
  | 'amount-not-increasing'
  | 'amount-above-deposit'
  | 'ack-above-metered'
  | 'bad-signature'
  | 'channel-draining'
  | 'not-checked'
  | 'storage-failed'
  | 'no-tick-voucher'
  | 'tick-not-later'
  | 'tick-not-in-chain'
  | 'renewal-due';
export type OpenRefusalReason =
  | 'unknown-guest'
  | 'bad-quote'
  | 'quote-expired'
  | 'config-mismatch'
  | 'deposit-too-small'
  | 'voucher-below-open-fee'
  | 'already-open'
  | 'trial-used'
  | 'too-many-opens'
  | 'not-selling'
  | 'chain-unreachable'
  | 'chain-refused';
export type AttachRefusalReason = 'unknown-channel' | 'channel-not-open' | 'bad-challenge' | 'bad-signature';
