/** Ticks of many guests against bare hashing: what a tick costs beside its one keccak. */

import { hexFromBytes } from '../../protocol/hex.ts';
import { keccak256 } from '../../protocol/keccak.ts';
import { TICKS_PER_RENEWAL, type Tick, tickChain } from '../../protocol/payword.ts';
import { anchorTick, type SignedTickVoucher } from '../../protocol/tick-voucher.ts';
import { NobleVerifier } from '../support/noble-verifier.ts';
import { openTill, type PayingGuest } from './paying-guests.ts';
import { median } from './report.ts';

type Chain = { readonly guest: PayingGuest; readonly voucher: SignedTickVoucher; readonly coins: readonly Tick[] };
type TickFigures = { readonly ratio: number; readonly ticksPerS: number; readonly keccaksPerS: number };

/** Each round all guests pay one chain to its renewal, one tick each in turn; a round of bare hashing goes beside it. */
export async function measureTicks(guests: readonly PayingGuest[], rounds: number): Promise<TickFigures> {
  const till = await openTill(guests, new NobleVerifier());
  const all: TickFigures[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const chains = guests.map((guest) => chainOf(guest, round));
      for (const { voucher } of chains) {
        till.driver.dispatch({ kind: 'tick-voucher-taken', tickVoucher: voucher, anchor: anchorTick(voucher) });
      }
      const count = chains.length * TICKS_PER_RENEWAL;
      const before = hashingMs(chains);
      const started = process.threadCpuUsage();
      for (let index = 0; index < TICKS_PER_RENEWAL; index++) {
        for (const { guest, coins } of chains) {
          const result = till.desk.tick(guest.mac, guest.channelId, coins[index] as Tick);
          if (!result.ok)
            throw new Error(`tick refused: ${result.reason}, expected ${result.expected}, got ${result.got}`);
        }
      }
      const ms = cpuMsSince(started);
      const bareMs = (before + hashingMs(chains)) / 2;
      all.push({ ratio: bareMs / ms, ticksPerS: (count * 1_000) / ms, keccaksPerS: (count * 1_000) / bareMs });
      // The core is told by a timer, while nothing is measured: once for 64 ticks of each guest, as in service.
      await new Promise((handedOver) => setTimeout(handedOver, 120));
    }
  } finally {
    await till.close();
  }
  const settled = all.slice(Math.floor(all.length / 5));
  const of = (key: keyof TickFigures) => median(settled.map((one) => one[key]));
  return { ratio: of('ratio'), ticksPerS: of('ticksPerS'), keccaksPerS: of('keccaksPerS') };
}

function chainOf(guest: PayingGuest, round: number): Chain {
  const [anchor, ...words] = tickChain(keccak256(guest.secretKey), TICKS_PER_RENEWAL);
  const voucher: SignedTickVoucher = {
    channelId: guest.channelId,
    amount: 1_050n,
    anchor: hexFromBytes(anchor as Uint8Array),
    tickValue: 1n,
    ticks: BigInt(TICKS_PER_RENEWAL),
    signature: `0x${round.toString(16).padStart(128, '0')}`,
  };
  return { guest, voucher, coins: words.map((preimage, i) => ({ index: i + 1, preimage })) };
}

function hashingMs(chains: readonly Chain[]): number {
  const started = process.threadCpuUsage();
  for (const { coins } of chains) for (const { preimage } of coins) keccak256(preimage);
  return cpuMsSince(started);
}

/** Processor time of this thread: other work on the machine does not count. */
function cpuMsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1_000;
}
