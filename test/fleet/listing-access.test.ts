/** Who reads what is on file of a device; and that a turned parity bit wins nobody anything. */
import t from 'tap';
import { judgeHeadAnswer } from '../../agent/adapters/uploader.ts';
import { decodeEquivocations, examineEvidence } from '../../fleet/evidence-file.ts';
import { signDeviceBinding } from '../../protocol/device-binding.ts';
import { bytesFromHex, type Hex, hexFromBytes } from '../../protocol/hex.ts';
import { jsonFromDeviceBinding } from '../../protocol/identity-wire.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT, digestOf, FakeRouter, NOW_S } from './fake-router.ts';
import { COLLECTOR, post } from './open-collector.ts';
import { asReader } from './reader.ts';
import { attested, type Desk, type Key, openDesk, VENDOR } from './registry-desk.ts';

const ROUTER = testKey('router');
const NEW = testKey('new key');
const OWNER = testKey('owner of it');
const USAGE = [{ guest: 1, up: 1_000n, down: 9_000n, paid: 10n }];
const LISTS = [
  `/v1/proofs?device=${ROUTER.address}`,
  `/v1/chain?device=${ROUTER.address}`,
  `/v1/devices/${ROUTER.address}/head`,
];

const read = async (desk: Desk, url: string, reader?: Key, untilS?: bigint, device = ROUTER.address) =>
  await desk.app.inject({
    url,
    headers: reader === undefined ? {} : asReader(reader, device, COLLECTOR.address, untilS),
  });

t.test('totals are read by the device, its operator, its vendor and named readers, and by nobody else', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  desk.enrol(ROUTER, attested(ROUTER));
  const router = new FakeRouter();
  const upload = router.next(USAGE);
  await post(desk.app, upload);
  const statuses = async (reader?: Key) =>
    await Promise.all(LISTS.map(async (url) => (await read(desk, url, reader)).statusCode));
  t.strictSame(await statuses(), [401, 401, 401], 'who knows the address alone');
  t.strictSame(await statuses(OWNER), [403, 403, 403], 'a stranger with a key');
  t.strictSame(await statuses(ROUTER), [200, 200, 200]);
  t.strictSame(await statuses(VENDOR), [200, 200, 200]);
  t.strictSame(await statuses(testKey('fleet')), [200, 200, 200]);
  const binding = signDeviceBinding(
    DEPLOYMENT,
    { device: ROUTER.address, operator: OWNER.address, nonce: 0n },
    ROUTER.secretKey,
  );
  const bound = await desk.app.inject({ method: 'POST', url: '/v1/bindings', payload: jsonFromDeviceBinding(binding) });
  t.equal(bound.statusCode, 200);
  t.strictSame(await statuses(OWNER), [200, 200, 200], 'whom it earns for');
  desk.registry.revokeVendorKey(VENDOR.address, NOW_S, 'stolen');
  t.strictSame(await statuses(VENDOR), [403, 403, 403], 'a thief with the vendor’s key');
  await desk.rotate({ from: ROUTER, to: NEW, nextSeq: 1n, prev: digestOf(upload) });
  t.strictSame(await statuses(NEW), [200, 200, 200], 'the key that went on in its place');
  t.equal((await read(desk, `/v1/equivocations?device=${ROUTER.address}`)).statusCode, 200, 'evidence is for all');
});

t.test(
  'a request says whom it is for and ends soon; a refusal says until when, by the clock of the collector',
  async (t) => {
    const desk = await openDesk(t);
    t.teardown(desk.close);
    const [url = ''] = LISTS;
    const refused = await read(desk, url);
    t.match(refused.headers, { 'www-authenticate': 'SSP-Access', 'ssp-until': `${NOW_S + 300n}` });
    t.equal((await read(desk, url, ROUTER, NOW_S + 300n)).statusCode, 200);
    t.equal((await read(desk, url, ROUTER, NOW_S - 1n)).statusCode, 401, 'over');
    t.equal((await read(desk, url, ROUTER, NOW_S + 901n)).statusCode, 401, 'too long');
    t.equal((await read(desk, url, ROUTER, undefined, OWNER.address)).statusCode, 401, 'of another device');
  },
);

/** The other form of the same signature: whoever has one can make it. */
function turned(signature: Hex): Hex {
  const bytes = bytesFromHex(signature);
  bytes[32] = (bytes[32] as number) ^ 0x80;
  return hexFromBytes(bytes);
}

t.test('a proof with the wrong parity bit is the same proof, and its router is shown the right one', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  desk.enrol(ROUTER, attested(ROUTER));
  const upload = new FakeRouter().next(USAGE);
  const between = { ...upload, proof: { ...upload.proof, signature: turned(upload.proof.signature) } };
  const first = await post(desk.app, between);
  t.equal((await post(desk.app, upload)).body, first.body, 'one receipt for both');
  t.equal(desk.store.verdicts(ROUTER.address, 0n, 10).length, 1);
  const head = await read(desk, LISTS[2] ?? '', ROUTER);
  // Without the right bit a router would refuse its own proof for good, and sign nothing after its next start.
  t.match(judgeHeadAnswer(head.body, COLLECTOR.address, ROUTER.address, DEPLOYMENT), { ok: true });
});

t.test('a clone that turns the parity bit does not escape the evidence', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  desk.enrol(ROUTER, attested(ROUTER));
  await post(desk.app, new FakeRouter().next(USAGE));
  const forked = new FakeRouter().next([]);
  await post(desk.app, { ...forked, proof: { ...forked.proof, signature: turned(forked.proof.signature) } });
  const listed = decodeEquivocations((await read(desk, `/v1/equivocations?device=${ROUTER.address}`)).json());
  const pair = listed.ok ? listed.value.equivocations[0] : undefined;
  if (pair === undefined) throw new Error('no evidence');
  t.match(examineEvidence({ kind: 'ssp-equivocation', deployment: DEPLOYMENT, ...pair }), {
    ok: true,
    isSlashable: true,
  });
  const second = { ...pair.second, signature: turned(pair.second.signature) };
  const kept = { kind: 'ssp-equivocation', deployment: DEPLOYMENT, ...pair, second } as const;
  t.match(examineEvidence(kept), { ok: true, isSlashable: true }, 'in a file of before, too');
});
