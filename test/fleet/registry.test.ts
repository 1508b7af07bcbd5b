import t, { type Test } from 'tap';
import { Registry, type RegistryDeps } from '../../fleet/registry.ts';
import { RegistryStore } from '../../fleet/registry-store.ts';
import { type EnrolmentCredential, signEnrolment } from '../../protocol/enrolment.ts';
import { bytes32FromText } from '../../protocol/short-text.ts';
import { signRevocationList, signVendorAttestation } from '../../protocol/vendor-attestation.ts';
import { REGISTRY, testKey } from '../support/protocol-arbitraries.ts';
import '../support/own-testdir.ts';

const COLLECTOR = testKey('collector').address;
const VENDOR = testKey('vendor');
const OLD = testKey('old router');
const NEW = testKey('new router');
const DAY = 86_400n;

type Key = ReturnType<typeof testKey>;

class Desk {
  nowS = 1_795_000_000n;
  readonly store: RegistryStore;
  readonly registry: Registry;

  constructor(test: Test, changes: Partial<RegistryDeps> = {}) {
    this.store = new RegistryStore(`${test.testdir()}/registry.db`);
    test.teardown(() => this.store.close());
    const vendors = new Map([[7n, VENDOR.address]]);
    const nowS = () => this.nowS;
    this.registry = new Registry({
      store: this.store,
      deployment: REGISTRY,
      collector: COLLECTOR,
      vendors,
      nowS,
      ...changes,
    });
  }

  signed({ address, secretKey }: Key, credential: EnrolmentCredential, nonce = this.registry.challenge().nonce) {
    return signEnrolment(REGISTRY, { device: address, collector: COLLECTOR, nonce, credential }, secretKey);
  }

  enrol(key: Key, credential: EnrolmentCredential) {
    return this.registry.enrol(this.signed(key, credential));
  }
}

function attested(device: Key, notAfter: bigint, by = VENDOR): EnrolmentCredential {
  const attestation = { vendorId: 7n, device: device.address, model: bytes32FromText('R1'), notAfter };
  return { method: 'attestation', attestation: signVendorAttestation(REGISTRY, attestation, by.secretKey) };
}

t.test('a vendor attestation admits its device, and nobody else', (t) => {
  const desk = new Desk(t);
  t.match(desk.enrol(OLD, attested(OLD, desk.nowS + DAY)), { ok: true, state: 'active' });
  t.match(desk.registry.standing(OLD.address), { isRevoked: false, vouched: { untilS: desk.nowS + DAY } });
  t.match(desk.enrol(NEW, attested(OLD, desk.nowS + DAY)), { ok: false, code: 'bad-attestation' });
  t.match(desk.enrol(NEW, attested(NEW, desk.nowS + DAY, OLD)), { ok: false, code: 'bad-attestation' });
  t.match(desk.enrol(NEW, attested(NEW, desk.nowS - 1n)), { ok: false, code: 'expired' });
  t.equal(desk.registry.standing(NEW.address), undefined);
  t.end();
});

t.test('a challenge is answered once, by the device, in time, and to this collector', (t) => {
  const desk = new Desk(t);
  const credential = attested(OLD, desk.nowS + DAY);
  const enrolment = desk.signed(OLD, credential);
  t.match(desk.registry.enrol({ ...enrolment, device: NEW.address }), { ok: false, code: 'bad-signature' });
  t.match(desk.registry.enrol({ ...enrolment, collector: NEW.address }), { ok: false, code: 'wrong-collector' });
  t.match(desk.registry.enrol(enrolment), { ok: true });
  t.match(desk.registry.enrol(enrolment), { ok: false, code: 'bad-nonce' });
  const late = desk.signed(NEW, attested(NEW, desk.nowS + DAY));
  desk.nowS += 301n;
  t.match(desk.registry.enrol(late), { ok: false, code: 'bad-nonce' });
  const first = desk.registry.challenge();
  for (let i = 0; i < 4096; i++) desk.registry.challenge();
  t.match(desk.registry.enrol(desk.signed(NEW, attested(NEW, desk.nowS + DAY), first.nonce)), { code: 'bad-nonce' });
  t.end();
});

t.test('a revocation list takes devices back at once, also one that is enrolled; an older list does nothing', (t) => {
  const desk = new Desk(t);
  const list = (serial: bigint, devices: readonly Key[], by = VENDOR) =>
    signRevocationList(
      REGISTRY,
      { vendorId: 7n, serial, issuedS: desk.nowS, devices: devices.map(({ address }) => address).sort() },
      by.secretKey,
    );
  desk.enrol(OLD, attested(OLD, desk.nowS + DAY));
  t.match(desk.registry.setRevocations(list(2n, [OLD], NEW)), { ok: false, code: 'bad-signature' });
  t.match(desk.registry.setRevocations(list(2n, [OLD])), { ok: true });
  t.match(desk.registry.standing(OLD.address), { isRevoked: true });
  t.match(desk.registry.setRevocations(list(1n, [])), { ok: false, code: 'old-list' });
  t.match(desk.registry.standing(OLD.address), { isRevoked: true });
  desk.registry.setRevocations(list(3n, [NEW]));
  t.match(desk.enrol(NEW, attested(NEW, desk.nowS + DAY)), { ok: false, code: 'revoked' });
  t.end();
});

t.test(
  'a serial off the list is claimed once; a second key with it waits, and replaces the first when approved',
  (t) => {
    const desk = new Desk(t);
    t.equal(desk.store.addSerials('2026-11', ['SN1', 'SN2', 'SN1']), 2);
    t.match(desk.enrol(OLD, { method: 'serial', serial: 'SN9' }), { ok: false, code: 'unknown-serial' });
    t.match(desk.enrol(OLD, { method: 'serial', serial: 'SN1' }), { ok: true, state: 'active' });
    t.match(desk.enrol(NEW, { method: 'serial', serial: 'SN1' }), { ok: true, state: 'pending', reason: /held by 0x/ });
    t.equal(desk.registry.standing(NEW.address), undefined, 'no proof is taken from who waits');
    t.match(desk.registry.approve(NEW.address), { ok: true, state: 'active' });
    t.match(desk.store.device(OLD.address), { state: 'retired', reason: `replaced by ${NEW.address}` });
    t.strictSame(desk.registry.standing(OLD.address), { isRevoked: false }, 'what it still has to deliver counts');
    desk.nowS += 38n * DAY;
    t.strictSame(desk.registry.standing(OLD.address), { isRevoked: true });
    t.match(desk.enrol(NEW, { method: 'serial', serial: 'SN1' }), { ok: true, state: 'active' });
    t.end();
  },
);

t.test('of all who wait for one serial, the last that is approved holds it alone', (t) => {
  const third = testKey('third router');
  for (const isManual of [false, true]) {
    const desk = new Desk(t, { isManual });
    desk.store.addSerials('2026-11', ['SN1']);
    for (const key of [OLD, NEW, third]) desk.enrol(key, { method: 'serial', serial: 'SN1' });
    for (const { device } of desk.store.devices('pending', 10)) desk.registry.approve(device);
    t.equal(desk.store.devices('active', 10).length, 1, `manual: ${isManual}`);
    t.equal(desk.store.devices('retired', 10).length, 2);
    t.equal(desk.store.serial('SN1')?.device, desk.store.devices('active', 10)[0]?.device);
  }
  t.end();
});

t.test('a revocation list that another process has taken counts here too', (t) => {
  const desk = new Desk(t);
  const store = new RegistryStore(`${t.testdirName}/registry.db`);
  t.teardown(() => store.close());
  const vendors = new Map([[7n, VENDOR.address]]);
  const other = new Registry({ store, deployment: REGISTRY, collector: COLLECTOR, vendors, nowS: () => desk.nowS });
  desk.enrol(OLD, attested(OLD, desk.nowS + DAY));
  t.match(other.standing(OLD.address), { isRevoked: false });
  const list = { vendorId: 7n, serial: 0n, issuedS: desk.nowS, devices: [OLD.address] };
  t.match(desk.registry.setRevocations(signRevocationList(REGISTRY, list, VENDOR.secretKey)), { ok: true });
  t.match(
    [desk.registry.standing(OLD.address), other.standing(OLD.address)],
    [{ isRevoked: true }, { isRevoked: true }],
  );
  t.end();
});

t.test('a pre-authorised key is good once, for an hour, and its router may ask again', (t) => {
  const desk = new Desk(t);
  const key = desk.registry.makeKey('shop');
  t.match(desk.enrol(OLD, { method: 'key', key: `0x${'00'.repeat(32)}` }), { ok: false, code: 'unknown-key' });
  t.match(desk.enrol(OLD, { method: 'key', key }), { ok: true, state: 'active', reason: 'key "shop"' });
  t.match(desk.enrol(OLD, { method: 'key', key }), { ok: true, state: 'active' });
  t.match(desk.enrol(NEW, { method: 'key', key }), { ok: false, code: 'key-used' });
  const other = desk.registry.makeKey('late');
  desk.nowS += 3601n;
  t.match(desk.enrol(NEW, { method: 'key', key: other }), { ok: false, code: 'key-expired' });
  t.end();
});

t.test('key rotation: the old key names its successor, and retires when that one comes', (t) => {
  const desk = new Desk(t);
  const key = `0x${'5e'.repeat(32)}` as const;
  const name = (by: Key) => desk.registry.nameSuccessor(desk.signed(by, { method: 'key', key }));
  t.match(name(OLD), { ok: false, code: 'not-active' });
  desk.enrol(OLD, attested(OLD, desk.nowS + DAY));
  t.match(desk.registry.nameSuccessor(desk.signed(OLD, { method: 'serial', serial: 'x' })), { code: 'no-key' });
  t.match(name(OLD), { ok: true });
  t.match(name(OLD), { ok: false, code: 'key-known' });
  t.match(desk.enrol(NEW, { method: 'key', key }), { ok: true, state: 'active' });
  t.match(desk.store.device(OLD.address)?.state, 'retired');
  t.match(name(OLD), { ok: false, code: 'not-active' }, 'a retired key names nobody');
  t.end();
});

t.test('a key that was named before its device was revoked admits nobody after it', (t) => {
  const desk = new Desk(t);
  desk.enrol(OLD, attested(OLD, desk.nowS + DAY));
  const credential = { method: 'key', key: `0x${'5e'.repeat(32)}` } as const;
  t.match(desk.registry.nameSuccessor(desk.signed(OLD, credential)), { ok: true });
  desk.registry.revoke(OLD.address, 'stolen');
  t.match(desk.enrol(NEW, credential), { ok: false, code: 'not-active' });
  t.equal(desk.registry.standing(NEW.address), undefined);
  t.end();
});

t.test('a vendor that takes back a device takes back the keys that it named', (t) => {
  const desk = new Desk(t);
  desk.enrol(OLD, attested(OLD, desk.nowS + DAY));
  const keys = [OLD, ...Array.from({ length: 17 }, (_, i) => testKey(`successor ${i}`))];
  const answers = keys.slice(1).map((next, i) => {
    const credential = { method: 'key', key: `0x${(i + 16).toString(16).repeat(32)}` } as const;
    const named = desk.registry.nameSuccessor(desk.signed(keys[i] as Key, credential));
    return named.ok ? desk.enrol(next, credential) : named;
  });
  t.ok(answers.slice(0, 16).every(({ ok }) => ok));
  t.match(answers[16], { ok: false, code: 'too-many' });
  const last = (keys[16] as Key).address;
  t.match(desk.registry.standing(last), { isRevoked: false });
  const list = { vendorId: 7n, serial: 1n, issuedS: desk.nowS, devices: [OLD.address] };
  desk.registry.setRevocations(signRevocationList(REGISTRY, list, VENDOR.secretKey));
  t.match(desk.registry.standing(last), { isRevoked: true });
  t.end();
});

t.test('where people decide: list, approve, reject, revoke, each from the states that allow it', (t) => {
  const desk = new Desk(t, { isManual: true });
  t.match(desk.enrol(OLD, attested(OLD, desk.nowS + DAY)), { state: 'pending', reason: /waits for approval/ });
  desk.enrol(NEW, attested(NEW, desk.nowS + DAY));
  t.equal(desk.store.devices('pending', 10).length, 2);
  t.match(desk.registry.approve(testKey('nobody').address), { ok: false, code: 'unknown-device' });
  t.match(desk.registry.approve(OLD.address), { ok: true, state: 'active' });
  t.match(desk.registry.approve(OLD.address), { ok: false, code: 'wrong-state' });
  t.match(desk.registry.reject(NEW.address, 'stolen'), { ok: true, state: 'rejected' });
  t.match(desk.enrol(NEW, attested(NEW, desk.nowS + DAY)), { ok: true, state: 'rejected', reason: 'stolen' });
  t.equal(desk.registry.standing(NEW.address), undefined);
  t.match(desk.registry.revoke(OLD.address, 'cloned'), { ok: true, state: 'revoked' });
  t.match(desk.registry.standing(OLD.address), { isRevoked: true });
  t.match(desk.registry.approve(OLD.address), { ok: false, code: 'wrong-state' }, 'for ever');
  t.equal(desk.store.devices(undefined, 10).length, 2);
  t.end();
});

t.test('what is enrolled survives a restart', (t) => {
  const desk = new Desk(t);
  desk.enrol(OLD, attested(OLD, desk.nowS + DAY));
  const again = new RegistryStore(`${t.testdirName}/registry.db`);
  t.match(again.device(OLD.address), { state: 'active', vendorId: 7n });
  again.close();
  t.end();
});
