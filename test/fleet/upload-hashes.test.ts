import fc from 'fast-check';
import t from 'tap';
import { judgeEvidence, type Recover } from '../../fleet/judge-proof.ts';
import { UploadHasher } from '../../fleet/upload-hashes.ts';
import type { Address } from '../../protocol/address.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import { sessionsRoot, trafficProofDigest } from '../../protocol/traffic-proof.ts';
import { encodeProofUpload, type ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { anyHex, anyTrafficProof, anyUint, testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT, FakeRouter } from './fake-router.ts';

const hasher = new UploadHasher(DEPLOYMENT);
/** Whoever should have signed has. */
const everybody: Recover = (_digest, _signature, expected) => expected;

t.test('the digest of a proof is that of its decoded values, whatever they are', (t) => {
  fc.assert(
    fc.property(anyTrafficProof(testKey('device').address), anyHex(64), anyUint(64), (proof, signature, paid) => {
      const upload = { proof: { ...proof, paid, signature }, leaves: [], vouchers: [] };
      const expected = hexFromBytes(trafficProofDigest(DEPLOYMENT, upload.proof));
      t.equal(hexFromBytes(hasher.digest(encodeProofUpload(upload))), expected);
    }),
    { seed: 4, numRuns: 60 },
  );
  t.end();
});

/** With so many sessions; numbers on both sides of where a head grows. */
function uploadOf(sessions: number): ProofUpload {
  const edges = [0n, 23n, 24n, 255n, 256n, 65_536n, 2n ** 32n, 2n ** 53n];
  const share = (i: number) => ({ guest: i, up: edges[i % 8] as bigint, down: edges[(i + 3) % 8] as bigint, paid: 5n });
  const router = new FakeRouter();
  router.next([]);
  return router.next(Array.from({ length: sessions }, (_, i) => share(i)));
}

function isSound(upload: ProofUpload, recover = everybody): boolean {
  return hasher.isSound(encodeProofUpload(upload), upload, recover);
}

function flawIn(upload: ProofUpload, recover = everybody): string | undefined {
  return judgeEvidence(upload, { deployment: DEPLOYMENT, recover })?.reason;
}

t.test('what is sound is found so, with any number of sessions', (t) => {
  for (const sessions of [0, 1, 2, 3, 7, 23, 24, 30]) {
    const upload = uploadOf(sessions);
    t.strictSame([isSound(upload), flawIn(upload)], [true, undefined], `${sessions} sessions`);
    // Checked one after another, with the words of the one before still there.
    t.ok(isSound(uploadOf(1)));
  }
  t.end();
});

t.test('who signed is asked with what the guest signed, and believed', (t) => {
  const upload = uploadOf(2);
  const asked: [string, string, Address][] = [];
  const remember: Recover = (digest, signature, expected) => {
    asked.push([hexFromBytes(digest), signature, expected]);
    return expected;
  };
  t.ok(isSound(upload, remember));
  const heard = asked.splice(0);
  t.equal(flawIn(upload, remember), undefined);
  t.strictSame(heard, asked);
  t.notOk(isSound(upload, () => undefined));
  t.notOk(isSound(upload, () => testKey('mallory').address));
  t.end();
});

/** Everything in an upload that can be otherwise, changed. */
function changesOf(upload: ProofUpload): readonly ProofUpload[] {
  const { proof, leaves, vouchers } = upload;
  const other = `0x${'5a'.repeat(32)}` as const;
  const changed = <T extends object>(value: T): T[] =>
    Object.entries(value).flatMap(([name, field]): T[] => {
      if (name === 'config') return changed(field as object).map((config) => ({ ...value, config }));
      const next = typeof field === 'bigint' ? field + 1n : other.slice(0, String(field).length);
      return [{ ...value, [name]: next }];
    });
  const at = <T>(list: readonly T[], i: number, by: readonly T[]) => [...list.slice(0, i), ...by, ...list.slice(i + 1)];
  return [
    ...changed(proof).map((it) => ({ ...upload, proof: { ...it, clockState: proof.clockState } })),
    ...leaves.flatMap((leaf, i) => changed(leaf).map((it) => ({ ...upload, leaves: at(leaves, i, [it]) }))),
    // Also where the root is made to fit.
    ...leaves.flatMap((leaf, i) =>
      changed(leaf).map((it) => {
        const bent = at(leaves, i, [it]);
        return { ...upload, leaves: bent, proof: { ...proof, sessionsRoot: sessionsRoot(bent) } };
      }),
    ),
    ...vouchers.flatMap((voucher, i) => changed(voucher).map((it) => ({ ...upload, vouchers: at(vouchers, i, [it]) }))),
    { ...upload, vouchers: vouchers.slice(1) },
    { ...upload, leaves: leaves.slice(1) },
    { ...upload, vouchers: at(vouchers, 1, vouchers.slice(0, 1)) },
    { ...upload, leaves: at(leaves, 1, leaves.slice(0, 1)) },
  ];
}

t.test('whatever is changed: what is found sound has no flaw, and only the order may make it ask again', (t) => {
  const upload = uploadOf(2);
  const changes = changesOf(upload);
  t.ok(changes.length > 50);
  let sound = 0;
  for (const bent of changes) {
    const found = [isSound(bent), flawIn(bent) === undefined];
    t.equal(found[0], found[1]);
    if (found[0]) sound += 1;
  }
  t.ok(sound > 5 && sound < changes.length / 2, `${sound} of ${changes.length}: what neither looks at`);
  const turned = { ...upload, vouchers: [...upload.vouchers].reverse() };
  t.strictSame([isSound(turned), flawIn(turned)], [false, undefined]);
  t.end();
});
