import { encode } from 'cborg';
import fc from 'fast-check';
import t from 'tap';
import {
  decodeProofUpload,
  encodeProofUpload,
  MAX_LEAVES,
  MAX_UPLOAD_BYTES,
  type ProofUpload,
} from '../../protocol/traffic-proof-wire.ts';
import { MAX_UINT64 } from '../../protocol/units.ts';
import {
  anyAmount,
  anyChannelConfig,
  anyHex,
  anySessionLeaf,
  anyTrafficProof,
  testKey,
} from '../support/protocol-arbitraries.ts';

const anyUpload: fc.Arbitrary<ProofUpload> = fc.record({
  proof: fc
    .tuple(anyTrafficProof(testKey('device').address), anyHex(64))
    .map(([proof, signature]) => ({ ...proof, signature })),
  leaves: fc.array(anySessionLeaf(), { maxLength: 4 }),
  vouchers: fc.array(
    fc.record({
      channelId: anyHex(32),
      amount: anyAmount(),
      ackBytes: anyAmount(),
      signature: anyHex(64),
      config: anyChannelConfig(),
    }),
    { maxLength: 4 },
  ),
});

t.test('an upload survives the way through CBOR, byte for byte', (t) => {
  fc.assert(
    fc.property(anyUpload, (upload) => {
      const bytes = encodeProofUpload(upload);
      t.same(decodeProofUpload(bytes), { ok: true, value: upload });
      t.same(encodeProofUpload(upload), bytes);
    }),
    { numRuns: 40 },
  );
  t.end();
});

const WORD = `0x${'ff'.repeat(32)}` as const;
const ADDRESS = `0x${'ff'.repeat(20)}` as const;
const SIGNATURE = `0x${'ff'.repeat(64)}` as const;
const UINT40 = (1n << 40n) - 1n;
/** Every field at its widest, one session. */
const WIDEST: ProofUpload = {
  proof: {
    device: ADDRESS,
    epoch: (1n << 32n) - 1n,
    seq: (1n << 32n) - 1n,
    startS: UINT40,
    endS: UINT40,
    bytesUp: MAX_UINT64,
    bytesDown: MAX_UINT64,
    paid: MAX_UINT64,
    sessionsRoot: WORD,
    prev: WORD,
    clockState: 1n,
    signature: SIGNATURE,
  },
  leaves: [
    {
      sessionId: WORD,
      channelId: WORD,
      bytesUp: MAX_UINT64,
      bytesDown: MAX_UINT64,
      paid: MAX_UINT64,
      voucherDigest: WORD,
    },
  ],
  vouchers: [
    {
      channelId: WORD,
      amount: MAX_UINT64,
      ackBytes: MAX_UINT64,
      signature: SIGNATURE,
      config: {
        payer: ADDRESS,
        signer: ADDRESS,
        payee: ADDRESS,
        device: ADDRESS,
        expiry: UINT40,
        exitDelay: UINT40,
        salt: WORD,
      },
    },
  ],
};

/** The widest upload with that many sessions. */
function uploadOf(sessions: number): ProofUpload {
  const many = <T>(list: readonly T[]): T[] => Array.from({ length: sessions }, () => list[0] as T);
  return { ...WIDEST, leaves: many(WIDEST.leaves), vouchers: many(WIDEST.vouchers) };
}

t.test('a proof of as many sessions as there may be fits the limit, one of more is refused', (t) => {
  const full = encodeProofUpload(uploadOf(MAX_LEAVES));
  t.ok(full.length <= MAX_UPLOAD_BYTES, `${full.length} bytes`);
  t.equal(decodeProofUpload(full).ok, true);
  const tooMany = decodeProofUpload(encodeProofUpload(uploadOf(MAX_LEAVES + 1)));
  t.has(tooMany, { ok: false, path: 'leaves', expected: '<=1024', got: 'object' });
  t.end();
});

t.test('more bytes than the limit are refused before they are looked at', (t) => {
  t.same(decodeProofUpload(new Uint8Array(MAX_UPLOAD_BYTES + 1)), {
    ok: false,
    path: '',
    expected: 'at most 524288 bytes',
    got: '524289 bytes',
  });
  t.end();
});

const NO_CBOR: readonly (readonly [what: string, bytes: readonly number[], got: string])[] = [
  ['nothing', [], 'CBOR decode error: did not find any content to decode'],
  ['a number in too many bytes', [0x18, 1], 'CBOR decode error: integer encoded in more bytes than necessary'],
  ['an array without a length', [0x9f, 0xff], 'CBOR decode error: indefinite length items not allowed'],
  ['undefined', [0xf7], 'CBOR decode error: undefined values are not supported'],
  ['a big number by tag', [0xc2, 0x41, 1], 'CBOR decode error: tag not supported (2)'],
  ['two values', [1, 1], 'CBOR decode error: too many terminals'],
  ['a map that claims 2^64-1 entries', [0xbb, ...Array<number>(8).fill(255)], 'CBOR decode error: 64-bit integer map'],
  ['an array that claims 2^31-1 entries', [0x9a, 0x7f, 255, 255, 255], 'CBOR decode error: found array but not enough'],
  ['a key twice', [0xa2, 0x61, 0x76, 1, 0x61, 0x76, 1], 'CBOR decode error: found repeat map key "v"'],
  ['a key of 1000 characters twice', longKeyTwice(), 'CBOR decode error: found repeat map key "aaaa'],
  ['200,000 arrays in each other', Array<number>(200_000).fill(0x81), 'Maximum call stack size exceeded'],
];
for (const [what, bytes, got] of NO_CBOR) {
  t.test(`${what} is no deterministic CBOR`, (t) => {
    const decoded = decodeProofUpload(new Uint8Array(bytes));
    t.has(decoded, { ok: false, path: '', expected: 'deterministic CBOR' });
    t.ok(!decoded.ok && decoded.got.startsWith(got) && decoded.got.length <= 100, JSON.stringify(decoded));
    t.end();
  });
}

function longKeyTwice(): number[] {
  const pair = [0x79, 0x03, 0xe8, ...Array<number>(1000).fill(0x61), 0x01];
  return [0xa2, ...pair, ...pair];
}

const bytes = (length: number): Uint8Array => new Uint8Array(length);
const PROOF = [bytes(20), 1, 1, 1, 1, 1, 1, 1, bytes(32), bytes(32), 1, bytes(64)];
const LEAF = [bytes(32), bytes(32), 1, 1, 1, bytes(32)];
const CONFIG = [bytes(20), bytes(20), bytes(20), bytes(20), 1, 1, bytes(32)];
const VOUCHER = [bytes(32), 1, 1, bytes(64), CONFIG];
const GOOD = { v: 1, proof: PROOF, leaves: [LEAF], vouchers: [VOUCHER] };
const put = (list: readonly unknown[], at: number, value: unknown): unknown[] =>
  list.map((old, i) => (i === at ? value : old));

const REFUSED: readonly (readonly [what: string, value: unknown, path: string, expected: string])[] = [
  ['a number', 1, '', 'Object'],
  ['an empty map', {}, 'v', '"v"'],
  ['of another version', { ...GOOD, v: 2 }, 'v', '1'],
  ['without a proof', { v: 1, leaves: [], vouchers: [] }, 'proof', '"proof"'],
  ['with a field too many', { ...GOOD, x: 1 }, 'x', 'never'],
  ['with a short proof', { ...GOOD, proof: PROOF.slice(0, 11) }, 'proof.11', 'Uint8Array'],
  ['with a long proof', { ...GOOD, proof: [...PROOF, 1] }, 'proof.12', 'never'],
  ['with a device of 19 bytes', { ...GOOD, proof: put(PROOF, 0, bytes(19)) }, 'proof.0', '20 bytes'],
  ['with a device in text', { ...GOOD, proof: put(PROOF, 0, ADDRESS) }, 'proof.0', 'Uint8Array'],
  ['with an epoch of 2^32', { ...GOOD, proof: put(PROOF, 1, 2 ** 32) }, 'proof.1', 'uint32'],
  ['with a start of 2^40', { ...GOOD, proof: put(PROOF, 3, 2 ** 40) }, 'proof.3', 'uint40'],
  ['with a negative count', { ...GOOD, proof: put(PROOF, 5, -1) }, 'proof.5', '>=0'],
  ['with a fraction', { ...GOOD, proof: put(PROOF, 5, 0.5) }, 'proof.5', 'unsigned integer'],
  ['with a clock state of 2', { ...GOOD, proof: put(PROOF, 10, 2) }, 'proof.10', 'clock state 0 or 1'],
  ['with a signature of 65 bytes', { ...GOOD, proof: put(PROOF, 11, bytes(65)) }, 'proof.11', '64 bytes'],
  ['with leaves that are no list', { ...GOOD, leaves: {} }, 'leaves', 'Array'],
  ['with a leaf that is no list', { ...GOOD, leaves: [1] }, 'leaves.0', 'Array'],
  ['with a short leaf', { ...GOOD, leaves: [LEAF.slice(0, 5)] }, 'leaves.0.5', 'Uint8Array'],
  ['with a voucher without a config', { ...GOOD, vouchers: [VOUCHER.slice(0, 4)] }, 'vouchers.0.4', 'Array'],
  [
    'with an expiry of 2^40',
    { ...GOOD, vouchers: [put(VOUCHER, 4, put(CONFIG, 4, 2 ** 40))] },
    'vouchers.0.4.4',
    'uint40',
  ],
];
for (const [what, value, path, expected] of REFUSED) {
  t.test(`an upload ${what} is refused`, (t) => {
    const decoded = decodeProofUpload(encode(value));
    t.has(decoded, { ok: false, path });
    t.ok(!decoded.ok && decoded.expected.includes(expected), JSON.stringify(decoded));
    t.end();
  });
}

t.test('the upload that the refused ones differ from is accepted', (t) => {
  t.equal(decodeProofUpload(encode(GOOD)).ok, true);
  t.end();
});

t.test('no bytes make the decoder throw, damaged uploads included', (t) => {
  const good = encodeProofUpload(uploadOf(2));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (input) => 'ok' in decodeProofUpload(input)));
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
      return 'ok' in decodeProofUpload(good.map((old, i) => (i === at ? byte : old)));
    }),
  );
  fc.assert(
    fc.property(fc.nat({ max: good.length - 1 }), (end) => !decodeProofUpload(good.subarray(0, end)).ok),
    {
      numRuns: 50,
    },
  );
  t.end();
});
