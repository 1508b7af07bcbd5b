/** A router changes its key, cut off at every step, against a real collector: the chain goes on, and no key is lost. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RotationFiles } from '../../../agent/adapters/rotation-files.ts';
import type { AskCollector } from '../../../agent/identity/enrolment.ts';
import {
  completeRotation,
  ROTATION_STEPS,
  type RotationDeps,
  type RotationStep,
  stateRotation,
} from '../../../agent/identity/key-rotation.ts';
import { bytesFromHex, hexFromBytes } from '../../../protocol/hex.ts';
import { addressFromSecretKey } from '../../../protocol/signature.ts';
import { DEPLOYMENT, digestOf, FakeRouter } from '../../fleet/fake-router.ts';
import { COLLECTOR, post } from '../../fleet/open-collector.ts';
import { attested, type Desk, openDesk } from '../../fleet/registry-desk.ts';
import { testKey } from '../../support/protocol-arbitraries.ts';
import '../../support/own-testdir.ts';

const OLD = testKey('router');
const USAGE = [{ guest: 1, up: 1_000n, down: 9_000n, paid: 10n }];

function box(test: Test, ask: AskCollector, name = 'box') {
  const directory = join(test.testdirName, name);
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'device.key');
  writeFileSync(path, `${hexFromBytes(OLD.secretKey)}\n`, { mode: 0o600 });
  const deps = (atStep?: (step: RotationStep) => void): RotationDeps => ({
    files: new RotationFiles(path),
    ask,
    collector: COLLECTOR.address,
    deployment: DEPLOYMENT,
    ...(atStep === undefined ? {} : { atStep }),
  });
  const addressIn = (file: string) =>
    addressFromSecretKey(bytesFromHex(readFileSync(join(directory, file), 'utf8').trim()));
  return { directory, path, deps, addressIn, files: () => readdirSync(directory).sort() };
}

const askOf =
  (desk: Desk): AskCollector =>
  async (url, json) => {
    const answer = await desk.app.inject({ method: 'POST', url, payload: json as object });
    return { ok: true, status: answer.statusCode, text: answer.body };
  };

async function started(desk: Desk) {
  desk.enrol(OLD, attested(OLD));
  const router = new FakeRouter();
  const upload = router.next(USAGE);
  await post(desk.app, upload);
  return { place: { nextSeq: 1n, prev: digestOf(upload) }, router };
}

/** As the command does it after any end: goes on with what is found. */
async function again(deps: RotationDeps, place: Parameters<typeof stateRotation>[1]) {
  const found = (deps.files as RotationFiles).found();
  if (found?.stage === 'switched') return { ok: true, rotation: found.rotation } as const;
  const rotation = found?.rotation ?? stateRotation(deps, place);
  return { ...(await completeRotation(deps, rotation)), rotation };
}

for (const step of ROTATION_STEPS.filter((step) => step !== 'bound')) {
  t.test(`cut off at "${step}", it ends as if it had not been`, async (t) => {
    const desk = await openDesk(t);
    t.teardown(desk.close);
    const { place, router } = await started(desk);
    const { path, deps, addressIn } = box(t, askOf(desk));
    const cut = deps((at) => {
      if (at === step) throw new Error(at);
    });
    await t.rejects(again(cut, place), { message: step });
    t.ok(existsSync(path), 'there is a key at every moment');
    const made = existsSync(`${path}.next`) ? addressIn('device.key.next') : addressIn('device.key');
    const { ok, rotation } = await again(deps(), place);
    t.ok(ok);
    t.equal(rotation.successor, made, 'no second new key was made');
    t.strictSame([addressIn('device.key'), addressIn('device.key.old')], [made, OLD.address]);
    t.notOk(existsSync(`${path}.next`));
    t.match(desk.registryStore.device(made), { state: 'active', method: 'rotation' });
    t.equal((await desk.app.inject(`/v1/equivocations?device=${OLD.address}`)).json().rotations.length, 0);
    const key = { address: made, secretKey: bytesFromHex(readFileSync(path, 'utf8').trim()) };
    const { proof, leaves, vouchers } = router.next([]);
    const next = router.sign({ ...proof, device: key.address }, leaves, vouchers, key.secretKey);
    t.equal((await post(desk.app, next)).json().verdict, 'valid');
    new RotationFiles(path).forgetOld();
    t.equal(new RotationFiles(path).found(), undefined, 'over');
    const second = await again(deps(), { nextSeq: 2n, prev: digestOf(next) });
    t.ok(second.ok, 'and it may be changed again');
    t.equal(addressIn('device.key.old'), made);
  });
}

t.test('no collector, a captive portal, or a liar: the old key stays, and it is asked again', async (t) => {
  const answers: Awaited<ReturnType<AskCollector>>[] = [
    { ok: false, message: 'unreachable' },
    { ok: true, status: 200, text: '<html>Sign in</html>' },
    { ok: true, status: 200, text: '{"v":1,"state":"active"}' },
    { ok: true, status: 403, text: '<html>Forbidden</html>' },
    { ok: true, status: 403, text: '{"error":{"code":"other","message":"x"}}' },
    { ok: true, status: 503, text: '{"error":{"code":"not-in-step","message":"x"}}' },
  ];
  t.testdir();
  const { deps, addressIn, files } = box(t, () => Promise.resolve(answers.shift() ?? { ok: false, message: 'none' }));
  const place = { nextSeq: 0n, prev: `0x${'00'.repeat(32)}` } as const;
  for (let i = answers.length; i > 0; i--) t.match(await again(deps(), place), { ok: false, isFinal: false });
  t.equal(addressIn('device.key'), OLD.address);
  t.strictSame(files(), ['device.key', 'device.key.next', 'rotation.json']);
});

t.test('a receipt of another collector, or for another rotation, is none', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const { place } = await started(desk);
  const { deps, addressIn } = box(t, askOf(desk));
  const rotation = stateRotation(deps(), place);
  const stranger = { ...deps(), collector: testKey('stranger').address };
  t.match(await completeRotation(stranger, rotation), { ok: false, isFinal: false, message: /no receipt/ });
  t.equal(addressIn('device.key'), OLD.address);
  t.match(await completeRotation(deps(), rotation), { ok: true });
});

t.test('what the collector will never take is given up, and the same new key may be named again', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const { place } = await started(desk);
  const { deps, addressIn, files } = box(t, askOf(desk));
  const stale = await again(deps(), { nextSeq: 7n, prev: place.prev });
  t.match(stale, { ok: false, isFinal: true, message: /not-in-step|goes on with proof 1/ });
  t.strictSame(files(), ['device.key', 'device.key.next', 'rotation.json.refused']);
  const next = addressIn('device.key.next');
  t.match(await again(deps(), place), { ok: true });
  t.equal(addressIn('device.key'), next);
});

t.test('what cannot be gone on with is told, and nothing is overwritten', (t) => {
  t.testdir();
  const { directory, path, deps } = box(t, () => Promise.reject(new Error('not asked')));
  const place = { nextSeq: 0n, prev: `0x${'00'.repeat(32)}` } as const;
  stateRotation(deps(), place);
  const other = `${hexFromBytes(testKey('other').secretKey)}\n`;
  writeFileSync(`${path}.next`, other, { mode: 0o600 });
  t.throws(() => new RotationFiles(path).found(), /whose key is not in .*Put it back/);
  writeFileSync(`${path}.old`, other, { mode: 0o600 });
  t.throws(() => new RotationFiles(path).keepOld(OLD.address), /is the key of .* move it away/);
  writeFileSync(join(directory, 'rotation.json'), 'x');
  t.throws(() => new RotationFiles(path).found(), /rotation\.json: file: expected/);
  t.end();
});
