/**
 * Writes test/vectors/protocol-digests.json, which the TypeScript tests and the Solidity tests both read.
 * Everything in it is deterministic: keys are hashes of labels and signatures have RFC 6979 nonces.
 *
 * Run: npm run vectors (after a deliberate change of a wire format; the diff is then part of the review).
 */
import { writeFileSync } from 'node:fs';
import { attachDigest } from '../protocol/attach.ts';
import {
  type ChannelConfig,
  channelId,
  channelsDomain,
  closeDigest,
  depositNonce,
  exitDigest,
  openDigest,
} from '../protocol/channel.ts';
import { type Domain, domainSeparator } from '../protocol/eip712.ts';
import { authorizationDigest } from '../protocol/funding.ts';
import { type Hex, hexFromBytes } from '../protocol/hex.ts';
import { keccak256Text } from '../protocol/keccak.ts';
import { formatPassCode, passCodeFromRandom, secretKeyFromPassCode } from '../protocol/pass-code.ts';
import { quoteDigest } from '../protocol/quote.ts';
import { addressFromSecretKey, signDigest, splitSignature } from '../protocol/signature.ts';
import {
  blindedSessionId,
  GENESIS_PREV,
  registryDomain,
  sessionsRoot,
  trafficProofDigest,
  trafficProofDigestHex,
} from '../protocol/traffic-proof.ts';
import { MAX_UINT64 } from '../protocol/units.ts';
import { proofReceiptDigest, VERDICTS } from '../protocol/verdict.ts';
import { voucherDigest } from '../protocol/voucher.ts';
import { moreVectors } from './vector-messages.ts';

const ORIGIN =
  'Made by tools/make-vectors.ts from protocol/ with @noble/secp256k1 and @noble/hashes. Secret keys are ' +
  'keccak256("SSP test key <name>"), salts and nonces keccak256 of the text beside them in the tool. ' +
  'test/protocol/vectors.test.ts has every signature made again by micro-eth-signer from the type text alone; the ' +
  'Solidity tests recompute ids and digests on chain. Uints are decimal strings, signatures EIP-2098 with r, s, v beside.';

const CONTRACT = '0x5fbdb2315678afecb367f032d93f642f64180aa3';
const TOKEN = '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512';
const channels = { chainId: 31337n, channels: CONTRACT } as const;
const registry = { chainId: 31337n, registry: CONTRACT } as const;
const tokenDomain: Domain = { name: 'SSP Test Token', version: '1', chainId: 31337n, verifyingContract: TOKEN };

const NAMES = ['payer', 'signer', 'payee', 'device', 'collector', 'stranger', 'vendor'] as const;
type Name = (typeof NAMES)[number];

const secretOf = (name: Name): Uint8Array => keccak256Text(`SSP test key ${name}`);
const addressOf = (name: Name): Hex => addressFromSecretKey(secretOf(name));
const word = (label: string): Hex => hexFromBytes(keccak256Text(label));

const configs: readonly (ChannelConfig & { readonly case: string })[] = [
  {
    case: 'a wallet with a separate voucher key',
    payer: addressOf('payer'),
    signer: addressOf('signer'),
    payee: addressOf('payee'),
    device: addressOf('device'),
    expiry: 1_800_000_000n,
    exitDelay: 3600n,
    salt: word('salt 0'),
  },
  {
    case: 'a pass code: payer is signer',
    payer: addressOf('payer'),
    signer: addressOf('payer'),
    payee: addressOf('payee'),
    device: addressOf('device'),
    expiry: 1_900_000_000n,
    exitDelay: 86_400n,
    salt: word('salt 1'),
  },
  {
    case: 'widest times and salt',
    payer: addressOf('payer'),
    signer: addressOf('signer'),
    payee: addressOf('device'),
    device: addressOf('device'),
    expiry: (1n << 40n) - 1n,
    exitDelay: (1n << 40n) - 1n,
    salt: `0x${'ff'.repeat(32)}`,
  },
];

/** All vectors; the file is this, with bigints as decimal strings. */
export function protocolVectors(): object {
  const ids = configs.map((config) => channelId(channels, config));
  const firstId = ids[0] as Hex;
  return {
    origin: ORIGIN,
    chainId: channels.chainId,
    contract: CONTRACT,
    domains: {
      channels: describeDomain(channelsDomain(channels)),
      registry: describeDomain(registryDomain(registry)),
      token: describeDomain(tokenDomain),
    },
    keys: Object.fromEntries(
      NAMES.map((name) => [name, { secretKey: hexFromBytes(secretOf(name)), address: addressOf(name) }]),
    ),
    channelConfigs: configs.map((config, i) => ({ ...config, channelId: ids[i] })),
    ...channelMessages(ids, firstId),
    ...fundingMessages(ids),
    quotes: quotes(),
    ...proofMessages(firstId),
    ...moreVectors({ ids, addressOf, signed }),
    passCodes: passCodes(),
  };
}

function channelMessages(ids: readonly Hex[], firstId: Hex): object {
  const vouchers = [
    { channelId: firstId, amount: 1n, ackBytes: 0n },
    { channelId: firstId, amount: 500_000n, ackBytes: 50_000_000n },
    { channelId: firstId, amount: MAX_UINT64, ackBytes: MAX_UINT64 },
    { channelId: ids[2] as Hex, amount: 123_456n, ackBytes: 789n },
  ];
  const deadlines = [
    { channelId: firstId, amount: 1_000_000n, deadline: 1_799_999_999n },
    { channelId: ids[1] as Hex, amount: MAX_UINT64, deadline: (1n << 256n) - 1n },
  ];
  const closes = [
    { channelId: firstId, amount: 0n },
    { channelId: firstId, amount: 499_999n },
  ];
  const attaches = [
    { channelId: firstId, challenge: word('challenge 0') },
    { channelId: ids[2] as Hex, challenge: `0x${'ff'.repeat(32)}` as const },
  ];
  return {
    vouchers: vouchers.map((value) => signed('signer', value, voucherDigest(channels, value))),
    opens: deadlines.map((value) =>
      signed('payer', value, openDigest(channels, value.channelId, value.amount, value.deadline)),
    ),
    closesByPayee: closes.map((value) => signed('payee', value, closeDigest(channels, value.channelId, value.amount))),
    closesByDevice: closes.map((value) =>
      signed('device', value, closeDigest(channels, value.channelId, value.amount)),
    ),
    exits: deadlines.map(({ channelId: id, deadline }) =>
      signed('payer', { channelId: id, deadline }, exitDigest(channels, id, deadline)),
    ),
    attaches: attaches.map((value) => signed('signer', value, attachDigest(channels, value))),
    malformedSignatures: malformedSignatures(),
  };
}

/** 64 bytes that are the signature of nobody, whatever the digest. */
function malformedSignatures(): object[] {
  const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
  const one = '1'.padStart(64, '0');
  const zero = '0'.repeat(64);
  return [
    { case: 'all zero', signature: `0x${zero}${zero}` },
    { case: 'r is zero', signature: `0x${zero}${one}` },
    { case: 's is zero', signature: `0x${one}${zero}` },
    { case: 's is zero with parity', signature: `0x${one}8${'0'.repeat(63)}` },
    { case: 'r is the curve order', signature: `0x${order}${one}` },
    { case: 'all ones', signature: `0x${'f'.repeat(128)}` },
  ];
}

function fundingMessages(ids: readonly Hex[]): object {
  const nonces = ids.flatMap((id) =>
    [0n, 1n, (1n << 256n) - 1n].map((n) => ({ channelId: id, n, nonce: depositNonce(id, n) })),
  );
  const authorizations = [
    { validAfter: 0n, validBefore: 1_799_999_999n, value: 1_000_000n, nonce: depositNonce(ids[0] as Hex, 0n) },
    { validAfter: 1_700_000_000n, validBefore: (1n << 256n) - 1n, value: 1n, nonce: depositNonce(ids[1] as Hex, 1n) },
  ];
  return {
    depositNonces: nonces,
    authorizations: authorizations.map((fields) => {
      const value = { from: addressOf('payer'), to: CONTRACT, ...fields } as const;
      return signed('payer', value, authorizationDigest(tokenDomain, value));
    }),
  };
}

function quotes(): object[] {
  const quote = {
    device: addressOf('device'),
    payee: addressOf('payee'),
    token: TOKEN,
    unitsPerMb: 100n,
    unitsPerMinute: 5n,
    minDeposit: 200_000n,
    openFee: 10_000n,
    exitDelay: 3600n,
    expiry: 1_800_000_000n,
    validUntil: 1_790_000_000n,
    nonce: word('quote nonce 0'),
  } as const;
  return [quote, { ...quote, unitsPerMb: 0n, unitsPerMinute: MAX_UINT64, nonce: word('quote nonce 1') }].map((value) =>
    signed('device', value, quoteDigest(channels, value)),
  );
}

function proofMessages(id: Hex): object {
  const deviceSecret = keccak256Text('SSP test device secret');
  const leaves = [0n, 1n, 2n].map((epoch) => ({
    sessionId: blindedSessionId(deviceSecret, id, epoch),
    channelId: id,
    bytesUp: 1000n * epoch,
    bytesDown: 40_000n + epoch,
    paid: epoch,
    voucherDigest: word(`voucher ${epoch}`),
  }));
  const roots = leaves.map((_, i) => ({
    leaves: leaves.slice(0, i + 1),
    sessionsRoot: sessionsRoot(leaves.slice(0, i + 1)),
  }));
  const first = {
    device: addressOf('device'),
    epoch: 2900n,
    seq: 0n,
    startS: 1_790_000_000n,
    endS: 1_790_000_300n,
    bytesUp: 3000n,
    bytesDown: 120_003n,
    paid: 3n,
    sessionsRoot: sessionsRoot(leaves),
    prev: GENESIS_PREV,
    clockState: 1n,
  } as const;
  const second = {
    ...first,
    seq: 1n,
    startS: 17n,
    endS: 317n,
    prev: trafficProofDigestHex(registry, first),
    clockState: 0n,
  } as const;
  const receipts = VERDICTS.map((verdict, i) => ({
    collector: addressOf('collector'),
    proof: trafficProofDigestHex(registry, first),
    verdict,
    receivedS: 1_790_000_400n + BigInt(i),
  }));
  return {
    blindedSessionIds: leaves.map(({ sessionId }, epoch) => ({
      deviceSecret: hexFromBytes(deviceSecret),
      channelId: id,
      epoch: BigInt(epoch),
      sessionId,
    })),
    sessionsRoots: [{ leaves: [], sessionsRoot: sessionsRoot([]) }, ...roots],
    trafficProofs: [first, second].map((value) => signed('device', value, trafficProofDigest(registry, value))),
    proofReceipts: receipts.map((value) =>
      signed(
        'collector',
        { ...value, verdictCode: BigInt(VERDICTS.indexOf(value.verdict)) },
        proofReceiptDigest(registry, value),
      ),
    ),
  };
}

function passCodes(): object[] {
  return ['pass code 0', 'pass code 1'].map((label) => {
    const code = passCodeFromRandom(keccak256Text(label).subarray(0, 13));
    const secretKey = secretKeyFromPassCode(code);
    return {
      code,
      printed: formatPassCode(code),
      secretKey: hexFromBytes(secretKey),
      address: addressFromSecretKey(secretKey),
    };
  });
}

function describeDomain(domain: Domain): object {
  return { ...domain, separator: hexFromBytes(domainSeparator(domain)) };
}

function signed(by: Name, value: object, digest: Uint8Array): object {
  const signature = signDigest(digest, secretOf(by));
  return { ...value, digest: hexFromBytes(digest), signedBy: by, signature, ...splitSignature(signature) };
}

/** The file's text. */
export function vectorsText(): string {
  return `${JSON.stringify(protocolVectors(), (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2)}\n`;
}

if (import.meta.main) writeFileSync(new URL('../test/vectors/protocol-digests.json', import.meta.url), vectorsText());
