/** A tick voucher of the phone's channel, and its chain. The core checks no signature. */
import type { Hex } from '../../../../protocol/hex.ts';
import { hexFromBytes } from '../../../../protocol/hex.ts';
import { type Tick, tickChain } from '../../../../protocol/payword.ts';
import type { SignedTickVoucher } from '../../../../protocol/tick-voucher.ts';
import { testChannel } from './story.ts';

export type TestChain = { readonly voucher: SignedTickVoucher; readonly coin: (index: number) => Tick };

export function testTicks(change: Partial<SignedTickVoucher> = {}, seed = 1): TestChain {
  const ticks = change.ticks ?? 256n;
  const words = tickChain(new Uint8Array(32).fill(seed), Number(ticks));
  const voucher: SignedTickVoucher = {
    channelId: testChannel().id,
    amount: 1_050n,
    anchor: hexFromBytes(words[0] as Uint8Array),
    tickValue: 10n,
    ticks,
    signature: `0x${seed.toString(16).padStart(128, '0')}` as Hex,
    ...change,
  };
  return { voucher, coin: (index) => ({ index, preimage: words[index] as Uint8Array }) };
}
