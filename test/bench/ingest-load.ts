/** Signed uploads for the benchmark of the collector, made before anything is measured. Every interval has one session. */
import { createRequire } from 'node:module';
import type { CollectorDeployment } from '../../fleet/judge-proof.ts';
import type { Sign } from '../../fleet/signatures.ts';
import type { Address } from '../../protocol/address.ts';
import { channelId } from '../../protocol/channel.ts';
import { bytesFromUint, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { keccak256 } from '../../protocol/keccak.ts';
import { GENESIS_PREV, sessionsRoot, trafficProofDigest } from '../../protocol/traffic-proof.ts';
import { encodeProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { voucherDigest } from '../../protocol/voucher.ts';

export const DEPLOYMENT: CollectorDeployment = {
  chainId: 31_337n,
  channels: `0x${'11'.repeat(20)}`,
  registry: `0x${'22'.repeat(20)}`,
};
/** A router's own signature, and the guest's under the voucher. */
export const SIGNATURES_PER_PROOF = 2;

const INTERVAL_S = 300n;
const GUESTS_FROM = 1_000_000;

export type Load = { readonly device: Address; readonly digest: Hex; readonly body: Uint8Array };

const { publicKeyCreate } = createRequire(import.meta.url)('secp256k1') as {
  publicKeyCreate(key: Uint8Array, isCompressed: boolean): Uint8Array;
};

/** `devices` routers with `proofs` intervals each, interval by interval: the order in which they would arrive. */
export function makeLoad(first: number, devices: number, proofs: number, startS: bigint, sign: Sign): readonly Load[] {
  // A guest of its own for each router: a key that all share would be known to the collector from the second proof on.
  const chains = Array.from({ length: devices }, (_, i) =>
    routerChain(accountOf(first + i + 1), accountOf(GUESTS_FROM + first + i), startS, sign),
  );
  return Array.from({ length: proofs }, () => chains.map((next) => next())).flat();
}

type Account = { readonly key: Uint8Array; readonly address: Address };

function accountOf(number: number): Account {
  const key = keccak256(bytesFromUint(BigInt(number) + 1n, 32));
  return { key, address: hexFromBytes(keccak256(publicKeyCreate(key, false).subarray(1)).subarray(12)) };
}

function routerChain(router: Account, guest: Account, startS: bigint, sign: Sign): () => Load {
  const config = {
    payer: guest.address,
    signer: guest.address,
    payee: router.address,
    device: router.address,
    expiry: startS + 86_400n,
    exitDelay: 3600n,
    salt: hexFromBytes(keccak256(router.key)),
  };
  const id = channelId(DEPLOYMENT, config);
  let seq = 0n;
  let prev = GENESIS_PREV;
  return () => {
    const amount = (seq + 1n) * 10n;
    const unsigned = { channelId: id, amount, ackBytes: (seq + 1n) * 10_000n };
    const digestOfVoucher = voucherDigest(DEPLOYMENT, unsigned);
    const voucher = { ...unsigned, signature: sign(digestOfVoucher, guest.key), config };
    const leaf = { sessionId: id, channelId: id, bytesUp: 1000n, bytesDown: 9000n, paid: 10n };
    const leaves = [{ ...leaf, voucherDigest: hexFromBytes(digestOfVoucher) }];
    const proof = {
      device: router.address,
      epoch: startS / 604_800n,
      seq,
      startS: startS + seq * INTERVAL_S,
      endS: startS + (seq + 1n) * INTERVAL_S,
      bytesUp: leaf.bytesUp,
      bytesDown: leaf.bytesDown,
      paid: leaf.paid,
      sessionsRoot: sessionsRoot(leaves),
      prev,
      clockState: 1n,
    } as const;
    const digest = trafficProofDigest(DEPLOYMENT, proof);
    seq += 1n;
    prev = hexFromBytes(digest);
    const signed = { ...proof, signature: sign(digest, router.key) };
    return {
      device: router.address,
      digest: prev,
      body: encodeProofUpload({ proof: signed, leaves, vouchers: [voucher] }),
    };
  };
}
