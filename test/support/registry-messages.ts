/** One example of each message under the DeviceRegistry's domain: the tests sign, send and damage them. */
import type { ClockCorrection, ClockStatement } from '../../protocol/clock-statement.ts';
import type { DeviceBinding } from '../../protocol/device-binding.ts';
import type { KeyRotation } from '../../protocol/key-rotation.ts';
import { BANDWIDTH, type ServiceOffer } from '../../protocol/service-offer.ts';
import { bytes32FromText } from '../../protocol/short-text.ts';
import type { RevocationList, VendorAttestation } from '../../protocol/vendor-attestation.ts';
import { testKey } from './protocol-arbitraries.ts';

const device = testKey('device').address;

export const WORD = `0x${'ab'.repeat(32)}` as const;

export const ATTESTATION: VendorAttestation = {
  vendorId: 7n,
  device,
  model: bytes32FromText('SSP-AP-1'),
  notAfter: 1_900_000_000n,
};

export const REVOCATIONS: RevocationList = {
  vendorId: 7n,
  serial: 3n,
  issuedS: 1_790_000_000n,
  devices: ['payer', 'signer', 'device'].map((name) => testKey(name).address).sort(),
};

export const BINDING: DeviceBinding = { device, operator: testKey('payee').address, nonce: 3n };

export const STATEMENT: ClockStatement = {
  collector: testKey('collector').address,
  device,
  nonce: WORD,
  timeS: 1_790_000_000n,
};

export const CORRECTION: ClockCorrection = { device, fromSeq: 4n, toSeq: 9n, bootS: 1_789_999_000n, statement: WORD };

export const ROTATION: KeyRotation = { device, successor: testKey('successor').address, nextSeq: 10n, prev: WORD };

export const OFFER: ServiceOffer = {
  device,
  payee: testKey('payee').address,
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
