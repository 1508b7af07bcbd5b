/** A router with guests: makes real signed uploads, honest unless a test changes them. */

import type { CollectorDeployment } from '../../fleet/judge-proof.ts';
import { type ChannelConfig, channelId } from '../../protocol/channel.ts';
import type { Hex } from '../../protocol/hex.ts';
import {
  blindedSessionId,
  GENESIS_PREV,
  type SessionLeaf,
  sessionsRoot,
  signTrafficProof,
  type TrafficProof,
  trafficProofDigestHex,
} from '../../protocol/traffic-proof.ts';
import { encodeProofUpload, type ProofUpload, type ProofVoucher } from '../../protocol/traffic-proof-wire.ts';
import { signVoucher, voucherDigestHex } from '../../protocol/voucher.ts';
import { CHANNELS, REGISTRY, testKey } from '../support/protocol-arbitraries.ts';

export const DEPLOYMENT: CollectorDeployment = { ...CHANNELS, ...REGISTRY };
/** 2026-11-22T00:00:00Z */
export const NOW_S = 1_795_305_600n;

/** What one guest did in one interval. */
export type Usage = { readonly guest: number; readonly up: bigint; readonly down: bigint; readonly paid: bigint };

type Guest = { readonly key: ReturnType<typeof testKey>; readonly config: ChannelConfig; readonly id: Hex };

export class FakeRouter {
  readonly key: ReturnType<typeof testKey>;
  readonly #guests = new Map<number, Guest>();
  readonly #totals = new Map<number, { bytes: bigint; paid: bigint }>();
  #seq = 0n;
  #prev: Hex = GENESIS_PREV;
  #endS: bigint;

  constructor(name = 'router', startS = NOW_S - 86_400n) {
    this.key = testKey(name);
    this.#endS = startS;
  }

  guest(number: number): Guest {
    const known = this.#guests.get(number);
    if (known !== undefined) return known;
    const key = testKey(`guest ${number} of ${this.key.address}`);
    const config: ChannelConfig = {
      payer: key.address,
      signer: key.address,
      payee: testKey('owner').address,
      device: this.key.address,
      expiry: NOW_S + 86_400n,
      exitDelay: 3600n,
      salt: `0x${'00'.repeat(32)}`,
    };
    const guest = { key, config, id: channelId(DEPLOYMENT, config) };
    this.#guests.set(number, guest);
    return guest;
  }

  /** The next upload of the chain: 60 s with these usages. Vouchers cover exactly what was charged and metered so far. */
  next(usages: readonly Usage[], changes: Partial<TrafficProof> = {}): ProofUpload {
    const parts = usages.map((usage) => this.#leafAndVoucher(usage));
    const startS = this.#endS;
    const upload = this.sign(
      {
        device: this.key.address,
        epoch: 2968n,
        seq: this.#seq,
        startS,
        endS: startS + 60n,
        bytesUp: usages.reduce((sum, { up }) => sum + up, 0n),
        bytesDown: usages.reduce((sum, { down }) => sum + down, 0n),
        paid: usages.reduce((sum, { paid }) => sum + paid, 0n),
        sessionsRoot: sessionsRoot(parts.map(({ leaf }) => leaf)),
        prev: this.#prev,
        clockState: 1n,
        ...changes,
      },
      parts.map(({ leaf }) => leaf),
      parts.map(({ voucher }) => voucher),
    );
    this.#seq = upload.proof.seq + 1n;
    this.#prev = digestOf(upload);
    this.#endS = startS + 60n;
    return upload;
  }

  sign(
    proof: TrafficProof,
    leaves: ProofUpload['leaves'],
    vouchers: ProofUpload['vouchers'],
    key = this.key.secretKey,
  ): ProofUpload {
    return { proof: signTrafficProof(DEPLOYMENT, proof, key), leaves, vouchers };
  }

  #leafAndVoucher({ guest: number, up, down, paid }: Usage): { leaf: SessionLeaf; voucher: ProofVoucher } {
    const { key, config, id } = this.guest(number);
    const before = this.#totals.get(number) ?? { bytes: 0n, paid: 0n };
    const totals = { bytes: before.bytes + up + down, paid: before.paid + paid };
    this.#totals.set(number, totals);
    const unsigned = { channelId: id, amount: totals.paid, ackBytes: totals.bytes };
    const voucher = { ...signVoucher(DEPLOYMENT, unsigned, key.secretKey), config };
    const sessionId = blindedSessionId(this.key.secretKey, id, 2968n);
    const voucherDigest = voucherDigestHex(DEPLOYMENT, voucher);
    return { leaf: { sessionId, channelId: id, bytesUp: up, bytesDown: down, paid, voucherDigest }, voucher };
  }
}

export function digestOf({ proof }: ProofUpload): Hex {
  return trafficProofDigestHex(DEPLOYMENT, proof);
}

export function bodyOf(upload: ProofUpload): Uint8Array {
  return encodeProofUpload(upload);
}
