/** The part of the vectors that came with ticks, relayed batches, Permit2, identity and rewards; see make-vectors.ts. */
import { claimBatchDigest, claimBatchRoot } from '../protocol/claim-batch.ts';
import { clockCorrectionDigest, clockStatementDigest } from '../protocol/clock-statement.ts';
import { deviceBindingDigest } from '../protocol/device-binding.ts';
import { credentialHash, enrolmentDigest } from '../protocol/enrolment.ts';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import { keccak256Text } from '../protocol/keccak.ts';
import { keyRotationDigest } from '../protocol/key-rotation.ts';
import { listingAccessDigest } from '../protocol/listing-access.ts';
import { channelPrefix, encodePaymentFrame } from '../protocol/payment-frame.ts';
import { tickChain } from '../protocol/payword.ts';
import { permit2Digest, permit2Nonce, permitDigest } from '../protocol/permit.ts';
import { epochBudget, growthAllowance, growthLeaf, usageReward } from '../protocol/rewards.ts';
import { BANDWIDTH, limitsHash, type ServiceOffer, serviceOfferDigest } from '../protocol/service-offer.ts';
import { bytes32FromText } from '../protocol/short-text.ts';
import { tickVoucherDigest } from '../protocol/tick-voucher.ts';
import { revocationListDigest, vendorAttestationDigest } from '../protocol/vendor-attestation.ts';

type Name = 'payer' | 'signer' | 'payee' | 'device' | 'collector' | 'stranger' | 'vendor';
type Tools = {
  readonly ids: readonly Hex[];
  readonly addressOf: (name: Name) => Hex;
  readonly signed: (by: Name, value: object, digest: Uint8Array) => object;
};

const CONTRACT = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
const TOKEN = '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512';
const channels = { chainId: 31337n, channels: CONTRACT } as const;
const registry = { chainId: 31337n, registry: CONTRACT } as const;

export function moreVectors(tools: Tools): object {
  return {
    ...tickMessages(tools),
    ...permits(tools),
    ...registryMessages(tools),
    ...serviceOffers(tools),
    ...rewards(tools),
  };
}

function tickMessages({ ids, signed }: Tools): object {
  const id = ids[0] as Hex;
  const seed = keccak256Text('SSP test tick seed');
  const chains = [1, 4, 64, 256].map((ticks) => {
    const words = tickChain(seed, ticks);
    const [anchor, first] = words as [Uint8Array, Uint8Array];
    return { seed: hexFromBytes(seed), ticks, anchor: hexFromBytes(anchor), firstPreimage: hexFromBytes(first) };
  });
  const tickVouchers = chains.map(({ ticks, anchor }, i) => {
    const value = {
      channelId: id,
      amount: 1000n * BigInt(i),
      anchor,
      tickValue: 10n ** BigInt(i),
      ticks: BigInt(ticks),
    };
    return signed('signer', value, tickVoucherDigest(channels, value));
  });
  const batches = [[{ channelId: id, amount: 5n }], ids.map((channelId, i) => ({ channelId, amount: BigInt(i) + 7n }))];
  const signature = `0x${'5a'.repeat(64)}` as const;
  const preimage = tickChain(seed, 4)[3] as Uint8Array;
  const voucher = { channelId: id, amount: 123_456n, ackBytes: 789n, signature };
  const tickVoucher = {
    channelId: id,
    amount: 7n,
    anchor: chains[1]?.anchor as Hex,
    tickValue: 10n,
    ticks: 4n,
    signature,
  };
  const frames = [
    { kind: 'voucher', voucher },
    { kind: 'tick', channelPrefix: channelPrefix(id), tick: { index: 3, preimage } },
    { kind: 'tickVoucher', tickVoucher },
  ] as const;
  return {
    tickChains: chains,
    tickVouchers,
    claimBatches: batches.map((claims) => {
      const root = claimBatchRoot(claims);
      return signed('device', { claims, root }, claimBatchDigest(channels, claims));
    }),
    paymentFrames: frames.map((frame) => ({ kind: frame.kind, bytes: hexFromBytes(encodePaymentFrame(frame)) })),
  };
}

function permits({ ids, addressOf, signed }: Tools): object {
  const channelId = ids[0] as Hex;
  const transfer = { token: TOKEN, amount: 1_000_000n, spender: CONTRACT, nonce: permit2Nonce(channelId, 0n) } as const;
  const permit2 = { ...transfer, deadline: 1_799_999_999n, channelId };
  const permit = {
    owner: addressOf('payer'),
    spender: CONTRACT,
    value: 1_000_000n,
    nonce: 0n,
    deadline: 1_799_999_999n,
  } as const;
  const domain = { name: 'SSP Test Token', version: '1', chainId: 31337n, verifyingContract: TOKEN } as const;
  return {
    permits: [signed('payer', permit, permitDigest(domain, permit))],
    permit2Transfers: [signed('payer', permit2, permit2Digest(31337n, permit2))],
  };
}

function registryMessages({ addressOf, signed }: Tools): object {
  const device = addressOf('device');
  const nonce = hexFromBytes(keccak256Text('nonce 0'));
  const attestation = { vendorId: 7n, device, model: bytes32FromText('SSP-AP-1'), notAfter: 1_900_000_000n };
  const bindings = [0n, 5n].map((n) => ({ device, operator: addressOf('payee'), nonce: n }));
  const list = { vendorId: 7n, serial: 3n, issuedS: 1_790_000_000n, devices: [device, addressOf('stranger')].sort() };
  const statement = { collector: addressOf('collector'), device, nonce, timeS: 1_790_000_000n };
  const correction = {
    device,
    fromSeq: 4n,
    toSeq: 9n,
    bootS: 1_789_999_000n,
    statement: hexFromBytes(clockStatementDigest(registry, statement)),
  };
  const credential = { method: 'serial', serial: 'SN-0001' } as const;
  const enrolment = { device, collector: addressOf('collector'), nonce, credential };
  const enrolled = {
    ...enrolment,
    method: 1n,
    serial: credential.serial,
    credential: credentialHash(registry, credential),
  };
  // Signed by the old key and by the new one: the same digest.
  const rotation = { device, successor: addressOf('payer'), nextSeq: 10n, prev: nonce };
  const access = { reader: addressOf('payee'), device, collector: addressOf('collector'), untilS: 1_790_000_300n };
  return {
    vendorAttestations: [signed('vendor', attestation, vendorAttestationDigest(registry, attestation))],
    deviceBindings: bindings.map((value) => signed('device', value, deviceBindingDigest(registry, value))),
    revocationLists: [signed('vendor', list, revocationListDigest(registry, list))],
    clockStatements: [signed('collector', statement, clockStatementDigest(registry, statement))],
    clockCorrections: [signed('device', correction, clockCorrectionDigest(registry, correction))],
    enrolments: [signed('device', enrolled, enrolmentDigest(registry, enrolment))],
    keyRotations: (['device', 'payer'] as const).map((by) =>
      signed(by, rotation, keyRotationDigest(registry, rotation)),
    ),
    listingAccesses: [signed('payee', access, listingAccessDigest(registry, access))],
  };
}

function serviceOffers({ addressOf, signed }: Tools): object {
  const offer: ServiceOffer = {
    device: addressOf('device'),
    payee: addressOf('payee'),
    serial: 12n,
    ...BANDWIDTH,
    price: 100n,
    quantity: 1_000_000n,
    pricePerMinute: 5n,
    minDeposit: 200_000n,
    limits: [
      { name: 'downKbps', value: 20_000n },
      { name: 'guests', value: 64n },
    ],
    place: { country: 'CH', geohash: 'u0qj' },
    validFrom: 1_790_000_000n,
    validUntil: 1_800_000_000n,
  };
  const value = { ...offer, limitsHash: limitsHash(offer.limits) };
  return { serviceOffers: [signed('device', value, serviceOfferDigest(registry, offer))] };
}

/** For a deployment with phi = 10 %, and an era of budgets counted from week 2959. */
function rewards({ addressOf }: Tools): object {
  const firstEpoch = 2959n;
  const epochs = [0n, 207n, 208n, 416n, 20_000n].map((weeks) => firstEpoch + weeks);
  const claims = [
    [1_721_336n, 1_721_436n],
    [9n, 9n],
    [1_201_923_076_922n, 1_201_923_076_922n],
    [1_201_923_076_922n, 2_403_846_153_844n],
    [3n, 90_000_000_000_000n],
  ] as const;
  const terms = { firstEpoch, feeBasisPoints: 1000n, growthBasisPoints: 1000n };
  return {
    rewards: {
      firstEpoch,
      budgets: epochs.map((epoch) => {
        return { epoch, budget: epochBudget(epoch, firstEpoch), growthAllowance: growthAllowance(epoch, terms) };
      }),
      usage: claims.map(([claimed, claimedByAll]) => {
        return {
          claimed,
          claimedByAll,
          reward: usageReward(claimed, claimedByAll, epochBudget(firstEpoch, firstEpoch), 1000n),
        };
      }),
      growthLeaves: [
        {
          device: addressOf('device'),
          cumulative: 300_000n,
          leaf: hexFromBytes(growthLeaf(addressOf('device'), 300_000n)),
        },
      ],
    },
  };
}
