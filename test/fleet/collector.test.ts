import { rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { type LogPosition, ProofLogError, type SegmentRef } from '../../fleet/proof-log.ts';
import { decodeReceipt } from '../../protocol/receipt-wire.ts';
import { MAX_UPLOAD_BYTES } from '../../protocol/traffic-proof-wire.ts';
import { isProofReceiptSigned, type SignedProofReceipt } from '../../protocol/verdict.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT, digestOf, FakeRouter, NOW_S } from './fake-router.ts';
import { COLLECTOR, openCollector, openForTest, post } from './open-collector.ts';
import { asReader } from './reader.ts';
import '../support/own-testdir.ts';

const USAGE = [{ guest: 1, up: 1000n, down: 9000n, paid: 10n }];

function receiptIn(body: string): SignedProofReceipt {
  const decoded = decodeReceipt(JSON.parse(body));
  if (!decoded.ok) throw new Error(`no receipt: ${body}`);
  return decoded.value;
}

t.test('an honest upload gets a signed receipt that says valid', async (t) => {
  const { app } = await openForTest(t);
  const upload = new FakeRouter().next(USAGE);
  const response = await post(app, upload);
  t.equal(response.statusCode, 200);
  const receipt = receiptIn(response.body);
  t.match(receipt, { collector: COLLECTOR.address, proof: digestOf(upload), verdict: 'valid', receivedS: NOW_S });
  t.ok(isProofReceiptSigned(DEPLOYMENT, receipt));
});

t.test('the same proof again gets the same receipt and is kept once', async (t) => {
  const { app, log } = await openForTest(t);
  const upload = new FakeRouter().next(USAGE);
  const first = await post(app, upload);
  const end = log.end();
  t.equal((await post(app, upload)).body, first.body, 'the same bytes');
  const other = {
    ...upload,
    vouchers: upload.vouchers.map((it) => ({ ...it, signature: `0x${'11'.repeat(64)}` as const })),
  };
  t.equal((await post(app, other)).body, first.body, 'the same proof in other bytes');
  t.strictSame(log.end(), end);
});

t.test('equal uploads that arrive at once get one verdict', async (t) => {
  const { app } = await openForTest(t);
  const upload = new FakeRouter().next(USAGE);
  const answers = await Promise.all([post(app, upload), post(app, upload), post(app, upload)]);
  t.strictSame(new Set(answers.map(({ body }) => body)).size, 1);
});

t.test('a forged copy does not spoil the honest upload that comes after it', async (t) => {
  const { app } = await openForTest(t);
  const router = new FakeRouter();
  const honest = router.next(USAGE);
  const forged = router.sign(honest.proof, honest.leaves, honest.vouchers, testKey('mallory').secretKey);
  const robbed = {
    ...honest,
    vouchers: honest.vouchers.map((it) => ({ ...it, signature: `0x${'11'.repeat(64)}` as const })),
  };
  t.equal(receiptIn((await post(app, forged)).body).verdict, 'bad-signature');
  t.equal(receiptIn((await post(app, robbed)).body).verdict, 'bad-voucher');
  t.equal(receiptIn((await post(app, honest)).body).verdict, 'valid');
});

t.test('a chain is followed: gap, resent proof, fork', async (t) => {
  const { app } = await openForTest(t);
  const router = new FakeRouter();
  const [first, second, third] = [router.next(USAGE), router.next([]), router.next([])];
  const verdictOf = async (upload: typeof first) => receiptIn((await post(app, upload)).body).verdict;
  t.equal(await verdictOf(first), 'valid');
  t.equal(await verdictOf(third), 'gap');
  t.equal(await verdictOf(second), 'valid', 'the missing one still fits');
  const fork = new FakeRouter();
  fork.next(USAGE);
  t.equal(await verdictOf(fork.next([], { epoch: 1n })), 'equivocation');
  t.equal(await verdictOf(router.next(USAGE)), 'valid', 'and the chain goes on');
});

t.test('channels accumulate over proofs', async (t) => {
  const { app } = await openForTest(t);
  const router = new FakeRouter();
  for (let i = 0; i < 3; i++) t.equal(receiptIn((await post(app, router.next(USAGE))).body).verdict, 'valid');
});

t.test('every upload is listed with its verdict and reason, page by page', async (t) => {
  const { app } = await openForTest(t);
  const router = new FakeRouter();
  const uploads = [router.next(USAGE), router.next([]), router.next(USAGE, { clockState: 0n })];
  for (const upload of uploads) await post(app, upload);
  await post(app, new FakeRouter('other').next([]));
  const { address } = router.key;
  const headers = asReader(router.key, address, COLLECTOR.address);
  const list = async (query: string) =>
    (await app.inject({ url: `/v1/proofs?device=${address}${query}`, headers })).json();
  const all = await list('');
  t.match(all.proofs, [
    {
      seq: '0',
      verdict: 'valid',
      digest: digestOf(uploads[0] as never),
      bytesDown: '9000',
      paid: '10',
      receivedS: `${NOW_S}`,
    },
    { seq: '1', verdict: 'valid' },
    { seq: '2', verdict: 'clock-unsynced', reason: 'the device says that its clock was not set' },
  ]);
  t.equal(all.proofs.length, 3);
  const firstPage = await list('&limit=2');
  t.equal(firstPage.proofs.length, 2);
  const lastPage = await list(`&limit=2&after=${firstPage.next}`);
  t.match(lastPage.proofs, [{ seq: '2' }]);
  t.strictSame(await list(`&after=${lastPage.next}`), { proofs: [], next: lastPage.next });
});

t.test('an unknown device gets a receipt too: the upload is kept for when it is enrolled', async (t) => {
  const { app } = await openForTest(t);
  const stranger = new FakeRouter('stranger');
  t.equal(receiptIn((await post(app, stranger.next([]))).body).verdict, 'unknown-device');
  const { address } = stranger.key;
  const headers = asReader(stranger.key, address, COLLECTOR.address);
  const listed = (await app.inject({ url: `/v1/proofs?device=${address}`, headers })).json();
  t.match(listed.proofs, [{ verdict: 'unknown-device', reason: /is not enrolled/ }]);
});

t.test('what is no upload is refused by name', async (t) => {
  const { app } = await openForTest(t);
  const garbage = await post(app, Buffer.from('garbage'));
  t.match([garbage.statusCode, garbage.json()], [400, { error: { code: 'malformed' } }]);
  t.match((await post(app, Buffer.from('a0', 'hex'))).json(), { error: { code: 'malformed', message: /expected/ } });
  t.equal((await post(app, Buffer.alloc(MAX_UPLOAD_BYTES + 1))).statusCode, 413);
  t.equal((await app.inject({ method: 'POST', url: '/v1/proofs', payload: {} })).statusCode, 415);
  t.equal((await app.inject({ method: 'POST', url: '/v1/proofs' })).statusCode, 400);
  t.match((await app.inject('/v1/nothing')).json(), {
    error: { code: 'not-found', message: 'There is no GET /v1/nothing.' },
  });
  for (const query of [
    '',
    '?device=0x12',
    `?device=${COLLECTOR.address}&limit=0`,
    `?device=${COLLECTOR.address}&limit=1001`,
  ]) {
    const response = await app.inject(`/v1/proofs${query}`);
    t.match([response.statusCode, response.json()], [400, { error: { code: 'bad-query' } }], query);
  }
});

t.test('nothing is acknowledged that the log did not take', async (t) => {
  const { log, store, close } = await openCollector(t.testdir());
  t.teardown(close);
  const errors = [
    new ProofLogError('the disk is full', { code: 'LOG_FULL' }),
    new ProofLogError('fsync failed', { code: 'LOG_FAILED' }),
  ];
  const failing = {
    append: (payload: Uint8Array) => log.append(payload),
    appendAll: (payloads: readonly Uint8Array[]): Promise<readonly LogPosition[]> => {
      const error = errors.shift();
      return error === undefined ? log.appendAll(payloads) : Promise.reject(error);
    },
    segments: () => log.segments(),
    read: (ref: SegmentRef) => log.read(ref),
    frames: () => log.frames(),
    end: () => log.end(),
    close: () => log.close(),
  };
  const { app, failures } = await openForTest(t, { log: failing, store });
  const upload = new FakeRouter().next(USAGE);
  const full = await post(app, upload);
  t.match([full.statusCode, full.headers['retry-after'], full.json().error.code], [507, /^6\d$/, 'disk-full']);
  t.same((await app.inject('/v1/health')).json(), { ok: true }, 'a full disk may have room again');
  t.equal((await post(app, upload)).statusCode, 503);
  t.equal((await app.inject('/v1/health')).statusCode, 503);
  const after = await post(app, upload);
  t.match([after.statusCode, after.json().error.code], [503, 'storage-failed'], 'a failed log is not tried again');
  t.match(failures, [{ code: 'LOG_FAILED' }]);
});

t.test('everything is known again after a restart, with or without the index', async (t) => {
  const directory = t.testdir();
  const router = new FakeRouter();
  const first = await openCollector(directory);
  const upload = router.next(USAGE);
  const receipt = (await post(first.app, upload)).body;
  await first.close();
  for (const spoil of [
    () => {},
    () => rmSync(`${directory}/store.db`),
    () => writeFileSync(`${directory}/store.db`, 'garbage'),
  ]) {
    spoil();
    const again = await openCollector(directory);
    t.equal((await post(again.app, upload)).body, receipt);
    t.equal(receiptIn((await post(again.app, router.next(USAGE))).body).verdict, 'valid', 'channel totals too');
    await again.close();
  }
});

t.test('an index that knows more than the log is made anew', async (t) => {
  const directory = t.testdir();
  const first = await openCollector(directory);
  const upload = new FakeRouter().next(USAGE);
  await post(first.app, upload);
  await first.close();
  rmSync(`${directory}/log`, { recursive: true });
  const again = await openCollector(directory);
  t.strictSame(again.store.verdicts(upload.proof.device, 0n, 10), []);
  await again.close();
});
