/** The JSON forms of what stands under the DeviceRegistry's domain: there and back, and every refusal. */
import fc from 'fast-check';
import t from 'tap';
import {
  decodeClockCorrection,
  decodeClockStatement,
  jsonFromClockCorrection,
  jsonFromClockStatement,
} from '../../protocol/clock-wire.ts';
import {
  decodeEnrolment,
  decodeEnrolmentChallenge,
  jsonFromEnrolment,
  jsonFromEnrolmentChallenge,
} from '../../protocol/enrolment-wire.ts';
import {
  decodeDeviceBinding,
  decodeRevocationList,
  decodeVendorAttestation,
  jsonFromDeviceBinding,
  jsonFromRevocationList,
  jsonFromVendorAttestation,
  MAX_REVOKED_DEVICES,
} from '../../protocol/identity-wire.ts';
import { decodeKeyRotation, jsonFromKeyRotation } from '../../protocol/key-rotation-wire.ts';
import type { Decoded } from '../../protocol/schema.ts';
import { decodeServiceOffer, jsonFromServiceOffer } from '../../protocol/service-offer-wire.ts';
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

const signature = `0x${'cd'.repeat(64)}` as const;
const rotation = { ...ROTATION, signature, successorSignature: signature };
const parties = { device: BINDING.device, collector: STATEMENT.collector };
const enrolment = { ...parties, nonce: WORD, signature };
const attested = {
  ...enrolment,
  credential: { method: 'attestation', attestation: { ...ATTESTATION, signature } },
} as const;
const listed = { ...enrolment, credential: { method: 'serial', serial: 'SN-0001' } } as const;
const keyed = { ...enrolment, credential: { method: 'key', key: WORD } } as const;
const challenge = { collector: STATEMENT.collector, nonce: WORD, expiresS: 1_790_000_060n };

type Case = readonly [what: string, decode: (input: unknown) => Decoded<unknown>, json: object, value: object];
const CASES: readonly Case[] = [
  [
    'attestation',
    decodeVendorAttestation,
    jsonFromVendorAttestation({ ...ATTESTATION, signature }),
    { ...ATTESTATION, signature },
  ],
  [
    'revocations',
    decodeRevocationList,
    jsonFromRevocationList({ ...REVOCATIONS, signature }),
    { ...REVOCATIONS, signature },
  ],
  ['binding', decodeDeviceBinding, jsonFromDeviceBinding({ ...BINDING, signature }), { ...BINDING, signature }],
  ['statement', decodeClockStatement, jsonFromClockStatement({ ...STATEMENT, signature }), { ...STATEMENT, signature }],
  [
    'correction',
    decodeClockCorrection,
    jsonFromClockCorrection({ ...CORRECTION, signature }),
    { ...CORRECTION, signature },
  ],
  ['challenge', decodeEnrolmentChallenge, jsonFromEnrolmentChallenge(challenge), challenge],
  ['enrolment by attestation', decodeEnrolment, jsonFromEnrolment(attested), attested],
  ['enrolment by serial', decodeEnrolment, jsonFromEnrolment(listed), listed],
  ['enrolment by key', decodeEnrolment, jsonFromEnrolment(keyed), keyed],
  ['offer', decodeServiceOffer, jsonFromServiceOffer({ ...OFFER, signature }), { ...OFFER, signature }],
  ['rotation', decodeKeyRotation, jsonFromKeyRotation(rotation), rotation],
];
for (const [what, decode, json, value] of CASES) {
  t.test(`${what}: survives the way through JSON`, (t) => {
    t.same(decode(JSON.parse(JSON.stringify(json))), { ok: true, value });
    t.end();
  });

  t.test(`${what}: every field is needed and checked, none may be added`, (t) => {
    for (const key of Object.keys(json)) {
      t.has(decode({ ...json, [key]: undefined }), { ok: false }, `without ${key}`);
      t.has(decode({ ...json, [key]: { nested: 1 } }), { ok: false }, `object for ${key}`);
      const refusal = decode({ ...json, [key]: `0x${'1'.repeat(300)}` });
      t.ok(!refusal.ok && refusal.path.startsWith(key) && refusal.expected !== '' && refusal.got.length <= 40, key);
    }
    t.has(decode({ ...json, extra: 1 }), { ok: false, path: 'extra', expected: 'never' });
    t.has(decode({ ...json, v: 2 }), { ok: false, path: 'v', expected: '1', got: '2' });
    t.end();
  });

  t.test(`${what}: no JSON makes the decoder throw`, (t) => {
    fc.assert(
      fc.property(fc.jsonValue(), (input) => decode(input).ok === false),
      { numRuns: 30 },
    );
    const anyDamage = fc.record({ key: fc.constantFrom(...Object.keys(json)), value: fc.jsonValue() });
    fc.assert(
      fc.property(anyDamage, ({ key, value: bad }) => 'ok' in decode({ ...json, [key]: bad })),
      { numRuns: 30 },
    );
    t.end();
  });
}

const [attestationJson, revocationsJson, , , correctionJson, , , serialJson, keyJson, offerJson] = CASES.map(
  ([, , json]) => json,
) as [object, object, object, object, object, object, object, object, object, object];
const REFUSED = [
  [decodeVendorAttestation, { ...attestationJson, vendorId: '4294967296' }, 'vendorId', 'decimal string of 0..2^32-1'],
  [
    decodeVendorAttestation,
    { ...attestationJson, notAfter: '1099511627776' },
    'notAfter',
    'decimal string of 0..2^40-1',
  ],
  [
    decodeRevocationList,
    { ...revocationsJson, devices: [...REVOCATIONS.devices].reverse() },
    'devices',
    'addresses in ascending order, each once',
  ],
  [
    decodeRevocationList,
    { ...revocationsJson, devices: new Array(MAX_REVOKED_DEVICES + 1).fill(BINDING.device) },
    'devices',
    `at most ${MAX_REVOKED_DEVICES} devices`,
  ],
  [decodeRevocationList, { ...revocationsJson, devices: ['0x01'] }, 'devices.0', 'address (0x and 40 hex digits)'],
  [decodeClockCorrection, { ...correctionJson, fromSeq: '10' }, '', 'fromSeq no greater than toSeq'],
  [
    decodeEnrolment,
    { ...serialJson, credential: { method: 'pin', pin: '1234' } },
    'credential.method',
    '("attestation" | "serial" | "key")',
  ],
  [
    decodeEnrolment,
    { ...serialJson, credential: { method: 'serial', serial: 'SN 1' } },
    'credential.serial',
    '1..32 printable ASCII characters',
  ],
  [
    decodeEnrolment,
    { ...keyJson, credential: { method: 'key', key: '0x00' } },
    'credential.key',
    '32 bytes of hex (0x and 64 hex digits)',
  ],
  [decodeServiceOffer, { ...offerJson, service: 'WiFi für alle' }, 'service', '1..32 printable ASCII characters'],
  [decodeServiceOffer, { ...offerJson, quantity: '0' }, 'quantity', 'at least 1'],
  [decodeServiceOffer, { ...offerJson, validUntil: '1' }, '', 'validFrom before validUntil'],
  [
    decodeServiceOffer,
    { ...offerJson, place: { country: 'ch', geohash: '-' } },
    'place.country',
    'ISO 3166-1 alpha-2 code',
  ],
  [
    decodeServiceOffer,
    { ...offerJson, place: { country: 'CH', geohash: 'aeiou' } },
    'place.geohash',
    'geohash of 1..12 characters, or -',
  ],
  [
    decodeServiceOffer,
    {
      ...offerJson,
      limits: [
        { name: 'b', value: '1' },
        { name: 'a', value: '1' },
      ],
    },
    'limits',
    'names in ascending order, each once',
  ],
  [
    decodeServiceOffer,
    { ...offerJson, limits: Array.from({ length: 17 }, (_, i) => ({ name: `n${i + 10}`, value: '1' })) },
    'limits',
    'at most 16 limits',
  ],
] as const;
for (const [decode, input, path, expected] of REFUSED) {
  t.test(`refused: ${path} must be ${expected}`, (t) => {
    t.has(decode(input), { ok: false, path, expected });
    t.end();
  });
}

t.test(
  'a list of just the allowed length is taken, a correction of one proof too; an offer lasts a second at least',
  (t) => {
    const limits = Array.from({ length: 16 }, (_, i) => ({ name: `n${i + 10}`, value: '1' }));
    t.has(decodeServiceOffer({ ...offerJson, limits }), { ok: true });
    t.has(decodeServiceOffer({ ...offerJson, validFrom: '5', validUntil: '6' }), { ok: true });
    t.has(decodeServiceOffer({ ...offerJson, validFrom: '5', validUntil: '5' }), { ok: false });
    t.has(decodeClockCorrection({ ...correctionJson, fromSeq: '9' }), { ok: true });
    t.end();
  },
);

t.test('a rotation names another key, and the proof before its number if there is one', (t) => {
  const json = jsonFromKeyRotation(rotation);
  const zeros = `0x${'00'.repeat(32)}` as const;
  t.has(decodeKeyRotation({ ...json, successor: json.device }), { ok: false, expected: 'another key as successor' });
  t.has(decodeKeyRotation({ ...json, nextSeq: '0' }), { ok: false });
  t.has(decodeKeyRotation({ ...json, prev: zeros }), { ok: false });
  t.has(decodeKeyRotation({ ...json, nextSeq: '0', prev: zeros }), { ok: true });
  t.end();
});
