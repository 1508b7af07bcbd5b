import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import t from 'tap';
import { systemProbe } from '../../../../agent/cli/doctor/system-probe.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { listenSample } from '../recording-io.ts';
import { guestDevice } from '../sample-owner.ts';

t.test('files are told by kind, mode and owner', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'key');
  writeFileSync(path, 'x');
  chmodSync(path, 0o640);
  t.match(await systemProbe.file(path), { kind: 'file', mode: 0o640, uid: systemProbe.uid() });
  t.match(await systemProbe.file(directory), { kind: 'directory' });
  t.match(await systemProbe.file(await listenSample(t)), { kind: 'socket', mode: 0o600 });
  t.match(await systemProbe.file('/dev/null'), { kind: 'other' });
  t.equal(await systemProbe.file(join(directory, 'none')), undefined);
});

t.test('texts are read whole or not at all', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'small'), 'text\n');
  writeFileSync(join(directory, 'large'), 'x'.repeat(1_000_001));
  t.equal(await systemProbe.text(join(directory, 'small')), 'text\n');
  t.equal(await systemProbe.text(join(directory, 'large')), undefined);
  t.equal(await systemProbe.text(join(directory, 'none')), undefined);
  t.equal(await systemProbe.text(directory), undefined);
  t.match(await systemProbe.text('/proc/net/tcp'), /local_address/);
});

t.test('directories are listed in order, a missing one is empty', async (t) => {
  const directory = temporaryDirectory(t);
  for (const name of ['b', 'a']) mkdirSync(join(directory, name));
  t.same(await systemProbe.names(directory), ['a', 'b']);
  t.same(await systemProbe.names(join(directory, 'none')), []);
});

t.test('sockets answer or not', async (t) => {
  const directory = temporaryDirectory(t);
  t.equal(await systemProbe.isAnswered(await listenSample(t)), true);
  t.equal(await systemProbe.isAnswered(join(directory, 'none')), false);
});

t.test('the disk is that of the nearest directory that exists', async (t) => {
  const directory = temporaryDirectory(t);
  t.match(await systemProbe.disk(join(directory, 'not/yet/there')), {
    ok: true,
    value: { path: directory, freeBytes: BigInt },
  });
  t.match(await systemProbe.disk('/dev/shm'), { ok: true, value: { isMemory: true } });
});

t.test('the clock is the wall clock', (t) => {
  t.ok(Math.abs(systemProbe.wallS() - Date.now() / 1000) < 5);
  t.end();
});

t.test('the running agent tells its status, a missing one nothing', async (t) => {
  t.match(await systemProbe.status(await listenSample(t)), { version: '0.1.0', earnedUnits: 123_456n });
  t.equal(await systemProbe.status('/nonexistent/c.sock'), undefined);
});

t.test('nft and flowtables are facts or a message, with nft or without', async (t) => {
  for (const facts of [
    await systemProbe.nft(),
    await systemProbe.offload([guestDevice]),
    await systemProbe.fw4Input(),
  ]) {
    t.ok(facts.ok ? Array.isArray(facts.value ?? []) : facts.message.length > 0);
  }
});

t.test('the certificate that a port shows is known by its digest, http and an empty port show none', async (t) => {
  const directory = temporaryDirectory(t);
  const [key, cert] = [join(directory, 'key'), join(directory, 'cert')];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...made, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const listen = async (server: Server): Promise<number> => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    return (server.address() as AddressInfo).port;
  };
  const tls = await listen(createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }));
  t.equal(await systemProbe.shownCertificate(tls), new X509Certificate(readFileSync(cert)).fingerprint256);
  t.equal(await systemProbe.shownCertificate(await listen(createServer())), undefined);
  t.equal(await systemProbe.shownCertificate(1), undefined);
});

t.test('an RPC answer is its result, everything else a message', async (t) => {
  const answers: Readonly<Record<string, string>> = {
    good: '{"jsonrpc":"2.0","id":1,"result":"0x7a69"}',
    refused: '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}',
    garbage: '<html>',
    other: '[]',
    endless: `"${'x'.repeat(1_000_001)}"`,
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => response.setHeader('connection', 'close').end(answers[JSON.parse(body).method]));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const call = async (method: string) => await systemProbe.rpc(url, method, []);
  t.same(await call('good'), { ok: true, value: '0x7a69' });
  t.same(await call('refused'), { ok: false, message: 'no such method' });
  t.match(await call('garbage'), { ok: false, message: /JSON/ });
  t.same(await call('other'), { ok: false, message: 'answered 200 without JSON-RPC' });
  t.match(await call('endless'), { ok: false, message: /at most 1000000 bytes/ });
  server.close();
  await once(server, 'close');
  t.match(await call('good'), {
    ok: false,
    message: /fetch failed: .*ECONNREFUSED/,
  });
});

t.test('the implementations of secp256k1 are examined in a thread', async (t) => {
  const examined = await systemProbe.backends();
  t.match(examined, { ok: true });
  const names = examined.ok ? examined.value.filter(({ ok }) => ok).map(({ name }) => name) : [];
  t.ok(names.includes('noble') && names.includes('wasm'), names.join());
});
