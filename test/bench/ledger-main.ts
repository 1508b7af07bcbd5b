/** Pays at an agent with its journal on disk, and tells what was written. Run: ledger-main.ts GUESTS VOUCHERS_EACH */
import { readFileSync } from 'node:fs';
import type { Verifier } from '../../agent/ports.ts';
import type { Hex } from '../../protocol/hex.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { openTill, payingGuests } from './paying-guests.ts';

const [guestCount, vouchersEach] = process.argv.slice(2).map(Number) as [number, number];
const guests = payingGuests(guestCount);
const signers = new Map(
  guests.map(({ secretKey }, i) => [signatureOf(i, 0).slice(0, 10), addressFromSecretKey(secretKey)]),
);
// The signature says who made it: what is measured here is what comes after.
const verifier: Verifier = {
  choice: undefined,
  recover: (claims) => Promise.resolve(claims.map(({ signature }) => signers.get(signature.slice(0, 10)))),
  close: () => Promise.resolve(),
};

const till = await openTill(guests, verifier);
const pay = (from: number, to: number) =>
  Promise.all(
    guests.map(async ({ mac, channelId }, i) => {
      for (let n = from; n < to; n++) {
        const voucher = { channelId, amount: 2_000n + BigInt(n), ackBytes: 0n, signature: signatureOf(i, n) };
        const result = await till.desk.voucher(mac, voucher);
        if (!result.ok) throw new Error(`voucher refused: ${result.reason}, ${result.got}`);
      }
    }),
  );
await pay(0, 5);
const before = { bytes: writtenBytes(), counts: till.journal.counts };
await pay(5, vouchersEach + 5);
const after = { bytes: writtenBytes(), counts: till.journal.counts };
await till.close();
console.log(
  JSON.stringify({
    bytesPerVoucher: (after.bytes - before.bytes) / (guestCount * vouchersEach),
    vouchersPerGroup: (after.counts.requests - before.counts.requests) / (after.counts.groups - before.counts.groups),
  }),
);

function signatureOf(guest: number, n: number): Hex {
  return `0x${guest.toString(16).padStart(8, '0')}${n.toString(16).padStart(120, '0')}`;
}

function writtenBytes(): number {
  const bytes = Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  if (!(bytes > 0)) throw new Error('nothing was written to a disk: is the checkout on a memory file system?');
  return bytes;
}
