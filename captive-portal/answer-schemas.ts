/** What the API answers, as schemas: the OpenAPI document is made from them, and tests hold real answers against them. */
import * as v from 'valibot';
import { PROBLEM_REASONS } from './problem.ts';

const amount = v.pipe(
  v.string(),
  v.check((text) => /^\d{1,20}$/.test(text), 'decimal string, units of 10^-4 SSP'),
);
const bytes = v.pipe(
  v.string(),
  v.check((text) => /^\d{1,20}$/.test(text), 'decimal string, bytes at layer 3'),
);
const integer = v.pipe(
  v.string(),
  v.check((text) => /^\d{1,20}$/.test(text), 'decimal string'),
);
const wei = v.pipe(
  v.string(),
  v.check((text) => /^\d{1,30}$/.test(text), 'decimal string, wei'),
);
const hex = v.pipe(
  v.string(),
  v.check((text) => /^0x[0-9a-f]*$/.test(text), 'hexadecimal with 0x'),
);

const voucherAnswer = v.strictObject({ v: v.literal(1), ch: hex, amt: amount, ack: bytes, sig: hex });
const deployment = v.strictObject({ chainId: integer, channels: hex });

/** GET /api/view, every accepted POST, and each event of GET /api/events. */
export const viewAnswer = v.strictObject({
  v: v.literal(1),
  isOnline: v.boolean(),
  phase: v.picklist(['none', 'trial', 'pending', 'active', 'grace', 'closing', 'settled', 'failed']),
  channelId: v.optional(hex),
  downBytes: bytes,
  upBytes: bytes,
  onlineMs: v.number(),
  chargedUnits: amount,
  creditUnits: amount,
  depositUnits: amount,
  bytesRemaining: bytes,
  secondsRemaining: v.optional(v.number()),
  isLow: v.boolean(),
  lastVoucher: v.optional(voucherAnswer),
  refund: v.optional(v.strictObject({ units: amount, tx: hex })),
  isPaused: v.optional(v.boolean()),
  hasReceipt: v.optional(v.boolean()),
  onChain: v.optional(
    v.strictObject({
      openFeeUnits: amount,
      claimedUnits: amount,
      gasWei: wei,
      openTx: v.optional(hex),
      closeTx: v.optional(hex),
    }),
  ),
});

/** GET /api/deposit: what the payer's own wallet is to send, in this order. */
export const depositAnswer = v.strictObject({
  v: v.literal(1),
  channelId: hex,
  chainId: integer,
  payer: hex,
  units: amount,
  calls: v.array(v.strictObject({ to: hex, data: hex })),
  approveLink: v.string(),
});

/** GET /api/quote. */
export const termsAnswer = v.strictObject({
  v: v.literal(1),
  quote: v.strictObject({
    device: hex,
    payee: hex,
    token: hex,
    unitsPerMb: amount,
    unitsPerMinute: amount,
    minDeposit: amount,
    openFee: amount,
    exitDelay: integer,
    expiry: integer,
    validUntil: integer,
    nonce: hex,
    signature: hex,
  }),
  deployment,
  tokenDomain: v.strictObject({ name: v.string(), version: v.string(), chainId: integer, verifyingContract: hex }),
  packages: v.array(v.strictObject({ name: v.string(), units: amount })),
  trialBytes: bytes,
  nowS: integer,
  faucetUnits: v.optional(amount),
});

/** GET /v1/offer. */
export const offerAnswer = v.strictObject({
  v: v.literal(1),
  device: hex,
  payee: hex,
  serial: integer,
  service: v.string(),
  unit: v.string(),
  price: amount,
  quantity: integer,
  pricePerMinute: amount,
  minDeposit: amount,
  limits: v.array(v.strictObject({ name: v.string(), value: integer })),
  place: v.strictObject({ country: v.string(), geohash: v.string() }),
  validFrom: integer,
  validUntil: integer,
  sig: hex,
});

/** GET /api/receipt. */
export const receiptAnswer = v.strictObject({
  v: v.literal(1),
  device: hex,
  channelId: hex,
  downBytes: bytes,
  upBytes: bytes,
  paidUnits: amount,
  depositUnits: amount,
  refundUnits: amount,
  refundTx: hex,
  issuedAt: integer,
  signature: hex,
});

export const challengeAnswer = v.strictObject({ v: v.literal(1), ch: hex, challenge: hex, deployment });
/** POST /api/balance. */
export const balanceAnswer = v.strictObject({ units: amount });
export const tickAnswer = v.strictObject({ promisedUnits: amount });

/** RFC 8908 section 5. */
export const captiveAnswer = v.strictObject({
  captive: v.boolean(),
  'user-portal-url': v.string(),
  'venue-info-url': v.string(),
  'can-extend-session': v.boolean(),
  'x-android-use-custom-tabs': v.optional(v.number()),
  'bytes-remaining': v.optional(v.number()),
  'seconds-remaining': v.optional(v.number()),
});

/** RFC 9457. */
/** POST /api/faucet. */
export const faucetAnswer = v.strictObject({ units: amount });
export const problemAnswer = v.strictObject({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  reason: v.picklist(PROBLEM_REASONS),
  expected: v.optional(v.string()),
  got: v.optional(v.string()),
  last: v.optional(voucherAnswer),
});
