/** Whether the chain's word for a channel is money that this router may sell on. One rule, whoever asks. */
import type { TokenAmount } from '../../protocol/units.ts';
import type { ChainChannel } from './chain-facts.ts';
import type { LiveChannel } from './state.ts';

/** What the newest voucher comes to. */
type Promised = { readonly voucher: { readonly amount: TokenAmount } };

/** A session may begin: the deposit is as large as was asked for, covers the first voucher, and nobody has begun to take it back. */
export function isFunded(seen: ChainChannel, promise: Promised, minDeposit: TokenAmount): boolean {
  return coversVoucher(seen, promise) && seen.deposit >= minDeposit && seen.exitAt === 0n;
}

/** The most that a new promise may come to: a look may lag behind a top-up, or be the first to see it rolled back. */
export function promisable({ deposit, seenDeposit }: Pick<LiveChannel, 'deposit' | 'seenDeposit'>): TokenAmount {
  return seenDeposit !== undefined && seenDeposit < deposit ? seenDeposit : deposit;
}

/** What the newest voucher promises can still be claimed, also while the payer is leaving. */
export function coversVoucher({ deposit, isClosed }: ChainChannel, { voucher }: Promised): boolean {
  return deposit >= voucher.amount && !isClosed;
}
