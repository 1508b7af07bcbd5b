/** Everything under the DeviceRegistry's domain that is no proof: signed as another library signs it, bound to its signer. */
import t from 'tap';
import {
  isClockCorrectionSigned,
  isClockStatementSigned,
  signClockCorrection,
  signClockStatement,
} from '../../protocol/clock-statement.ts';
import { isDeviceBindingSigned, signDeviceBinding } from '../../protocol/device-binding.ts';
import {
  credentialHash,
  type EnrolmentCredential,
  isEnrolmentSigned,
  signEnrolment,
} from '../../protocol/enrolment.ts';
import { bytesFromHex, concatBytes, type Hex } from '../../protocol/hex.ts';
import { keccak256Hex } from '../../protocol/keccak.ts';
import { isKeyRotationSigned, keyRotationDigestHex, signKeyRotation } from '../../protocol/key-rotation.ts';
import { accessHeader, listingAccessDigest, MAX_ACCESS_S, readerIn } from '../../protocol/listing-access.ts';
import { isServiceOfferSigned, limitsHash, signServiceOffer } from '../../protocol/service-offer.ts';
import { bytes32FromText } from '../../protocol/short-text.ts';
import { signDigest } from '../../protocol/signature.ts';
import { registryDomain } from '../../protocol/traffic-proof.ts';
import {
  revocationListSigner,
  signRevocationList,
  signVendorAttestation,
  vendorAttestationDigest,
  vendorAttestationSigner,
} from '../../protocol/vendor-attestation.ts';
import { REGISTRY, testKey } from '../support/protocol-arbitraries.ts';
import {
  ATTESTATION,
  BINDING,
  CORRECTION,
  OFFER,
  REVOCATIONS,
  ROTATION,
  STATEMENT,
  WORD,
} from '../support/registry-messages.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const device = testKey('device');
const vendor = testKey('vendor');
const collector = testKey('collector');
const stranger = testKey('stranger');
const domain = registryDomain(REGISTRY);
const elsewhere = { ...REGISTRY, chainId: 1n };

t.test('a vendor attestation', (t) => {
  const type = 'VendorAttestation(uint32 vendorId,address device,bytes32 model,uint40 notAfter)';
  const signed = signVendorAttestation(REGISTRY, ATTESTATION, vendor.secretKey);
  t.equal(signed.signature, oracleSignature(domain, type, ATTESTATION, vendor.secretKey));
  t.equal(vendorAttestationSigner(REGISTRY, signed), vendor.address);
  t.not(vendorAttestationSigner(elsewhere, signed), vendor.address);
  const changes = [{ vendorId: 8n }, { device: stranger.address }, { model: WORD }, { notAfter: 1n }];
  for (const change of changes) t.not(vendorAttestationSigner(REGISTRY, { ...signed, ...change }), vendor.address);
  t.end();
});

t.test('a revocation list', (t) => {
  const type = 'RevocationList(uint32 vendorId,uint32 serial,uint40 issuedS,bytes32 devices)';
  const signed = signRevocationList(REGISTRY, REVOCATIONS, vendor.secretKey);
  const devices = keccak256Hex(concatBytes(...REVOCATIONS.devices.map(bytesFromHex)));
  t.equal(signed.signature, oracleSignature(domain, type, { ...REVOCATIONS, devices }, vendor.secretKey));
  t.equal(revocationListSigner(REGISTRY, signed), vendor.address);
  t.not(revocationListSigner(REGISTRY, { ...signed, devices: [] }), vendor.address);
  t.not(revocationListSigner(REGISTRY, { ...signed, serial: 9n }), vendor.address);
  const twice = [device.address, device.address];
  t.throws(() => signRevocationList(REGISTRY, { ...REVOCATIONS, devices: twice }, vendor.secretKey), /ascending order/);
  t.end();
});

t.test('a device binding', (t) => {
  const type = 'DeviceBinding(address device,address operator,uint256 nonce)';
  const signed = signDeviceBinding(REGISTRY, BINDING, device.secretKey);
  t.equal(signed.signature, oracleSignature(domain, type, BINDING, device.secretKey));
  t.ok(isDeviceBindingSigned(REGISTRY, signed));
  t.notOk(isDeviceBindingSigned(elsewhere, signed));
  t.notOk(isDeviceBindingSigned(REGISTRY, { ...signed, nonce: 4n }));
  t.notOk(isDeviceBindingSigned(REGISTRY, signDeviceBinding(REGISTRY, BINDING, stranger.secretKey)));
  t.end();
});

t.test('a key rotation is signed by both keys that it names', (t) => {
  const type = 'KeyRotation(address device,address successor,uint32 nextSeq,bytes32 prev)';
  const successor = testKey('successor');
  const signed = signKeyRotation(REGISTRY, ROTATION, device.secretKey, successor.secretKey);
  t.equal(signed.signature, oracleSignature(domain, type, ROTATION, device.secretKey));
  t.equal(signed.successorSignature, oracleSignature(domain, type, ROTATION, successor.secretKey));
  t.ok(isKeyRotationSigned(REGISTRY, signed));
  t.notOk(isKeyRotationSigned(elsewhere, signed));
  for (const change of [{ nextSeq: 11n }, { prev: `0x${'01'.repeat(32)}` as Hex }, { successor: stranger.address }]) {
    t.notOk(isKeyRotationSigned(REGISTRY, { ...signed, ...change }));
    t.not(keyRotationDigestHex(REGISTRY, { ...signed, ...change }), keyRotationDigestHex(REGISTRY, signed));
  }
  t.notOk(isKeyRotationSigned(REGISTRY, signKeyRotation(REGISTRY, ROTATION, device.secretKey, stranger.secretKey)));
  t.notOk(isKeyRotationSigned(REGISTRY, signKeyRotation(REGISTRY, ROTATION, stranger.secretKey, successor.secretKey)));
  t.end();
});

t.test('access to a listing: who asks, of what, where, and for minutes only', (t) => {
  const type = 'ListingAccess(address reader,address device,address collector,uint40 untilS)';
  const asked = { device: device.address, collector: collector.address };
  const access = { reader: vendor.address, ...asked, untilS: 1_790_000_000n };
  const sign = (digest: Uint8Array) => signDigest(digest, vendor.secretKey);
  t.equal(sign(listingAccessDigest(REGISTRY, access)), oracleSignature(domain, type, access, vendor.secretKey));
  const header = accessHeader(REGISTRY, access, sign);
  t.equal(readerIn(REGISTRY, header, asked, access.untilS), vendor.address);
  t.equal(readerIn(REGISTRY, header, asked, access.untilS - MAX_ACCESS_S), vendor.address);
  t.equal(readerIn(REGISTRY, header, asked, access.untilS + 1n), undefined, 'over');
  t.equal(readerIn(REGISTRY, header, asked, access.untilS - MAX_ACCESS_S - 1n), undefined, 'too long');
  t.equal(readerIn(REGISTRY, header, { ...asked, device: stranger.address }, access.untilS), undefined);
  t.equal(readerIn(REGISTRY, header, { ...asked, collector: stranger.address }, access.untilS), undefined);
  t.equal(readerIn(elsewhere, header, asked, access.untilS), undefined);
  t.equal(readerIn(REGISTRY, header.replace(vendor.address, stranger.address), asked, access.untilS), undefined);
  for (const text of ['', 'Bearer x', header.slice(0, -1), `${header}00`, header.toUpperCase()]) {
    t.equal(readerIn(REGISTRY, text, asked, access.untilS), undefined, text.slice(0, 20));
  }
  t.end();
});

t.test('a clock statement', (t) => {
  const type = 'ClockStatement(address collector,address device,bytes32 nonce,uint40 timeS)';
  const signed = signClockStatement(REGISTRY, STATEMENT, collector.secretKey);
  t.equal(signed.signature, oracleSignature(domain, type, STATEMENT, collector.secretKey));
  t.ok(isClockStatementSigned(REGISTRY, signed));
  t.notOk(isClockStatementSigned(REGISTRY, { ...signed, timeS: 0n }));
  t.notOk(isClockStatementSigned(REGISTRY, { ...signed, nonce: `0x${'00'.repeat(32)}` }));
  t.end();
});

t.test('a clock correction', (t) => {
  const type = 'ClockCorrection(address device,uint32 fromSeq,uint32 toSeq,uint40 bootS,bytes32 statement)';
  const signed = signClockCorrection(REGISTRY, CORRECTION, device.secretKey);
  t.equal(signed.signature, oracleSignature(domain, type, CORRECTION, device.secretKey));
  t.ok(isClockCorrectionSigned(REGISTRY, signed));
  t.notOk(isClockCorrectionSigned(REGISTRY, { ...signed, toSeq: 10n }));
  t.end();
});

t.test('an enrolment, with each credential', (t) => {
  const type = 'Enrolment(address device,address collector,bytes32 nonce,uint8 method,bytes32 credential)';
  const attestation = signVendorAttestation(REGISTRY, ATTESTATION, vendor.secretKey);
  const credentials: readonly EnrolmentCredential[] = [
    { method: 'attestation', attestation },
    { method: 'serial', serial: 'SN-0001' },
    { method: 'key', key: WORD },
  ];
  const hashes = new Set<Hex>();
  for (const [method, credential] of credentials.entries()) {
    const enrolment = { device: device.address, collector: collector.address, nonce: WORD, credential };
    const signed = signEnrolment(REGISTRY, enrolment, device.secretKey);
    const message = { ...enrolment, method: BigInt(method), credential: credentialHash(REGISTRY, credential) };
    t.equal(signed.signature, oracleSignature(domain, type, message, device.secretKey), credential.method);
    t.ok(isEnrolmentSigned(REGISTRY, signed));
    t.notOk(isEnrolmentSigned(REGISTRY, { ...signed, collector: stranger.address }));
    t.notOk(isEnrolmentSigned(REGISTRY, { ...signed, credential: { method: 'serial', serial: 'SN-0002' } }));
    hashes.add(message.credential);
  }
  t.equal(hashes.size, 3);
  t.same(bytesFromHex([...hashes][0] as Hex), vendorAttestationDigest(REGISTRY, attestation));
  t.end();
});

t.test('a service offer', (t) => {
  const type =
    'ServiceOffer(address device,address payee,uint32 serial,bytes32 service,bytes32 unit,uint64 price,uint64 quantity,' +
    'uint64 pricePerMinute,uint64 minDeposit,bytes32 limits,bytes32 country,bytes32 geohash,uint40 validFrom,uint40 validUntil)';
  const signed = signServiceOffer(REGISTRY, OFFER, device.secretKey);
  const { place, ...offer } = OFFER;
  const message = {
    ...offer,
    service: bytes32FromText(OFFER.service),
    unit: bytes32FromText(OFFER.unit),
    limits: limitsHash(OFFER.limits),
    country: bytes32FromText(place.country),
    geohash: bytes32FromText(place.geohash),
  };
  t.equal(signed.signature, oracleSignature(domain, type, message, device.secretKey));
  t.ok(isServiceOfferSigned(REGISTRY, signed));
  const changes = [
    { price: 1n },
    { unit: 'byte-second' },
    { limits: OFFER.limits.slice(1) },
    { place: { ...OFFER.place, geohash: 'u0' } },
    { validUntil: OFFER.validUntil + 1n },
  ];
  for (const change of changes) t.notOk(isServiceOfferSigned(REGISTRY, { ...signed, ...change }));
  t.end();
});
