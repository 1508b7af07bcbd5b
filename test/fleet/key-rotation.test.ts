/** A key that hands its chain to another one: the chain goes on, the old key signs no more of it, two successors are evidence. */
import { writeFileSync } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import t from 'tap';
import { catchUp } from '../../fleet/catch-up.ts';
import {
  decodeEquivocations,
  decodeEvidenceFile,
  evidenceFileJson,
  examineEvidence,
} from '../../fleet/evidence-file.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import { keyRotationDigestHex } from '../../protocol/key-rotation.ts';
import { decodeKeyRotation } from '../../protocol/key-rotation-wire.ts';
import { decodeReceipt } from '../../protocol/receipt-wire.ts';
import { signRevocationList } from '../../protocol/vendor-attestation.ts';
import { isProofReceiptSigned } from '../../protocol/verdict.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT, digestOf, FakeRouter, NOW_S } from './fake-router.ts';
import { COLLECTOR, post } from './open-collector.ts';
import { asReader } from './reader.ts';
import { attested, type Desk, type Key, openDesk, rotationJson, VENDOR } from './registry-desk.ts';
import '../support/own-testdir.ts';

const OLD = testKey('router');
const NEW = testKey('new key');
const THIRD = testKey('third key');
const USAGE = [{ guest: 1, up: 1_000n, down: 9_000n, paid: 10n }];

/** A router with three proofs on file. */
async function started(
  desk: Desk,
): Promise<{ readonly router: FakeRouter; readonly head: ReturnType<typeof digestOf> }> {
  desk.enrol(OLD, attested(OLD));
  const router = new FakeRouter();
  const uploads = [router.next(USAGE), router.next(USAGE), router.next(USAGE)];
  for (const upload of uploads) await post(desk.app, upload);
  return { router, head: digestOf(uploads[2] as never) };
}

/** What the router's next proof would be, signed by another key. */
function signedBy(key: Key, upload: ReturnType<FakeRouter['next']>, changes: object = {}) {
  const proof = { ...upload.proof, device: key.address, ...changes };
  return new FakeRouter().sign(proof, upload.leaves, upload.vouchers, key.secretKey);
}

const verdictOf = async (desk: Desk, upload: Parameters<typeof post>[1]) =>
  (await post(desk.app, upload)).json().verdict;

t.test('the successor goes on after the old key’s last proof, which signs no more of the chain', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const { router, head } = await started(desk);
  const answer = await desk.rotate({ from: OLD, to: NEW, nextSeq: 3n, prev: head });
  t.equal(answer.statusCode, 200);
  const { receipt, state } = answer.json() as { receipt: unknown; state: string };
  t.equal(state, 'active');
  const decoded = decodeReceipt(receipt);
  const rotation = decodeKeyRotation(rotationJson({ from: OLD, to: NEW, nextSeq: 3n, prev: head }));
  t.ok(decoded.ok && rotation.ok && decoded.value.proof === keyRotationDigestHex(DEPLOYMENT, rotation.value));
  t.ok(decoded.ok && isProofReceiptSigned(DEPLOYMENT, decoded.value), 'signed: the old key is given up for it');

  const fourth = router.next([]);
  const stolen = await post(desk.app, fourth);
  t.equal(stolen.json().verdict, 'revoked', 'by the old key');
  const rows = desk.store.verdicts(OLD.address, 0n, 10);
  t.match(rows.at(-1), { verdict: 'revoked', reason: /gave its chain to 0x.* from proof 3 on/ });

  const first = signedBy(NEW, fourth);
  t.equal(await verdictOf(desk, first), 'valid');
  t.equal(await verdictOf(desk, signedBy(NEW, fourth, { seq: 4n, prev: digestOf(first) })), 'valid');
  const clone = signedBy(NEW, fourth, { endS: fourth.proof.endS + 1n });
  t.equal(await verdictOf(desk, clone), 'equivocation', 'a second proof under its first number');
  const below = signedBy(NEW, fourth, { seq: 2n });
  t.equal(await verdictOf(desk, below), 'bad-signature', 'a number of the old key');
  t.match(desk.store.chain(NEW.address), { nextSeq: 5n, missing: [] });
  t.match((await desk.rotate({ from: OLD, to: NEW, nextSeq: 3n, prev: head })).json(), { state: 'active' }, 'again');
  t.match(desk.registryStore.device(OLD.address), { state: 'retired' });
});

t.test('what comes in another order ends in the same verdicts, also from a store made anew', async (t) => {
  const desk = await openDesk(t);
  const { router, head } = await started(desk);
  await desk.rotate({ from: OLD, to: NEW, nextSeq: 3n, prev: head });
  const a = signedBy(NEW, router.next([]));
  const b = signedBy(NEW, router.next([]), { prev: digestOf(a) });
  const c = signedBy(NEW, router.next([]), { prev: digestOf(b) });
  const [late, first] = [await post(desk.app, c), await post(desk.app, b)];
  t.match([late.json(), first.json()], [{ verdict: 'gap' }, { verdict: 'gap' }]);
  t.equal(late.headers['ssp-missing'], '3-4', 'numbers of the old key are not asked for');
  t.equal(await verdictOf(desk, a), 'valid');
  const verdicts = desk.store.verdicts(NEW.address, 0n, 10).map(({ seq, verdict }) => [seq, verdict]);
  t.strictSame(verdicts, [
    [5n, 'valid'],
    [4n, 'valid'],
    [3n, 'valid'],
  ]);
  await desk.close();
  const log = await SegmentLog.open({ directory: `${t.testdirName}/log` });
  const store = new SqliteStore(`${t.testdirName}/again.db`);
  await catchUp(store, log);
  t.strictSame(
    store.verdicts(NEW.address, 0n, 10).map(({ seq, verdict }) => [seq, verdict]),
    verdicts,
  );
  t.match(store.chain(NEW.address), { nextSeq: 6n, prev: digestOf(c), missing: [] });
  await log.close();
  store.close();
});

t.test('two successors of one key are evidence that anyone can check, and the first one stays', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const { head } = await started(desk);
  await desk.rotate({ from: OLD, to: NEW, nextSeq: 3n, prev: head });
  const second = await desk.rotate({ from: OLD, to: THIRD, nextSeq: 3n, prev: head });
  t.equal(second.statusCode, 403);
  t.match(second.json(), { error: { code: 'contradiction', message: /was copied/ } });
  t.equal(desk.registry.standing(THIRD.address), undefined);
  for (let i = 0; i < 20; i++) await desk.rotate({ from: OLD, to: testKey(`thief ${i}`), nextSeq: 3n, prev: head });
  const listed = (await desk.app.inject(`/v1/equivocations?device=${OLD.address}`)).json();
  t.equal(listed.rotations.length, 16, 'a thief fills no disk');
  const decoded = decodeEquivocations(listed);
  const pair = decoded.ok ? decoded.value.rotations[0] : undefined;
  if (pair === undefined) throw new Error('no evidence');
  const evidence = { kind: 'ssp-rotation-conflict', deployment: DEPLOYMENT, ...pair } as const;
  t.match(examineEvidence(evidence), { ok: true, isSlashable: false, message: /gave its chain to .* and to/ });
  t.match(examineEvidence({ ...evidence, second: evidence.first }), { ok: false, message: /same rotation/ });
  const forged = { ...evidence.second, nextSeq: 9n };
  t.match(examineEvidence({ ...evidence, second: forged }), { ok: false, message: /not signed by both/ });
  const file = `${t.testdirName}/evidence.json`;
  writeFileSync(file, JSON.stringify(evidenceFileJson(evidence)));
  const again = decodeEvidenceFile(JSON.parse(JSON.stringify(evidenceFileJson(evidence))));
  t.ok(again.ok && examineEvidence(again.value).ok);
  t.notOk(decodeEvidenceFile({ ...(evidenceFileJson(evidence) as object), first: {} }).ok);
});

t.test('refused: what is not signed by both, not in step, from nobody, or to somebody', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const { router, head } = await started(desk);
  const refusal = async (rotation: Parameters<Desk['rotate']>[0]) => {
    const answer = await desk.rotate(rotation);
    return [answer.statusCode, (answer.json() as { error: { code: string } }).error.code];
  };
  const zeros = `0x${'00'.repeat(32)}` as const;
  t.strictSame(await refusal({ from: OLD, to: NEW, nextSeq: 2n, prev: head }), [409, 'not-in-step']);
  t.strictSame(await refusal({ from: OLD, to: NEW, nextSeq: 0n, prev: zeros }), [409, 'not-in-step']);
  t.strictSame(await refusal({ from: NEW, to: THIRD, nextSeq: 0n, prev: zeros }), [403, 'not-active']);
  const payload = { ...rotationJson({ from: OLD, to: NEW, nextSeq: 3n, prev: head }), successor: THIRD.address };
  const forged = await desk.app.inject({ method: 'POST', url: '/v1/rotations', payload });
  t.match(forged.json(), { error: { code: 'bad-signature' } });
  router.next([]);
  await post(desk.app, router.next([]));
  const gap = desk.store.chain(OLD.address);
  t.strictSame(await refusal({ from: OLD, to: NEW, nextSeq: 5n, prev: gap.prev }), [409, 'not-in-step'], 'a gap');
  desk.enrol(THIRD, attested(THIRD));
  t.strictSame(await refusal({ from: OLD, to: THIRD, nextSeq: 5n, prev: gap.prev }), [403, 'successor-known']);
});

t.test('keys follow one another, and a vendor that takes back the first takes back all', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const { router, head } = await started(desk);
  await desk.rotate({ from: OLD, to: NEW, nextSeq: 3n, prev: head });
  t.equal((await desk.rotate({ from: NEW, to: THIRD, nextSeq: 3n, prev: head })).statusCode, 200, 'without a proof');
  t.equal(await verdictOf(desk, signedBy(NEW, router.next([]))), 'revoked');
  const next = new FakeRouter('router');
  for (let i = 0; i < 3; i++) next.next(USAGE);
  t.equal(await verdictOf(desk, signedBy(THIRD, next.next([]))), 'valid');
  t.match(desk.registry.standing(THIRD.address), { isRevoked: false, vouched: { why: /attestation ended/ } });
  const list = { vendorId: 7n, serial: 0n, issuedS: NOW_S, devices: [OLD.address] };
  desk.registry.setRevocations(signRevocationList(DEPLOYMENT, list, VENDOR.secretKey));
  t.match(desk.registry.standing(THIRD.address), { isRevoked: true });
});

t.test('the head of a chain is shown to the key that goes on with it, by the old key’s last proof', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const { head } = await started(desk);
  await desk.rotate({ from: OLD, to: NEW, nextSeq: 3n, prev: head });
  const url = `/v1/devices/${NEW.address}/head`;
  const headers = asReader(NEW, NEW.address, COLLECTOR.address);
  const answer = (await desk.app.inject({ url, headers })).json();
  const rotation = decodeKeyRotation(answer.rotation);
  t.ok(rotation.ok && rotation.value.prev === head && rotation.value.successor === NEW.address);
  const receipt = decodeReceipt(answer.receipt);
  t.ok(receipt.ok && receipt.value.proof === head);
});

t.test('a registry of the version before keeps its rotations, and the chain itself shows the head', async (t) => {
  const directory = t.testdir();
  const before = await openDesk(t, directory);
  const { head } = await started(before);
  await before.rotate({ from: OLD, to: NEW, nextSeq: 3n, prev: head });
  await before.close();
  const file = new SqliteDatabase(`${directory}/registry.db`);
  file.exec('ALTER TABLE rotations DROP COLUMN head; PRAGMA user_version = 2;');
  file.close();
  const desk = await openDesk(t, directory);
  t.teardown(desk.close);
  const headers = asReader(NEW, NEW.address, COLLECTOR.address);
  const answer = (await desk.app.inject({ url: `/v1/devices/${NEW.address}/head`, headers })).json();
  const receipt = decodeReceipt(answer.receipt);
  t.ok(receipt.ok && receipt.value.proof === head);
  t.match(answer.rotation, { successor: NEW.address });
});
