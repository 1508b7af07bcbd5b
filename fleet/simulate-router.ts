/** One simulated router: a device key, a guest who pays by a channel, and the chain of proofs; honest, or lying in one way. */
import type { Address } from '../protocol/address.ts';
import { type ChannelConfig, channelId } from '../protocol/channel.ts';
import { bytesFromUint, concatBytes, type Hex } from '../protocol/hex.ts';
import { keccak256, keccak256Text } from '../protocol/keccak.ts';
import { accessHeader } from '../protocol/listing-access.ts';
import { EPOCH_S } from '../protocol/rewards.ts';
import {
  blindedSessionId,
  GENESIS_PREV,
  sessionsRoot,
  type TrafficProof,
  trafficProofDigest,
  trafficProofDigestHex,
} from '../protocol/traffic-proof.ts';
import { encodeProofUpload, type ProofUpload } from '../protocol/traffic-proof-wire.ts';
import type { Verdict } from '../protocol/verdict.ts';
import { voucherDigest, voucherDigestHex } from '../protocol/voucher.ts';
import type { CollectorDeployment } from './judge-proof.ts';
import type { FastSigner } from './simulate-signer.ts';

export const LIES = ['replay', 'forged', 'gap', 'clone', 'late', 'over-capacity', 'below-ack', 'no-clock'] as const;
export type Lie = (typeof LIES)[number];
/** What a router does at the end of an interval. */
export type Deed = 'honest' | Lie;

/** One request, and what the collector must say to it. */
export type Expected = {
  readonly deed: Deed | 'unknown';
  readonly body: Uint8Array;
  readonly digest: Hex;
  readonly verdict: Verdict;
  /** The verdict on the collector's list at the end, if it must have changed. */
  readonly listed?: Verdict;
  /** The very receipt of this earlier proof is due: nothing may be counted twice. */
  readonly isRepeat?: true;
};

export type RouterDeps = {
  readonly deployment: CollectorDeployment;
  readonly signer: FastSigner;
  /** 0..1, from a seed. */
  readonly random: () => number;
};

type Amounts = { readonly up: bigint; readonly down: bigint; readonly paid: bigint };

/** Guests of all routers pay with these few keys: making ten thousand more would prove nothing. */
const GUEST_KEYS = Array.from({ length: 16 }, (_, i) => keccak256Text(`simulated guest ${i}`));
const LATE_S = 40n * 86_400n;
const IMPOSSIBLE_BYTES = 1_000_000_000_000_000n;
const NO_WORD: Hex = `0x${'00'.repeat(32)}`;

export class SimulatedRouter {
  readonly address: Address;
  readonly #deps: RouterDeps;
  readonly #key: Uint8Array;
  readonly #guestKey: Uint8Array;
  readonly #config: ChannelConfig;
  readonly #channelId: Hex;
  readonly #isEnrolled: boolean;
  #seq = 0n;
  #prev: Hex = GENESIS_PREV;
  #endS: bigint;
  /** What the guest has acknowledged and paid in all. */
  #bytes = 0n;
  #paid = 0n;

  /** @param startS Unix seconds; `run` makes the key new, so that a second run meets a collector that does not know it */
  constructor(deps: RouterDeps, run: string, number: number, startS: bigint, isEnrolled = true) {
    this.#deps = deps;
    this.#key = keccak256(concatBytes(keccak256Text(`simulated router ${run}`), bytesFromUint(BigInt(number), 8)));
    this.address = deps.signer.addressOf(this.#key);
    this.#guestKey = GUEST_KEYS[number % GUEST_KEYS.length] as Uint8Array;
    this.#isEnrolled = isEnrolled;
    this.#endS = startS;
    const guest = guestAddress(deps.signer, this.#guestKey);
    this.#config = {
      payer: guest,
      signer: guest,
      payee: guest,
      device: this.address,
      expiry: startS + 30n * 86_400n,
      exitDelay: 3600n,
      salt: NO_WORD,
    };
    this.#channelId = channelId(deps.deployment, this.#config);
  }

  /** Value of the header that lets this router read what the collector has on file of it. */
  readerHeader(collector: Address, untilS: bigint): string {
    const { deployment, signer } = this.#deps;
    const access = { reader: this.address, device: this.address, collector, untilS };
    return accessHeader(deployment, access, (digest) => signer.sign(digest, this.#key));
  }

  /** The requests of one interval, in their order. */
  act(deed: Deed, nowS: bigint): readonly Expected[] {
    if (!this.#isEnrolled) return [{ ...this.#honest(nowS), deed: 'unknown', verdict: 'unknown-device' }];
    switch (deed) {
      case 'honest':
        return [this.#honest(nowS)];
      case 'replay': {
        const honest = this.#honest(nowS);
        return [honest, { ...honest, deed, isRepeat: true }];
      }
      case 'forged':
        return [this.#forged(nowS), this.#honest(nowS)];
      case 'gap':
        return this.#gap(nowS);
      case 'clone':
        return this.#clone(nowS);
      case 'late':
        return [this.#joined(deed, 'late', { startS: nowS - LATE_S, endS: nowS - LATE_S + 60n })];
      case 'over-capacity':
        return [this.#overCapacity(nowS)];
      case 'below-ack':
        return [this.#joined(deed, 'bytes-below-ack', { endS: nowS }, { ackAbove: 1n })];
      case 'no-clock':
        return [this.#joined(deed, 'clock-unsynced', { startS: 100n, endS: 160n, clockState: 0n })];
      default:
        return deed satisfies never;
    }
  }

  #honest(nowS: bigint): Expected {
    return this.#joined('honest', 'valid', { endS: nowS });
  }

  /** Signed by somebody who has not the device's key. Takes no place in the chain. */
  #forged(nowS: bigint): Expected {
    const upload = this.#upload(this.#amounts(), { endS: nowS }, { key: this.#guestKey });
    return this.#expected('forged', 'bad-signature', upload);
  }

  /** The proof after a missing one, then the missing one, both with bytes and units of the same channel: valid in the end. */
  #gap(nowS: bigint): readonly Expected[] {
    const missing = this.#honest(nowS);
    const after = this.#joined('gap', 'gap', { endS: nowS });
    return [{ ...after, listed: 'valid' }, missing];
  }

  /** A second router with the same key: another proof under the number of the last. */
  #clone(nowS: bigint): readonly Expected[] {
    const place = { seq: this.#seq, prev: this.#prev, startS: this.#endS, endS: nowS };
    const honest = this.#honest(nowS);
    const upload = this.#upload({ up: 77n, down: 7_777n, paid: 0n }, place);
    return [honest, this.#expected('clone', 'equivocation', upload)];
  }

  /** Acknowledged too, as by an accomplice: the collector counts what joins the chain as proven, and so must later vouchers. */
  #overCapacity(nowS: bigint): Expected {
    const amounts = { up: 1_000n, down: IMPOSSIBLE_BYTES, paid: 1n };
    return this.#joined('over-capacity', 'over-link-capacity', { endS: nowS }, { amounts });
  }

  /** A proof that takes its place in the chain, whatever its verdict. */
  #joined(
    deed: Deed,
    verdict: Verdict,
    changes: Partial<TrafficProof>,
    extra: { readonly amounts?: Amounts; readonly ackAbove?: bigint } = {},
  ): Expected {
    const amounts = extra.amounts ?? this.#amounts();
    const upload = this.#upload(amounts, changes, extra);
    this.#seq += 1n;
    this.#prev = trafficProofDigestHex(this.#deps.deployment, upload.proof);
    if (upload.proof.endS > this.#endS) this.#endS = upload.proof.endS;
    this.#bytes += amounts.up + amounts.down;
    this.#paid += amounts.paid;
    return this.#expected(deed, verdict, upload);
  }

  /** About a megabyte, at a unit the kilobyte. */
  #amounts(): Amounts {
    const down = BigInt(Math.floor(this.#deps.random() * 1_000_000)) + 10_000n;
    return { up: down / 8n, down, paid: down / 1_000n };
  }

  #upload(
    amounts: Amounts,
    changes: Partial<TrafficProof>,
    { key = this.#key, ackAbove = 0n }: { readonly key?: Uint8Array; readonly ackAbove?: bigint } = {},
  ): ProofUpload {
    const { deployment, signer } = this.#deps;
    const { up, down, paid } = amounts;
    const unsigned = {
      channelId: this.#channelId,
      amount: this.#paid + paid,
      ackBytes: this.#bytes + up + down + ackAbove,
    };
    const signature = signer.sign(voucherDigest(deployment, unsigned), this.#guestKey);
    const voucher = { ...unsigned, signature, config: this.#config };
    const epoch = (changes.endS ?? this.#endS) / EPOCH_S;
    const leaf = {
      sessionId: blindedSessionId(this.#key, this.#channelId, epoch),
      channelId: this.#channelId,
      bytesUp: up,
      bytesDown: down,
      paid,
      voucherDigest: voucherDigestHex(deployment, voucher),
    };
    const proof: TrafficProof = {
      device: this.address,
      epoch,
      seq: this.#seq,
      startS: this.#endS,
      endS: this.#endS,
      bytesUp: up,
      bytesDown: down,
      paid,
      sessionsRoot: sessionsRoot([leaf]),
      prev: this.#prev,
      clockState: 1n,
      ...changes,
    };
    const signed = { ...proof, signature: signer.sign(trafficProofDigest(deployment, proof), key) };
    return { proof: signed, leaves: [leaf], vouchers: [voucher] };
  }

  #expected(deed: Deed, verdict: Verdict, upload: ProofUpload): Expected {
    const digest = trafficProofDigestHex(this.#deps.deployment, upload.proof);
    return { deed, verdict, digest, body: encodeProofUpload(upload) };
  }
}

const guestAddresses = new Map<Uint8Array, Address>();

function guestAddress(signer: FastSigner, key: Uint8Array): Address {
  const address = guestAddresses.get(key) ?? signer.addressOf(key);
  guestAddresses.set(key, address);
  return address;
}
