import fc from 'fast-check';
import t from 'tap';
import {
  channelId,
  channelsDomain,
  channelsSeparator,
  closeDigest,
  depositNonce,
  exitDigest,
  openDigest,
} from '../../protocol/channel.ts';
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Hex } from '../../protocol/keccak.ts';
import { signDigest } from '../../protocol/signature.ts';
import {
  anyAddress,
  anyAmount,
  anyChannelConfig,
  anyHex,
  anyUint,
  CHANNELS,
  testKey,
} from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const DOMAIN = channelsDomain(CHANNELS);
const { secretKey } = testKey('payer');
const sign = (digest: Uint8Array): Hex => signDigest(digest, secretKey);
const RUNS = { numRuns: 10 };

t.test('the domain is that of the ShareChannels contract', (t) => {
  t.same(DOMAIN, {
    name: 'SSP ShareChannels',
    version: '1',
    chainId: 31337n,
    verifyingContract: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
  });
  t.end();
});

t.test("a channel's id is the EIP-712 digest of its config", (t) => {
  const type =
    'ChannelConfig(address payer,address signer,address payee,address device,uint40 expiry,uint40 exitDelay,bytes32 salt)';
  fc.assert(
    fc.property(anyChannelConfig(), (config) => {
      const digest = Buffer.from(channelId(CHANNELS, config).slice(2), 'hex');
      t.equal(sign(digest), oracleSignature(DOMAIN, type, config, secretKey));
    }),
    RUNS,
  );
  t.end();
});

t.test('a channel has another id on another chain, at another contract, or with any field changed', (t) => {
  fc.assert(
    fc.property(anyChannelConfig(), anyAddress(), (config, other) => {
      const ids = [
        channelId(CHANNELS, config),
        channelId({ ...CHANNELS, chainId: 1n }, config),
        channelId({ ...CHANNELS, channels: other }, config),
        channelId(CHANNELS, { ...config, payer: other }),
        channelId(CHANNELS, { ...config, signer: other }),
        channelId(CHANNELS, { ...config, payee: other }),
        channelId(CHANNELS, { ...config, device: other }),
        channelId(CHANNELS, { ...config, expiry: config.expiry ^ 1n }),
        channelId(CHANNELS, { ...config, exitDelay: config.exitDelay ^ 1n }),
        channelId(CHANNELS, { ...config, salt: keccak256Hex(new Uint8Array()) }),
      ];
      t.equal(new Set(ids).size, ids.length);
    }),
    RUNS,
  );
  t.end();
});

t.test('open, close and exit digests are those another library signs', (t) => {
  fc.assert(
    fc.property(anyHex(32), anyAmount(), anyUint(256), (id, amount, deadline) => {
      t.equal(
        sign(openDigest(CHANNELS, id, amount, deadline)),
        oracleSignature(
          DOMAIN,
          'Open(bytes32 channelId,uint64 amount,uint256 deadline)',
          { channelId: id, amount, deadline },
          secretKey,
        ),
      );
      t.equal(
        sign(closeDigest(CHANNELS, id, amount)),
        oracleSignature(DOMAIN, 'Close(bytes32 channelId,uint64 amount)', { channelId: id, amount }, secretKey),
      );
      t.equal(
        sign(exitDigest(CHANNELS, id, deadline)),
        oracleSignature(DOMAIN, 'Exit(bytes32 channelId,uint256 deadline)', { channelId: id, deadline }, secretKey),
      );
    }),
    RUNS,
  );
  t.end();
});

t.test('a deposit nonce is keccak256(channelId || n as uint256)', (t) => {
  fc.assert(
    fc.property(anyHex(32), anyUint(256), (id, n) => {
      const packed = id.slice(2) + n.toString(16).padStart(64, '0');
      t.equal(depositNonce(id, n), keccak256Hex(Buffer.from(packed, 'hex')));
    }),
    RUNS,
  );
  t.end();
});

t.test('more deployments than the cache holds still get the right separator', (t) => {
  const separators = Array.from({ length: 130 }, (_, i) =>
    hexFromBytes(channelsSeparator({ ...CHANNELS, chainId: BigInt(i) })),
  );
  t.equal(new Set(separators).size, 130);
  t.equal(hexFromBytes(channelsSeparator({ ...CHANNELS, chainId: 0n })), separators[0]);
  t.equal(hexFromBytes(channelsSeparator({ ...CHANNELS, chainId: 129n })), separators[129], 'from the cache');
  t.end();
});
