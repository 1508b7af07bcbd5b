import fc from 'fast-check';
import t from 'tap';
import { hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Hex } from '../../protocol/keccak.ts';
import { EMPTY_ROOT, merkleLeaf, merkleRoot } from '../../protocol/merkle.ts';
import {
  blindedSessionId,
  GENESIS_PREV,
  registryDomain,
  type SessionLeaf,
  sessionsRoot,
  signTrafficProof,
  trafficProofDigest,
  trafficProofDigestHex,
  trafficProofSigner,
} from '../../protocol/traffic-proof.ts';
import {
  anyBytes,
  anyHex,
  anySessionLeaf,
  anyTrafficProof,
  anyUint,
  REGISTRY,
  testKey,
} from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey, address } = testKey('device');
const TYPE =
  'TrafficProof(address device,uint32 epoch,uint32 seq,uint40 startS,uint40 endS,uint64 bytesUp,uint64 bytesDown,' +
  'uint64 paid,bytes32 sessionsRoot,bytes32 prev,uint8 clockState)';

t.test('a proof is signed as another library signs it, and its signer is recovered', (t) => {
  fc.assert(
    fc.property(anyTrafficProof(address), (proof) => {
      const signed = signTrafficProof(REGISTRY, proof, secretKey);
      t.equal(signed.signature, oracleSignature(registryDomain(REGISTRY), TYPE, proof, secretKey));
      t.equal(trafficProofSigner(REGISTRY, signed), address);
      t.equal(trafficProofDigestHex(REGISTRY, signed), hexFromBytes(trafficProofDigest(REGISTRY, proof)));
    }),
    { numRuns: 10 },
  );
  t.end();
});

t.test('a proof with any field changed has another digest', (t) => {
  fc.assert(
    fc.property(anyTrafficProof(address), (proof) => {
      const digests = new Set([trafficProofDigestHex(REGISTRY, proof)]);
      for (const [key, value] of Object.entries(proof)) {
        const changed = typeof value === 'bigint' ? value ^ 1n : `0x${'ab'.repeat((value.length - 2) / 2)}`;
        digests.add(trafficProofDigestHex(REGISTRY, { ...proof, [key]: changed }));
      }
      t.equal(digests.size, 1 + Object.keys(proof).length);
    }),
    { numRuns: 10 },
  );
  t.end();
});

t.test('the first proof follows nothing', (t) => {
  t.equal(GENESIS_PREV, `0x${'00'.repeat(32)}`);
  t.end();
});

t.test('the sessions root does not depend on the order in which the router lists its sessions', (t) => {
  const leaves = fc.uniqueArray(anySessionLeaf(), { maxLength: 9, selector: (leaf) => leaf.sessionId });
  fc.assert(
    fc.property(leaves, (list) => t.equal(sessionsRoot([...list].reverse()), sessionsRoot(list))),
    { numRuns: 20 },
  );
  t.equal(sessionsRoot([]), EMPTY_ROOT);
  t.end();
});

t.test('a leaf is six words: session, channel, up, down, paid, voucher', (t) => {
  const word = (value: bigint): string => value.toString(16).padStart(64, '0');
  fc.assert(
    fc.property(anySessionLeaf(), (leaf: SessionLeaf) => {
      const packed =
        leaf.sessionId.slice(2) +
        leaf.channelId.slice(2) +
        word(leaf.bytesUp) +
        word(leaf.bytesDown) +
        word(leaf.paid) +
        leaf.voucherDigest.slice(2);
      t.equal(sessionsRoot([leaf]), merkleRoot([merkleLeaf(Buffer.from(packed, 'hex'))]));
    }),
    { numRuns: 10 },
  );
  t.end();
});

t.test(
  "a session's pseudonym is keccak256(secret || channel || epoch as uint32), so that epochs cannot be linked",
  (t) => {
    fc.assert(
      fc.property(anyBytes(32), anyHex(32), anyUint(32), (secret, channel, epoch) => {
        const packed = Buffer.from(secret).toString('hex') + channel.slice(2) + epoch.toString(16).padStart(8, '0');
        t.equal(blindedSessionId(secret, channel, epoch), keccak256Hex(Buffer.from(packed, 'hex')));
        t.not(blindedSessionId(secret, channel, epoch), blindedSessionId(secret, channel, epoch ^ 1n));
      }),
      { numRuns: 10 },
    );
    t.end();
  },
);
