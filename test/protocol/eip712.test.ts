import fc from 'fast-check';
import t from 'tap';
import {
  domainSeparator,
  encodeType,
  hashStruct,
  type StaticType,
  type StructType,
  typedDigest,
} from '../../protocol/eip712.ts';
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { signDigest } from '../../protocol/signature.ts';
import { anyAddress, anyHex, anyUint, CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const DOMAIN = { name: 'any', version: '7', chainId: CHANNELS.chainId, verifyingContract: CHANNELS.channels };
const { secretKey } = testKey('device');

const VALUES: { readonly [Type in StaticType]: fc.Arbitrary<Hex | bigint> } = {
  address: anyAddress(),
  bytes32: anyHex(32),
  uint8: anyUint(8),
  uint32: anyUint(32),
  uint40: anyUint(40),
  uint64: anyUint(64),
  uint256: anyUint(256),
};

const anyStruct = fc
  .uniqueArray(fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,8}$/), { minLength: 1, maxLength: 8 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .constantFrom(...(Object.keys(VALUES) as StaticType[]))
          .chain((type) => VALUES[type].map((value) => ({ name, type, value }))),
      ),
    ),
  );

t.test('the digest of any flat struct is the one another library signs', (t) => {
  fc.assert(
    fc.property(anyStruct, (fields) => {
      const type: StructType = { name: 'Any', fields: fields.map((field) => [field.name, field.type] as const) };
      const value = Object.fromEntries(fields.map((field) => [field.name, field.value]));
      const digest = typedDigest(domainSeparator(DOMAIN), hashStruct(type, value));
      t.equal(signDigest(digest, secretKey), oracleSignature(DOMAIN, encodeType(type), value, secretKey));
    }),
    { numRuns: 40 },
  );
  t.end();
});

t.test('the domain separator is that of the example in EIP-712', (t) => {
  const domain = {
    name: 'Ether Mail',
    version: '1',
    chainId: 1n,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  } as const;
  t.equal(hexFromBytes(domainSeparator(domain)), '0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f');
  t.end();
});

t.test('a domain separator is remembered, and made anew after many others', (t) => {
  const domain = (chainId: bigint) => ({ name: 'a', version: '1', chainId, verifyingContract: CHANNELS.channels });
  const first = domainSeparator(domain(1n));
  t.equal(domainSeparator(domain(1n)), first, 'the same bytes, not equal ones');
  for (let chainId = 2n; chainId < 100n; chainId++) t.notSame(domainSeparator(domain(chainId)), first);
  t.same(domainSeparator(domain(1n)), first);
  t.throws(() => domainSeparator(domain(-1n)), new RangeError('chainId must be uint256, got -1'));
  t.end();
});

t.test('the type text lists the fields in order', (t) => {
  const type: StructType = {
    name: 'Voucher',
    fields: [
      ['channelId', 'bytes32'],
      ['amount', 'uint64'],
    ],
  };
  t.equal(encodeType(type), 'Voucher(bytes32 channelId,uint64 amount)');
  t.equal(encodeType({ name: 'Empty', fields: [] }), 'Empty()');
  t.end();
});

t.test('fields that the type does not name change nothing', (t) => {
  const type: StructType = { name: 'A', fields: [['a', 'uint8']] };
  t.same(hashStruct(type, { a: 1n, b: 2n }), hashStruct(type, { a: 1n }));
  t.end();
});

const REFUSED: readonly (readonly [StaticType, Hex | bigint | undefined, string])[] = [
  ['uint8', undefined, 'A.a is missing'],
  ['uint8', 256n, 'A.a must be uint8, got 256'],
  ['uint8', -1n, 'A.a must be uint8, got -1'],
  ['uint40', 1n << 40n, 'A.a must be uint40, got 1099511627776'],
  ['uint64', 1n << 64n, 'A.a must be uint64, got 18446744073709551616'],
  ['uint64', '0x01', 'A.a must be uint64, got 0x01'],
  ['address', '0x01', 'A.a must be 20 bytes of hex, got 0x01'],
  ['bytes32', 5n, 'A.a must be 32 bytes of hex, got 5'],
  ['address', 5n, 'A.a must be 20 bytes of hex, got 5'],
  ['bytes32', '0xzz', 'A.a must be 32 bytes of hex, got 0xzz'],
  ['bytes32', `0x${'0'.repeat(63)}g`, `A.a must be 32 bytes of hex, got 0x${'0'.repeat(63)}g`],
];
for (const [type, value, message] of REFUSED) {
  t.test(`${value} is refused as ${type}`, (t) => {
    const struct: StructType = { name: 'A', fields: [['a', type]] };
    t.throws(() => hashStruct(struct, value === undefined ? {} : { a: value }), new RangeError(message));
    t.end();
  });
}
