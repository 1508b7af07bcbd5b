import fc from 'fast-check';
import t from 'tap';
import { type JudgeContext, judgeProof, type Neighbours, type ProvenChannel } from '../../fleet/judge-proof.ts';
import { sessionsRoot, type TrafficProof } from '../../protocol/traffic-proof.ts';
import type { ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { signVoucher, voucherDigestHex } from '../../protocol/voucher.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT, digestOf, FakeRouter, NOW_S, type Usage } from './fake-router.ts';

const USAGE: readonly Usage[] = [
  { guest: 1, up: 1000n, down: 9000n, paid: 10n },
  { guest: 2, up: 5n, down: 7n, paid: 1n },
];

function contextWith(changes: Partial<JudgeContext> = {}): JudgeContext {
  return {
    deployment: DEPLOYMENT,
    device: { isRevoked: false, linkBytesPerS: 1_000_000n },
    neighbours: {},
    channels: new Map(),
    receivedS: NOW_S,
    lateAfterS: 7n * 86_400n,
    ...changes,
  };
}

/** The router's first upload with a changed proof over the same evidence, properly signed. */
function firstWith(changes: Partial<TrafficProof>): ProofUpload {
  return new FakeRouter().next(USAGE, changes);
}

/** A first upload whose only voucher was made by `make`, and named by its leaf. */
function withVoucher(make: (voucher: ProofUpload['vouchers'][number]) => ProofUpload['vouchers'][number]): ProofUpload {
  const router = new FakeRouter();
  const upload = router.next(USAGE.slice(0, 1));
  const voucher = make(upload.vouchers[0] as ProofUpload['vouchers'][number]);
  const leaves = upload.leaves.map((leaf) => ({ ...leaf, voucherDigest: voucherDigestHex(DEPLOYMENT, voucher) }));
  return router.sign({ ...upload.proof, sessionsRoot: sessionsRoot(leaves) }, leaves, [voucher]);
}

t.test('an honest first proof is valid', (t) => {
  t.strictSame(judgeProof(new FakeRouter().next(USAGE), contextWith()), {
    verdict: 'valid',
    reason: 'all checks passed',
    joinsChain: true,
  });
  t.end();
});

t.test('an interval without any session is valid too', (t) => {
  t.match(judgeProof(new FakeRouter().next([]), contextWith()), { verdict: 'valid' });
  t.end();
});

t.test('a device that is not enrolled: unknown-device', (t) => {
  const { device: _, ...rest } = contextWith();
  t.match(judgeProof(firstWith({}), { ...rest, device: undefined }), { verdict: 'unknown-device', joinsChain: false });
  t.end();
});

t.test('a proof signed by another key: bad-signature', (t) => {
  const router = new FakeRouter();
  const { proof, leaves, vouchers } = router.next(USAGE);
  const forged = router.sign(proof, leaves, vouchers, testKey('mallory').secretKey);
  t.match(judgeProof(forged, contextWith()), {
    verdict: 'bad-signature',
    reason: `the proof is signed by ${testKey('mallory').address}, expected ${router.key.address}`,
    joinsChain: false,
  });
  t.end();
});

t.test('leaves that the device did not sign: bad-signature', (t) => {
  const upload = firstWith({});
  const leaves = upload.leaves.map((leaf) => ({ ...leaf, bytesUp: leaf.bytesUp + 1n }));
  t.match(judgeProof({ ...upload, leaves }, contextWith()), {
    verdict: 'bad-signature',
    reason: /the leaves hash to .*, the device signed/,
    joinsChain: false,
  });
  t.end();
});

t.test('a revoked device: revoked', (t) => {
  const device = { isRevoked: true, linkBytesPerS: 1n };
  t.match(judgeProof(firstWith({}), contextWith({ device })), { verdict: 'revoked', joinsChain: false });
  t.end();
});

t.test('the proof that is on file already: duplicate', (t) => {
  const upload = firstWith({});
  const neighbours = { same: { digest: digestOf(upload) } };
  t.match(judgeProof(upload, contextWith({ neighbours })), { verdict: 'duplicate', joinsChain: false });
  t.end();
});

t.test('another proof with a number that is on file, or a fork of the chain on either side: equivocation', (t) => {
  const other = `0x${'ee'.repeat(32)}` as const;
  const router = new FakeRouter();
  const first = router.next(USAGE);
  const second = router.next(USAGE);
  const third = router.next(USAGE);
  const judge = (upload: ProofUpload, neighbours: Neighbours) => judgeProof(upload, contextWith({ neighbours }));
  t.match(judge(second, { same: { digest: other } }), { verdict: 'equivocation', reason: /on file as 0xee/ });
  t.match(judge(second, { before: { digest: other, endS: 0n } }), { verdict: 'equivocation', reason: /expected 0xee/ });
  t.match(judge(second, { before: { digest: digestOf(first) }, after: { prev: other } }), {
    verdict: 'equivocation',
    reason: /proof 2 on file follows 0xee/,
    joinsChain: false,
  });
  const proven = new Map(
    first.leaves.map((leaf) => [leaf.channelId, { bytes: leaf.bytesUp + leaf.bytesDown, paid: leaf.paid }]),
  );
  const between = { before: { digest: digestOf(first) }, after: { prev: third.proof.prev } };
  t.match(
    judgeProof(second, contextWith({ neighbours: between, channels: proven })),
    { verdict: 'valid' },
    'a resent one fits',
  );
  t.end();
});

t.test('a proof whose predecessor is not on file: gap', (t) => {
  const router = new FakeRouter();
  router.next([]);
  t.match(judgeProof(router.next(USAGE), contextWith()), { verdict: 'gap', joinsChain: true });
  t.match(
    judgeProof(firstWith({ prev: `0x${'01'.repeat(32)}` }), contextWith()),
    { verdict: 'gap' },
    'proof 0 has none',
  );
  t.end();
});

t.test('totals that the leaves do not add up to: bad-voucher', (t) => {
  t.match(judgeProof(firstWith({ bytesUp: 1006n }), contextWith()), {
    verdict: 'bad-voucher',
    reason: 'the leaves add up to 1005 bytes up, the proof says 1006',
    joinsChain: false,
  });
  t.match(judgeProof(firstWith({ bytesDown: 1n }), contextWith()), { reason: /9007 bytes down, the proof says 1$/ });
  t.match(judgeProof(firstWith({ paid: 0n }), contextWith()), { reason: /11 units paid, the proof says 0$/ });
  t.end();
});

t.test('vouchers that do not support their leaves: bad-voucher', (t) => {
  const verdictOf = (upload: ProofUpload, channels = new Map<`0x${string}`, ProvenChannel>()) =>
    judgeProof(upload, contextWith({ channels }));
  const upload = firstWith({});
  t.match(verdictOf({ ...upload, vouchers: upload.vouchers.slice(1) }), {
    verdict: 'bad-voucher',
    reason: /2 leaves need/,
  });
  const twice = [upload.vouchers[0], upload.vouchers[0]] as ProofUpload['vouchers'];
  t.match(verdictOf({ ...upload, vouchers: twice }), { verdict: 'bad-voucher', reason: /has a leaf but no voucher/ });

  const otherSalt = withVoucher((it) => ({ ...it, config: { ...it.config, salt: `0x${'01'.repeat(32)}` } }));
  t.match(verdictOf(otherSalt), { verdict: 'bad-voucher', reason: /the config of channel .* is that of/ });

  const guest = testKey(`guest 1 of ${new FakeRouter().key.address}`);
  const forged = withVoucher((it) => ({ ...it, ...signVoucher(DEPLOYMENT, it, testKey('mallory').secretKey) }));
  t.match(verdictOf(forged), {
    verdict: 'bad-voucher',
    reason: new RegExp(`signed by ${testKey('mallory').address}, expected ${guest.address}`),
  });
  const unsigned = withVoucher((it) => ({ ...it, signature: `0x${'00'.repeat(64)}` }));
  t.match(verdictOf(unsigned), { verdict: 'bad-voucher', reason: /signed by nobody/ });

  const short = withVoucher((it) => ({ ...it, ...signVoucher(DEPLOYMENT, { ...it, amount: 9n }, guest.secretKey) }));
  t.match(verdictOf(short), { verdict: 'bad-voucher', reason: /was charged 10, its voucher covers 9/ });
  const id = upload.leaves[0]?.channelId as `0x${string}`;
  t.match(verdictOf(upload, new Map([[id, { bytes: 0n, paid: 1n }]])), {
    verdict: 'bad-voucher',
    reason: /was charged/,
  });
  t.end();
});

t.test('a leaf that names another voucher, and two leaves of one channel: bad-voucher', (t) => {
  const router = new FakeRouter();
  const upload = router.next(USAGE.slice(0, 1));
  const [leaf] = upload.leaves as [ProofUpload['leaves'][number]];
  const signed = (leaves: ProofUpload['leaves'], vouchers: ProofUpload['vouchers']) =>
    judgeProof(router.sign({ ...upload.proof, sessionsRoot: sessionsRoot(leaves) }, leaves, vouchers), contextWith());
  t.match(signed([{ ...leaf, voucherDigest: `0x${'02'.repeat(32)}` }], upload.vouchers), {
    verdict: 'bad-voucher',
    reason: /names voucher 0x0202/,
  });
  const halves = [
    { ...leaf, bytesUp: 0n, paid: 0n },
    { ...leaf, bytesDown: 0n, sessionId: `0x${'03'.repeat(32)}` as const },
  ];
  t.match(signed(halves, [...upload.vouchers, ...upload.vouchers]), {
    verdict: 'bad-voucher',
    reason: /more than one leaf/,
  });
  t.end();
});

t.test('a channel of another device: bad-voucher', (t) => {
  const mine = new FakeRouter('mine');
  const theirs = new FakeRouter('theirs').next(USAGE);
  const stolen = mine.sign({ ...theirs.proof, device: mine.key.address }, theirs.leaves, theirs.vouchers);
  t.match(judgeProof(stolen, contextWith()), { verdict: 'bad-voucher', reason: /is served by .*, not by/ });
  t.end();
});

t.test('fewer bytes proven than the guest acknowledged: bytes-below-ack', (t) => {
  const guest = testKey(`guest 1 of ${new FakeRouter().key.address}`);
  const hiding = withVoucher((it) => ({
    ...it,
    ...signVoucher(DEPLOYMENT, { ...it, ackBytes: 10_001n }, guest.secretKey),
  }));
  t.match(judgeProof(hiding, contextWith()), {
    verdict: 'bytes-below-ack',
    reason: /acknowledged 10001 bytes, proofs so far say 10000/,
    joinsChain: true,
  });
  const id = hiding.leaves[0]?.channelId as `0x${string}`;
  t.match(judgeProof(hiding, contextWith({ channels: new Map([[id, { bytes: 1n, paid: 0n }]]) })), {
    verdict: 'valid',
  });
  t.end();
});

t.test('more bytes than the link carries in the time: over-link-capacity', (t) => {
  const upload = firstWith({});
  const device = { isRevoked: false, linkBytesPerS: 147n };
  t.match(judgeProof(upload, contextWith({ device })), {
    verdict: 'over-link-capacity',
    reason: '9007 bytes one way in 61 s, the link carries at most 8967',
    joinsChain: true,
  });
  const before = { digest: upload.proof.prev, endS: upload.proof.endS + 1000n };
  t.match(judgeProof(upload, contextWith({ neighbours: { before } })), { verdict: 'valid' });
  t.match(
    judgeProof(upload, contextWith({ neighbours: { before }, device: { ...device, linkBytesPerS: 9006n } })),
    { verdict: 'over-link-capacity', reason: /in 1 s/ },
    'time that the proof before has used does not count again',
  );
  t.end();
});

t.test('a clock that was not set, or shows what cannot be: clock-unsynced', (t) => {
  const judge = (changes: Partial<TrafficProof>) => judgeProof(firstWith(changes), contextWith());
  t.match(judge({ clockState: 0n }), {
    verdict: 'clock-unsynced',
    reason: /says that its clock was not set/,
    joinsChain: true,
  });
  t.match(judge({ startS: 40n }), { verdict: 'clock-unsynced', reason: /starts at 40, before any device ran/ });
  t.match(judge({ startS: NOW_S, endS: NOW_S - 1n }), { verdict: 'clock-unsynced', reason: /before its start/ });
  t.match(judge({ endS: NOW_S + 301n }), { verdict: 'clock-unsynced', reason: /it is 1795305600 now/ });
  t.match(judge({ endS: NOW_S + 300n }), { verdict: 'valid' });
  t.end();
});

t.test('an interval that ended too long ago: late', (t) => {
  const upload = firstWith({});
  const receivedS = upload.proof.endS + 7n * 86_400n;
  t.match(judgeProof(upload, contextWith({ receivedS })), { verdict: 'valid' });
  t.match(judgeProof(upload, contextWith({ receivedS: receivedS + 1n })), {
    verdict: 'late',
    reason: 'the interval ended 604801 s ago, at most 604800 s count',
    joinsChain: true,
  });
  t.end();
});

t.test('every proof of an honest chain is valid', (t) => {
  const usage = fc.record({
    guest: fc.nat(3),
    up: fc.bigInt({ min: 0n, max: 1_000_000n }),
    down: fc.bigInt({ min: 0n, max: 9_000_000n }),
    paid: fc.bigInt({ min: 0n, max: 1000n }),
  });
  const interval = fc.uniqueArray(usage, { maxLength: 3, selector: ({ guest }) => guest });
  fc.assert(
    fc.property(fc.array(interval, { minLength: 1, maxLength: 4 }), (intervals) => {
      const router = new FakeRouter();
      const channels = new Map<`0x${string}`, ProvenChannel>();
      let before: Neighbours['before'];
      return intervals.every((usages) => {
        const upload = router.next(usages);
        const neighbours = before === undefined ? {} : { before };
        const { verdict } = judgeProof(upload, contextWith({ neighbours, channels }));
        before = { digest: digestOf(upload), endS: upload.proof.endS };
        for (const { channelId, bytesUp, bytesDown, paid } of upload.leaves) {
          const proven = channels.get(channelId) ?? { bytes: 0n, paid: 0n };
          channels.set(channelId, { bytes: proven.bytes + bytesUp + bytesDown, paid: proven.paid + paid });
        }
        return verdict === 'valid';
      });
    }),
    { numRuns: 25 },
  );
  t.end();
});
