/** Routers that send whatever a router might ever send, by dice: the same for the same seed. */
import type { Address } from '../../protocol/address.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { bodyOf, FakeRouter, NOW_S, type Usage } from './fake-router.ts';

/** Proofs of each. */
export const PROOFS = 9;

/** Numbers below n, the same for the same seed (mulberry32). */
export type Dice = (n: number) => number;
export function diceOf(seed: number): Dice {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

export function pick<T>(dice: Dice, items: readonly T[]): T {
  return items[dice(items.length)] as T;
}

/** All that a router might ever send for a number: mostly the first, sometimes one of the others. */
export type Variants = readonly [Uint8Array, ...Uint8Array[]];
export type World = { readonly device: Address; readonly variants: readonly Variants[] };

function flipped(signature: Hex): Hex {
  const bytes = bytesFromHex(signature);
  bytes[32] = (bytes[32] as number) ^ 0x80;
  return hexFromBytes(bytes);
}

export function worldOf(name: string, dice: Dice): World {
  const router = new FakeRouter(name);
  const variants = Array.from({ length: PROOFS }, (_, i): Variants => {
    const usages: Usage[] = [0, 1, 2]
      .filter(() => dice(2) === 0)
      .map((guest) => ({ guest, up: BigInt(dice(50)), down: BigInt(dice(900)), paid: BigInt(dice(9)) }));
    const lie = dice(12);
    const isUnset = { startS: BigInt(i * 60), endS: BigInt(i * 60 + 60), clockState: 0n } as const;
    const changes = lie === 0 ? isUnset : lie === 1 ? { endS: NOW_S + 999_999n } : {};
    const upload = router.next(usages, changes);
    const { proof, leaves, vouchers } = upload;
    const swapped = vouchers.map((it) => ({ ...it, signature: proof.signature }));
    const parity = vouchers.map((it) => ({ ...it, signature: flipped(it.signature) }));
    return [
      bodyOf(upload),
      bodyOf({ proof: { ...proof, signature: flipped(proof.signature) }, leaves, vouchers }),
      bodyOf({ proof, leaves, vouchers: parity }),
      bodyOf({ proof, leaves, vouchers: swapped }),
      bodyOf({ proof, leaves: [], vouchers: [] }),
      bodyOf(router.sign({ ...proof, epoch: proof.epoch + 1n }, leaves, vouchers)),
      bodyOf(router.sign(proof, leaves, vouchers, new FakeRouter('thief').key.secretKey)),
      bodyOf(upload).slice(0, -1),
    ];
  });
  return { device: router.key.address, variants };
}
