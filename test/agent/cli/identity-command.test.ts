/** Identity and enrolment from the command line, against a real collector's routes over HTTP. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import type { Answer, CommandIo } from '../../../agent/cli/command.ts';
import { configOf, enrolCommand } from '../../../agent/cli/enrol-command.ts';
import { identityCommand } from '../../../agent/cli/identity-command.ts';
import { completeBeforeStart, rotateKey } from '../../../agent/cli/rotate-key.ts';
import { Registry } from '../../../fleet/registry.ts';
import { addRegistryRoutes } from '../../../fleet/registry-routes.ts';
import { RegistryStore } from '../../../fleet/registry-store.ts';
import { hexFromBytes } from '../../../protocol/hex.ts';
import { jsonFromRevocationList, jsonFromVendorAttestation } from '../../../protocol/identity-wire.ts';
import { bytes32FromText } from '../../../protocol/short-text.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import { signRevocationList, signVendorAttestation } from '../../../protocol/vendor-attestation.ts';
import { REGISTRY, testKey } from '../../support/protocol-arbitraries.ts';
import '../../support/own-testdir.ts';

const VENDOR = testKey('vendor');
const DEVICE = testKey('device');
const COLLECTOR = testKey('collector');
const LATER = 4_000_000_000n;

function router(test: Test, collectorUrl = 'http://127.0.0.1:1', rpcUrl = 'http://127.0.0.1:1') {
  const directory = test.testdir();
  const at = (name: string) => join(directory, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(at('device.key'), `${hexFromBytes(DEVICE.secretKey)}\n`, { mode: 0o600 });
  const options = {
    agent: { enabled: '1' },
    chain: {
      payee: testKey('owner').address,
      rpc_url: rpcUrl,
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
  const config = () => configOf(at('config'));
  return { write, run, at, config };
}

async function collector(test: Test) {
  // Beside the test's directory, which router() makes anew; of no run before.
  const path = `${test.testdir()}-registry.db`;
  rmSync(path, { force: true });
  const store = new RegistryStore(path);
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

/** A node that knows one registry and what accounts hold. */
async function node(test: Test, operators: Map<string, string>, coin: Map<string, bigint>): Promise<string> {
  const word = (hex: string) => `0x${hex.replace(/^0x/, '').padStart(64, '0')}`;
  const app = fastify();
  app.post('/', (request) => {
    const { id, method, params } = request.body as { id: number; method: string; params: [{ data: string } & string] };
    const asked = method === 'eth_call' ? `0x${params[0].data.slice(-40)}` : params[0];
    if (method === 'eth_getBalance') return { jsonrpc: '2.0', id, result: `0x${(coin.get(asked) ?? 0n).toString(16)}` };
    const isRegistry = (params[0] as unknown as { to: string }).to === REGISTRY.registry;
    return { jsonrpc: '2.0', id, result: word(isRegistry ? (operators.get(asked) ?? '0') : '0') };
  });
  test.teardown(() => app.close());
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

t.test(
  'rotate: the old key goes once DeviceRegistry knows the new one, and nothing is left in its account',
  async (t) => {
    const { url } = await collector(t);
    const owner = testKey('operator').address;
    const operators = new Map([[DEVICE.address as string, owner as string]]);
    const coin = new Map([[DEVICE.address as string, 7n]]);
    const { run, write, at } = router(t, url, await node(t, operators, coin));
    write('attestation.json', jsonFromVendorAttestation(attestation));
    await run(enrolCommand);
    await run(identityCommand, ['bind', owner]);
    const first = await run(identityCommand, ['rotate']);
    t.match(first.document, { isOldKeyKept: true, why: /DeviceRegistry binds .* and does not know/ });
    operators.set((first.document as { successor: string }).successor, owner);
    t.match((await run(identityCommand, ['rotate'])).document, { isOldKeyKept: true, why: /still holds coin/ });
    coin.clear();
    t.ok(existsSync(at('device.key.old')));
    t.match((await run(identityCommand, ['rotate'])).document, { isOldKeyKept: false, why: null });
    t.notOk(existsSync(at('device.key.old')));
  },
);

t.test(
  'rotate: at rest and acknowledged the new key is in place and bound; the old one stays while the chain is unknown',
  async (t) => {
    const { url, registry } = await collector(t);
    const { run, write, at } = router(t, url);
    write('attestation.json', jsonFromVendorAttestation(attestation));
    await run(enrolCommand);
    const owner = testKey('operator').address;
    await run(identityCommand, ['bind', owner]);
    const rotated = await run(identityCommand, ['rotate']);
    t.match(rotated.document, {
      device: DEVICE.address,
      nextSeq: 0n,
      isOldKeyKept: true,
      why: /the chain was not asked/,
    });
    t.match(rotated.text.split('\n'), [
      /goes on in the place of/,
      /It earns for 0x/,
      /The old key is kept in .*device.key.old/,
    ]);
    const { successor } = rotated.document as { successor: `0x${string}` };
    t.match((await run(identityCommand)).document, { device: successor, operator: { address: owner, nonce: 0n } });
    t.match(registry.standing(successor), { isRevoked: false });
    t.match((await run(identityCommand, ['rotate'])).document, { successor }, 'goes on with the same one');
    await run(identityCommand, ['rotate'], { 'forget-old': true });
    t.notOk(existsSync(at('device.key.old')));
    await t.rejects(run(identityCommand, ['rotate', 'now']), /takes nothing more/);
  },
);

t.test(
  'a rotation that was cut off is ended before the agent starts, however often the collector is away',
  async (t) => {
    const { url, registry } = await collector(t);
    const { run, write, at, config } = router(t, url);
    write('attestation.json', jsonFromVendorAttestation(attestation));
    await run(enrolCommand);
    const cut = (step: string) => {
      if (step === 'stated') throw new Error('cut');
    };
    await t.rejects(rotateKey(config(), false, cut), { message: 'cut' });
    const away = { ...config(), proofs: { ...config().proofs, collectorUrl: 'http://127.0.0.1:1' } };
    const stop = new AbortController();
    const told: string[] = [];
    const io = {
      signal: stop.signal,
      printError: (text: string) => void told.push(text),
      sleep: () => Promise.resolve(told.length > 2 ? stop.abort() : undefined),
    };
    await completeBeforeStart(away, io);
    t.match(told, [/a key rotation is under way/, /under way/, /under way/]);
    t.ok(existsSync(at('device.key.next')));
    await completeBeforeStart(config(), { ...io, signal: new AbortController().signal });
    t.notOk(existsSync(at('device.key.next')));
    const { device, operator } = (await run(identityCommand)).document as { device: `0x${string}`; operator?: object };
    t.match(registry.standing(device), { isRevoked: false });
    t.equal(operator, undefined, 'nobody was named before');
    t.match(JSON.parse(readFileSync(at('rotation.json'), 'utf8')), { successor: device });
  },
);

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
