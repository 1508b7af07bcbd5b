import t from 'tap';
import { BULK_MEDIA_TYPE, decodeBulk, encodeBulk } from '../../fleet/bulk-body.ts';
import { RateLimiter } from '../../fleet/rate-limit.ts';
import { parseShard, shardOf } from '../../fleet/shard.ts';
import { decodeReceipt } from '../../protocol/receipt-wire.ts';
import { isProofReceiptSigned } from '../../protocol/verdict.ts';
import { bodyOf, DEPLOYMENT, digestOf, FakeRouter, NOW_S } from './fake-router.ts';
import { COLLECTOR, openForTest, post } from './open-collector.ts';
import { asReader } from './reader.ts';

t.test('a router that floods is told to wait, others are not', async (t) => {
  const { app } = await openForTest(t, { limits: { device: { perS: 0.01, burst: 3 } }, monotonicMs: () => 0 });
  const [router, other] = [new FakeRouter(), new FakeRouter('other')];
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await post(app, router.next([]))).statusCode);
  t.strictSame(statuses, [200, 200, 200, 429, 429]);
  t.match((await post(app, router.next([]))).headers, { 'retry-after': /^\d+$/ });
  t.equal((await post(app, other.next([]))).statusCode, 200);
});

t.test('garbage and forgeries use up the sender, not the router they name', async (t) => {
  const limits = { stranger: { perS: 0.01, burst: 4 } };
  const { app, log } = await openForTest(t, { limits, monotonicMs: () => 0 });
  const stranger = new FakeRouter('stranger');
  for (let i = 0; i < 4; i++) await post(app, i % 2 === 0 ? Buffer.from('garbage') : stranger.next([]));
  const end = log.end();
  t.equal((await post(app, stranger.next([]))).statusCode, 429);
  t.strictSame(log.end(), end, 'nothing more of it reaches the disk');
});

t.test('a proof of a thousand sessions counts for as many as it makes work; so does garbage of its size', async (t) => {
  const limits = { device: { perS: 0.01, burst: 60 }, stranger: { perS: 0.01, burst: 60 } };
  const { app } = await openForTest(t, { limits, monotonicMs: () => 0 });
  const router = new FakeRouter();
  const large = router.next(Array.from({ length: 40 }, (_, guest) => ({ guest, up: 1n, down: 1n, paid: 1n })));
  const cost = Math.ceil(bodyOf(large).length / 8192);
  t.ok(cost > 1);
  t.equal((await post(app, large)).statusCode, 200);
  const statuses: number[] = [];
  for (let i = 0; i < 61 - cost; i++) statuses.push((await post(app, router.next([]))).statusCode);
  t.strictSame(statuses, [...Array.from({ length: 60 - cost }, () => 200), 429]);
  const garbage = Buffer.alloc(400 * 1024);
  t.equal((await post(app, garbage)).statusCode, 400);
  t.equal((await post(app, garbage)).statusCode, 429);
});

t.test('buckets are bounded, and forget who was quiet for longest', (t) => {
  const limiter = new RateLimiter({ perS: 1, burst: 2 }, 100);
  for (let i = 0; i < 10_000; i++) limiter.take(`name ${i}`, 0);
  t.equal(limiter.size, 100);
  limiter.take('name 9999', 0);
  t.equal(limiter.take('name 9999', 0), 1000);
  t.equal(limiter.take('name 9999', 1000), 0);
  t.equal(limiter.take('name 9999', 0), 1000, 'a clock that goes back gives nothing');
  t.end();
});

t.test('bulk: every proof has its line, and a gap names what is missing and is judged again', async (t) => {
  const { app, store } = await openForTest(t);
  const router = new FakeRouter();
  const uploads = Array.from({ length: 5 }, () => router.next([{ guest: 1, up: 1n, down: 2n, paid: 1n }]));
  const bulk = async (bodies: readonly Uint8Array[]) =>
    await app.inject({
      method: 'POST',
      url: '/v1/proofs/bulk',
      headers: { 'content-type': BULK_MEDIA_TYPE },
      payload: Buffer.from(encodeBulk(bodies)),
    });
  const [a, b, c, d, e] = uploads.map(bodyOf) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  t.match((await bulk([a, d, Buffer.from('x')])).json(), {
    count: 2,
    proofs: [{ verdict: 'valid' }, { verdict: 'gap', missing: '1-2' }, { error: { code: 'malformed' } }],
  });
  const single = await post(app, e);
  t.equal(single.statusCode, 200);
  await bulk([c, b]);
  const rows = store.verdicts(router.key.address, 0n, 10);
  t.strictSame(
    rows.map(({ verdict }) => verdict),
    ['valid', 'valid', 'valid', 'valid', 'valid'],
  );
  const receipt = decodeReceipt((await post(app, d)).json());
  t.ok(receipt.ok && receipt.value.verdict === 'valid' && isProofReceiptSigned(DEPLOYMENT, receipt.value));
  t.notOk(decodeBulk(Buffer.from('0000000401', 'hex')).ok);
  t.notOk(decodeBulk(Buffer.from('000000', 'hex')).ok);
  t.notOk(decodeBulk(Buffer.from('ffffffff', 'hex')).ok);
});

t.test(
  'a clone: both signed proofs are kept; a router restored from a backup asks first and contradicts nobody',
  async (t) => {
    const { app } = await openForTest(t);
    const [original, clone] = [new FakeRouter(), new FakeRouter()];
    const first = original.next([{ guest: 1, up: 1n, down: 2n, paid: 1n }]);
    const forked = clone.next([{ guest: 2, up: 7n, down: 7n, paid: 1n }]);
    await post(app, first);
    t.equal((await post(app, forked)).json().verdict, 'equivocation');
    const { equivocations } = (await app.inject(`/v1/equivocations?device=${original.key.address}`)).json();
    t.match(equivocations, [
      { isSlashable: true, first: { signature: first.proof.signature }, second: { signature: forked.proof.signature } },
    ]);
    // The backup knows of no proof at all; what the collector says is where it goes on.
    const headers = asReader(original.key, original.key.address, COLLECTOR.address);
    const head = (await app.inject({ url: `/v1/chain?device=${original.key.address}`, headers })).json();
    t.strictSame(head, { nextSeq: '1', prev: digestOf(first), missing: '' });
    const restored = new FakeRouter();
    const next = restored.next([], { seq: BigInt(head.nextSeq), prev: head.prev });
    t.equal((await post(app, next)).json().verdict, 'valid');
  },
);

t.test('clocks ten years off, a key revoked while its upload waits', async (t) => {
  let asked = 0;
  const { app } = await openForTest(t, {
    devices: () => ({ isRevoked: ++asked > 4, linkBytesPerS: 1_000_000n }),
  });
  const tenYears = 10n * 365n * 86_400n;
  const router = new FakeRouter();
  const far = router.next([], { startS: NOW_S + tenYears, endS: NOW_S + tenYears + 60n });
  t.equal((await post(app, far)).json().verdict, 'clock-unsynced');
  const past = router.next([], { startS: NOW_S - tenYears, endS: NOW_S - tenYears + 60n });
  t.equal((await post(app, past)).json().verdict, 'clock-unsynced');
  asked = 4 - 1;
  t.equal((await post(app, router.next([]))).json().verdict, 'revoked', 'in good standing when it came');
});

t.test('an upload from before the enrolment is judged again when it is sent after it', async (t) => {
  let isEnrolled = false;
  const { app, store } = await openForTest(t, {
    devices: () => (isEnrolled ? { isRevoked: false, linkBytesPerS: 1_000_000n } : undefined),
  });
  const router = new FakeRouter();
  const upload = router.next([{ guest: 1, up: 1n, down: 2n, paid: 1n }]);
  const verdict = async (of = upload) => (await post(app, of)).json().verdict;
  t.strictSame([await verdict(), await verdict()], ['unknown-device', 'unknown-device']);
  isEnrolled = true;
  t.strictSame([await verdict(), await verdict(), await verdict(router.next([]))], ['valid', 'valid', 'valid']);
  const rows = store.verdicts(router.key.address, 0n, 10);
  t.strictSame(
    rows.map((row) => `${row.seq} ${row.verdict}`),
    ['0 unknown-device', '0 valid', '1 valid'],
  );
});

t.test('a clone from before the enrolment is evidence after it, however often it is sent', async (t) => {
  let isEnrolled = false;
  const { app, store, log } = await openForTest(t, {
    devices: () => (isEnrolled ? { isRevoked: false, linkBytesPerS: 1_000_000n } : undefined),
  });
  const [original, clone] = [new FakeRouter(), new FakeRouter()];
  const forked = clone.next([{ guest: 2, up: 7n, down: 7n, paid: 1n }]);
  t.equal((await post(app, forked)).json().verdict, 'unknown-device');
  isEnrolled = true;
  await post(app, original.next([{ guest: 1, up: 1n, down: 2n, paid: 1n }]));
  t.equal((await post(app, forked)).json().verdict, 'equivocation');
  const end = log.end();
  t.equal((await post(app, forked)).json().verdict, 'equivocation');
  t.strictSame(log.end(), end, 'on file once');
  t.match(store.equivocations(original.key.address, 10), [{ second: { signature: forked.proof.signature } }]);
});

t.test('a shard takes its own devices only', async (t) => {
  const [router, other] = [new FakeRouter(), new FakeRouter('other')];
  const index = shardOf(router.key.address, 2);
  const { app } = await openForTest(t, { shard: { index: 1 - index, count: 2 } });
  t.match((await post(app, router.next([]))).json(), { error: { code: 'elsewhere', message: `Shard ${index} keeps` } });
  t.ok([0, 1].includes(shardOf(other.key.address, 2)));
  t.strictSame([parseShard('1/2'), parseShard('2/2'), parseShard('x')], [{ index: 1, count: 2 }, undefined, undefined]);
});
