/** A vendor's key that is taken back, and an attestation that ends, while routers deliver. */
import t from 'tap';
import { RegistryStore } from '../../fleet/registry-store.ts';
import { VendorKeys } from '../../fleet/vendor-keys.ts';
import { signRevocationList } from '../../protocol/vendor-attestation.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { DEPLOYMENT, FakeRouter, NOW_S } from './fake-router.ts';
import { post } from './open-collector.ts';
import { attested, openDesk, VENDOR } from './registry-desk.ts';
import '../support/own-testdir.ts';

const ROUTER = testKey('router');
const OTHER = testKey('other');
const USAGE = [{ guest: 1, up: 1_000n, down: 9_000n, paid: 10n }];

t.test(
  'a vendor key revoked mid-flight: intervals until then count, later ones say why not, and the chain goes on',
  async (t) => {
    const desk = await openDesk(t);
    t.teardown(desk.close);
    desk.enrol(ROUTER, attested(ROUTER));
    const router = new FakeRouter();
    const [before, across, after] = [router.next(USAGE), router.next(USAGE), router.next(USAGE)];
    t.equal((await post(desk.app, before)).json().verdict, 'valid');
    // The theft is known to be a moment in the second interval; both uploads are on their way when it is said.
    const fromS = across.proof.startS + 30n;
    const delivered = post(desk.app, across);
    desk.registry.revokeVendorKey(VENDOR.address, fromS, 'stolen from the line');
    t.equal((await delivered).json().verdict, 'revoked');
    t.equal((await post(desk.app, after)).json().verdict, 'revoked');
    const rows = desk.store.verdicts(ROUTER.address, 0n, 10);
    t.match(rows[2], {
      verdict: 'revoked',
      reason: /ended at \d+, after \d+: the vendor's key 0x\w+ was taken back \(stolen from the line\)/,
    });
    t.match(desk.store.chain(ROUTER.address), { nextSeq: 3n, missing: [] }, 'no gap comes of it');
    t.match(desk.enrol(OTHER, attested(OTHER)), { ok: false, code: 'revoked' }, 'nobody new');
    const list = { vendorId: 7n, serial: 0n, issuedS: NOW_S, devices: [ROUTER.address] };
    const thief = desk.registry.setRevocations(signRevocationList(DEPLOYMENT, list, VENDOR.secretKey));
    t.match(thief, { ok: false, code: 'revoked' }, 'nor may the thief take routers back');
  },
);

t.test('what was carried before the theft and comes after it counts', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  desk.enrol(ROUTER, attested(ROUTER));
  desk.registry.revokeVendorKey(VENDOR.address, NOW_S - 3_600n, 'stolen');
  const router = new FakeRouter('router', NOW_S - 7_200n);
  t.equal((await post(desk.app, router.next(USAGE))).json().verdict, 'valid');
});

t.test('another process hears of it at the next proof; it may be said again, and better', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const store = new RegistryStore(`${t.testdirName}/registry.db`);
  t.teardown(() => store.close());
  const keys = new VendorKeys({ store, vendors: new Map() });
  t.equal(keys.revoked(VENDOR.address), undefined);
  desk.registry.revokeVendorKey(VENDOR.address, 10n, 'a');
  t.match(keys.revoked(VENDOR.address), { untilS: 10n });
  desk.registry.revokeVendorKey(VENDOR.address, 5n, 'b');
  t.match(keys.revoked(VENDOR.address), { untilS: 5n, why: /\(b\)/ });
  store.putDocument('vendor-key', VENDOR.address, 9n, {});
  t.match(keys.revoked(VENDOR.address), { untilS: 0n, why: /damaged/ });
});

t.test('an attestation that ends stops what is carried later, until there is a newer one', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  const router = new FakeRouter();
  const uploads = [router.next(USAGE), router.next(USAGE), router.next(USAGE)] as const;
  const endS = uploads[0].proof.endS;
  desk.setNow(endS - 10n);
  desk.enrol(ROUTER, attested(ROUTER, endS));
  t.equal((await post(desk.app, uploads[0])).json().verdict, 'valid');
  t.equal((await post(desk.app, uploads[1])).json().verdict, 'revoked');
  t.match(desk.store.verdicts(ROUTER.address, 1n, 1)[0], { reason: /attestation ended; ask the vendor/ });
  desk.setNow(NOW_S);
  t.match(desk.enrol(ROUTER, attested(ROUTER, endS)), { ok: false, code: 'expired' });
  t.match(desk.enrol(ROUTER, attested(ROUTER, NOW_S + 9n)), { ok: true, reason: `attested until ${NOW_S + 9n}` });
  t.match(
    desk.enrol(ROUTER, attested(ROUTER, NOW_S + 5n)),
    { ok: true, reason: `attested until ${NOW_S + 9n}` },
    'older',
  );
  t.equal((await post(desk.app, uploads[2])).json().verdict, 'valid', 'the chain has no hole');
});

t.test('without a clock an interval is held against the end by the corrected time only', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  desk.enrol(ROUTER, attested(ROUTER));
  desk.registry.revokeVendorKey(VENDOR.address, NOW_S - 3_600n, 'stolen');
  const router = new FakeRouter('router', 100n);
  const upload = router.next([], { clockState: 0n });
  t.equal((await post(desk.app, upload)).json().verdict, 'clock-unsynced');
  await desk.intake.correctClock({
    device: ROUTER.address,
    fromSeq: 0n,
    toSeq: 0n,
    bootS: NOW_S - 300n,
    statement: upload.proof.prev,
  });
  t.match(desk.store.verdicts(ROUTER.address, 0n, 1)[0], { verdict: 'revoked', reason: /taken back/ });
});
