/** Identity and enrolment from the command line, against a real collector's routes over HTTP. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import type { Answer, CommandIo } from '../../../agent/cli/command.ts';
import { enrolCommand } from '../../../agent/cli/enrol-command.ts';
import { identityCommand } from '../../../agent/cli/identity-command.ts';
import { Registry } from '../../../fleet/registry.ts';
import { addRegistryRoutes } from '../../../fleet/registry-routes.ts';
import { RegistryStore } from '../../../fleet/registry-store.ts';
import { hexFromBytes } from '../../../protocol/hex.ts';
import { jsonFromRevocationList, jsonFromVendorAttestation } from '../../../protocol/identity-wire.ts';
import { bytes32FromText } from '../../../protocol/short-text.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import { signRevocationList, signVendorAttestation } from '../../../protocol/vendor-attestation.ts';
import { REGISTRY, testKey } from '../../support/protocol-arbitraries.ts';

const VENDOR = testKey('vendor');
const DEVICE = testKey('device');
const COLLECTOR = testKey('collector');
const LATER = 4_000_000_000n;

function router(test: Test, collectorUrl = 'http://127.0.0.1:1') {
  const directory = test.testdir();
  const at = (name: string) => join(directory, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(at('device.key'), `${hexFromBytes(DEVICE.secretKey)}\n`, { mode: 0o600 });
  const options = {
    agent: { enabled: '1' },
    chain: {
      payee: testKey('owner').address,
      rpc_url: 'http://127.0.0.1:1',
      chain_id: `${REGISTRY.chainId}`,
      channels: testKey('channels').address,
      token: testKey('token').address,
      token_name: 'T',
      registry: REGISTRY.registry,
    },
    proofs: { collector_url: collectorUrl, collector: COLLECTOR.address },
    storage: { device_key: at('device.key'), database: at('ledger.db') },
  };
  const lines = Object.entries(options).flatMap(([section, values]) => [
    `config ${section} '${section}'`,
    ...Object.entries(values).map(([name, value]) => `\toption ${name} '${value}'`),
  ]);
  writeFileSync(at('config'), `${lines.join('\n')}\n`);
  const write = (name: string, json: object | string) =>
    writeFileSync(at(name), typeof json === 'string' ? json : JSON.stringify(json));
  const run = async (command: typeof enrolCommand, operands: readonly string[] = [], flags = {}) =>
    (await command.run(
      { operands, flags, isJson: false, configPath: at('config'), socketPath: '' },
      {} as CommandIo,
    )) as Answer;
  return { write, run };
}

async function collector(test: Test) {
  const store = new RegistryStore(`${test.testdir()}-registry.db`);
  const vendors = new Map([[7n, VENDOR.address]]);
  const nowS = () => BigInt(Math.floor(Date.now() / 1000));
  const registry = new Registry({ store, deployment: REGISTRY, collector: COLLECTOR.address, vendors, nowS });
  const app = fastify();
  const unused = {
    chainOf: () => ({ nextSeq: 0n, prev: GENESIS_PREV, missing: [] }),
    inTurn: <T>(f: () => Promise<T>) => f(),
    correctClock: () => Promise.reject(new Error('not asked')),
  };
  const deps = { registry, store, deployment: REGISTRY, collector: COLLECTOR, ...unused, nowS };
  await addRegistryRoutes(app, deps);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  test.teardown(async () => {
    await app.close();
    store.close();
  });
  return { url, registry, store };
}

const attestation = signVendorAttestation(
  REGISTRY,
  { vendorId: 7n, device: DEVICE.address, model: bytes32FromText('R1'), notAfter: LATER },
  VENDOR.secretKey,
);

t.test('a bare router: its address, nobody attests it, nobody earns with it', async (t) => {
  const { run } = router(t);
  const { document, exitCode } = await run(identityCommand);
  t.match(document, { device: DEVICE.address, faults: [] });
  t.equal(exitCode, 0);
});

t.test('attestation and binding are shown, and checked off-line against a revocation list', async (t) => {
  const { run, write } = router(t);
  write('attestation.json', jsonFromVendorAttestation(attestation));
  const owner = testKey('operator').address;
  t.match((await run(identityCommand, ['bind', owner])).document, { operator: owner, nonce: 0n });
  t.match((await run(identityCommand, ['bind', owner])).document, { nonce: 1n }, 'an old one cannot come back');
  t.match((await run(identityCommand)).document, {
    vendor: { id: 7n, key: VENDOR.address, model: 'R1' },
    operator: { address: owner, nonce: 1n },
    faults: [],
  });
  const list = { vendorId: 7n, serial: 1n, issuedS: 1n, devices: [DEVICE.address] };
  write('revocations.json', jsonFromRevocationList(signRevocationList(REGISTRY, list, VENDOR.secretKey)));
  const revoked = await run(identityCommand);
  t.match(revoked.document, { faults: [/has taken this device back/] });
  t.equal(revoked.exitCode, 1);
  write('revocations.json', jsonFromRevocationList(signRevocationList(REGISTRY, list, COLLECTOR.secretKey)));
  t.match((await run(identityCommand)).document, { faults: [/not signed by the key/] });
  write('attestation.json', { ...jsonFromVendorAttestation(attestation), device: COLLECTOR.address, notAfter: '1' });
  t.match((await run(identityCommand)).document, { faults: [/is for 0x/, /ended at 1/] });
  write('attestation.json', '{');
  await t.rejects(run(identityCommand), /attestation.json is not JSON/);
  await t.rejects(run(identityCommand, ['bind', 'me']), /bind takes the address/);
});

t.test('enrolment: attested, by serial, by a key in the image, and refused with a reason', async (t) => {
  const { url, registry, store } = await collector(t);
  const { run, write } = router(t, url);
  await t.rejects(run(enrolCommand), /nothing to enrol with/);
  write('enrolment-key', `${registry.makeKey('image')}\n`);
  t.match((await run(enrolCommand)).document, { state: 'active', reason: 'key "image"' });
  await t.rejects(run(enrolCommand), /nothing to enrol with/, 'a spent key is gone');
  store.addSerials('b', ['SN1']);
  t.match((await run(enrolCommand, [], { serial: 'SN1' })).document, { state: 'active' });
  write('attestation.json', jsonFromVendorAttestation(attestation));
  t.match((await run(enrolCommand)).document, { state: 'active' });
  await t.rejects(run(enrolCommand, [], { key: 'abc' }), /must be 0x and 64/);
  await t.rejects(run(enrolCommand, [], { key: 'abc', serial: 'x' }), /give one of/);
});

t.test('a stranger who names no list or key is told so; another collector gets no signature', async (t) => {
  const { url } = await collector(t);
  const { run } = router(t, url);
  await t.rejects(run(enrolCommand, [], { serial: 'SN7' }), /the collector refuses: serial SN7 is on no list/);
  const liar = fastify();
  liar.post('/v1/enrolments/challenge', () => ({
    v: 1,
    collector: VENDOR.address,
    nonce: `0x${'00'.repeat(32)}`,
    expiresS: '9',
  }));
  const other = router(t, await liar.listen({ host: '127.0.0.1', port: 0 }));
  t.teardown(() => liar.close());
  await t.rejects(other.run(enrolCommand, [], { serial: 'SN7' }), /challenge is of collector 0x.*, expected/);
});
