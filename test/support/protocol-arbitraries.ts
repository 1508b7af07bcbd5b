/** fast-check arbitraries of the protocol's values, and the keys and deployments that its tests sign with. */
import fc from 'fast-check';
import type { Address } from '../../protocol/address.ts';
import type { ChannelConfig, ChannelsDeployment } from '../../protocol/channel.ts';
import { type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import type { Quote } from '../../protocol/quote.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import type { TickVoucher } from '../../protocol/tick-voucher.ts';
import type { RegistryDeployment, SessionLeaf, TrafficProof } from '../../protocol/traffic-proof.ts';
import { MAX_UINT64 } from '../../protocol/units.ts';

export const CHANNELS: ChannelsDeployment = {
  chainId: 31337n,
  channels: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
};
export const REGISTRY: RegistryDeployment = { chainId: 31337n, registry: CHANNELS.channels };

/** A key that is not worth anything: the hash of its name. */
export function testKey(name: string): { readonly secretKey: Uint8Array; readonly address: Address } {
  const secretKey = keccak256Text(`SSP test key ${name}`);
  return { secretKey, address: addressFromSecretKey(secretKey) };
}

export const anyBytes = (byteLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: byteLength, maxLength: byteLength });
export const anyHex = (byteLength: number): fc.Arbitrary<Hex> => anyBytes(byteLength).map(hexFromBytes);
export const anyAddress = (): fc.Arbitrary<Address> => anyHex(20);
export const anyUint = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n });
export const anyAmount = (): fc.Arbitrary<bigint> => fc.oneof(anyUint(64), fc.constantFrom(0n, 1n, MAX_UINT64));

export const anyChannelConfig = (): fc.Arbitrary<ChannelConfig> =>
  fc.record({
    payer: anyAddress(),
    signer: anyAddress(),
    payee: anyAddress(),
    device: anyAddress(),
    expiry: anyUint(40),
    exitDelay: anyUint(40),
    salt: anyHex(32),
  });

/** Any that can be claimed to its last tick. */
export const anyTickVoucher = (): fc.Arbitrary<TickVoucher> =>
  fc.record({
    channelId: anyHex(32),
    amount: anyUint(63),
    anchor: anyHex(32),
    tickValue: fc.bigInt({ min: 1n, max: (1n << 32n) - 1n }),
    ticks: fc.bigInt({ min: 1n, max: 256n }),
  });

export const anyQuote = (device: Address): fc.Arbitrary<Quote> =>
  fc.record({
    device: fc.constant(device),
    payee: anyAddress(),
    token: anyAddress(),
    unitsPerMb: anyAmount(),
    unitsPerMinute: anyAmount(),
    minDeposit: anyAmount(),
    openFee: anyAmount(),
    exitDelay: anyUint(40),
    expiry: anyUint(40),
    validUntil: anyUint(40),
    nonce: anyHex(32),
  });

export const anyTrafficProof = (device: Address): fc.Arbitrary<TrafficProof> =>
  fc.record({
    device: fc.constant(device),
    epoch: anyUint(32),
    seq: anyUint(32),
    startS: anyUint(40),
    endS: anyUint(40),
    bytesUp: anyAmount(),
    bytesDown: anyAmount(),
    paid: anyAmount(),
    sessionsRoot: anyHex(32),
    prev: anyHex(32),
    clockState: fc.constantFrom(0n, 1n),
  });

export const anySessionLeaf = (): fc.Arbitrary<SessionLeaf> =>
  fc.record({
    sessionId: anyHex(32),
    channelId: anyHex(32),
    bytesUp: anyAmount(),
    bytesDown: anyAmount(),
    paid: anyAmount(),
    voucherDigest: anyHex(32),
  });
