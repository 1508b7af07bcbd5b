/** One port, http and https, over real sockets; certificates are made by openssl for each run. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { MAX_CONNECTIONS_PER_ADDRESS, MAX_WAITING_AT_DOOR } from '../../captive-portal/limits.ts';
import { type CertificateFiles, TlsDoor } from '../../captive-portal/tls-door.ts';
import { cafe, GUEST, HOST, view } from './support/cafe.ts';
import '../support/own-testdir.ts';

function certificate(folder: string, name: string): CertificateFiles {
  const files = { certPath: join(folder, `${name}.crt`), keyPath: join(folder, `${name}.key`) };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.keyPath];
  const subject = [
    '-subj',
    `/CN=${name}`,
    '-addext',
    `subjectAltName=DNS:${HOST}`,
    '-days',
    '2',
    '-out',
    files.certPath,
  ];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'ignore' });
  return files;
}

/** A portal behind a door on loopback. */
async function opened(t: Test, files: () => CertificateFiles | undefined) {
  const logged: string[] = [];
  const keep = (_details: object, event: string) => void logged.push(event);
  const door = new TlsDoor(files, { info: keep, warn: keep, error: keep });
  const identify = () => Promise.resolve(GUEST);
  const { app } = await cafe({ identify, view: () => view() }, undefined, () => door.isOpen);
  await app.ready();
  app.server.emit('listening');
  const listener = createServer((socket) => door.accept(socket, (ready) => app.server.emit('connection', ready)));
  listener.listen({ host: '127.0.0.1', port: 0 });
  await once(listener, 'listening');
  t.teardown(async () => {
    listener.close();
    door.close();
    await app.close();
  });
  return { port: (listener.address() as AddressInfo).port, door, logged };
}

const ASK = {
  path: '/captive-portal/api',
  headers: { host: HOST, accept: 'application/captive+json' },
  agent: false,
} as const;
const LAX = { rejectUnauthorized: false, servername: HOST } as const;

async function ask(port: number, scheme: 'http' | 'https'): Promise<Record<string, unknown>> {
  const to = { ...ASK, host: '127.0.0.1', port };
  const request = scheme === 'http' ? httpGet(to) : httpsGet({ ...to, ...LAX });
  const [response] = await once(request, 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return JSON.parse(body);
}

async function nameShown(port: number): Promise<string> {
  const secure = connectTls({ host: '127.0.0.1', port, ...LAX });
  await once(secure, 'secureConnect');
  const name = secure.getPeerCertificate().subject.CN;
  secure.destroy();
  return String(name);
}

t.test(
  'one port speaks http and https; the API then names an https page and asks Android for the real browser',
  async (t) => {
    const files = certificate(t.testdir(), 'first');
    const { port } = await opened(t, () => files);
    for (const scheme of ['https', 'http'] as const) {
      t.match(await ask(port, scheme), {
        captive: true,
        'user-portal-url': 'https://portal.lan:2080/',
        'x-android-use-custom-tabs': 361_335_020,
      });
    }
  },
);

t.test('a request larger than the first piece arrives whole, over both', async (t) => {
  const files = certificate(t.testdir(), 'first');
  const { port } = await opened(t, () => files);
  for (const socket of [connect(port, '127.0.0.1'), connectTls({ host: '127.0.0.1', port, ...LAX })]) {
    socket.write(`GET /api/view HTTP/1.1\r\nHost: ${HOST}\r\nX-Filler: ${'x'.repeat(3_000)}`);
    await new Promise((done) => setTimeout(done, 50));
    socket.write('\r\nConnection: close\r\n\r\n');
    let heard = '';
    socket.on('data', (data) => (heard += data));
    await once(socket, 'close');
    t.match(heard, /^HTTP\/1.1 200 .*"phase":"none"/s);
  }
});

t.test('older than TLS 1.2 is refused', async (t) => {
  const files = certificate(t.testdir(), 'first');
  const { port } = await opened(t, () => files);
  const versionOf = async (maxVersion: 'TLSv1.1' | 'TLSv1.2'): Promise<string> => {
    const lax = { ciphers: 'ALL:@SECLEVEL=0', minVersion: 'TLSv1' } as const;
    const secure: TLSSocket = connectTls({ host: '127.0.0.1', port, ...LAX, ...lax, maxVersion });
    try {
      await once(secure, 'secureConnect');
      return String(secure.getProtocol());
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'refused';
    } finally {
      secure.destroy();
    }
  };
  t.match(await versionOf('TLSv1.1'), /ERR_SSL|ECONNRESET/);
  t.equal(await versionOf('TLSv1.2'), 'TLSv1.2');
});

t.test('a renewed certificate is taken up at the next look, a broken one is not', async (t) => {
  const folder = t.testdir();
  const [files, next] = [certificate(folder, 'first'), certificate(folder, 'second')];
  const { port, door, logged } = await opened(t, () => files);
  t.equal(await nameShown(port), 'first');
  copyFileSync(next.certPath, files.certPath);
  door.look();
  t.equal(await nameShown(port), 'first', 'a certificate without its key changes nothing');
  copyFileSync(next.keyPath, files.keyPath);
  door.look();
  t.equal(await nameShown(port), 'second');
  writeFileSync(files.certPath, 'garbage');
  utimesSync(files.certPath, 1, 1);
  door.look();
  door.look();
  t.equal(await nameShown(port), 'second');
  t.same(logged, [
    'portal-certificate-read',
    'portal-certificate-not-read',
    'portal-certificate-read',
    'portal-certificate-not-read',
  ]);
});

t.test('without a certificate everything is http, and so it is again when the owner takes it away', async (t) => {
  let files: CertificateFiles | undefined;
  const { port, door } = await opened(t, () => files);
  t.match(await ask(port, 'http'), { 'user-portal-url': 'http://portal.lan/' });
  t.notOk(door.isOpen);
  files = certificate(t.testdir(), 'first');
  door.look();
  t.ok(door.isOpen);
  files = undefined;
  door.look();
  const state = await ask(port, 'http');
  t.equal(state['user-portal-url'], 'http://portal.lan/');
  t.notOk('x-android-use-custom-tabs' in state);
});

t.test('a certificate that is missing from the start loses the API its TLS and nothing else', async (t) => {
  const files = certificate(t.testdir(), 'first');
  rmSync(files.keyPath);
  const { port, logged } = await opened(t, () => files);
  t.match(await ask(port, 'http'), { 'user-portal-url': 'http://portal.lan/' });
  t.same(logged, ['portal-certificate-not-read']);
});

t.test('whoever waits at the door without a word takes no place of others and is counted', async (t) => {
  const files = certificate(t.testdir(), 'first');
  const { port } = await opened(t, () => files);
  const silent = Array.from({ length: MAX_CONNECTIONS_PER_ADDRESS + 4 }, () =>
    connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' }),
  );
  await new Promise<void>((resolve) => {
    let closed = 0;
    for (const socket of silent) socket.on('error', () => {}).on('close', () => void (++closed === 4 && resolve()));
  });
  t.equal(silent.filter((socket) => !socket.destroyed).length, MAX_CONNECTIONS_PER_ADDRESS);
  t.match(await ask(port, 'https'), { captive: true }, 'another guest is served');
  for (const socket of silent) socket.destroy();
});

t.test('a flood of handshakes that are begun and left: bounded, and another guest gets through it', async (t) => {
  const files = certificate(t.testdir(), 'first');
  const { port, door } = await opened(t, () => files);
  const hello = await firstMessage();
  const flood: Socket[] = [];
  let mostWaiting = 0;
  /** From 20 addresses in turn, half of them with a ClientHello, half with its first byte. */
  const begin = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.1.${1 + (flood.length % 20)}` }, () => {
        mostWaiting = Math.max(mostWaiting, door.waiting);
        socket.write(i % 2 === 0 ? hello : hello.subarray(0, 1));
      });
      flood.push(socket.resume().on('error', () => {}));
    }
  };
  begin(MAX_WAITING_AT_DOOR + 100);
  for (let turn = 1; mostWaiting < MAX_WAITING_AT_DOOR; turn++) {
    await new Promise((done) => setTimeout(done, 10));
    mostWaiting = Math.max(mostWaiting, door.waiting);
    // Where the machine is so busy that the first ones are sent away before the last ones come.
    if (turn % 100 === 0) begin(MAX_WAITING_AT_DOOR);
  }
  for (const scheme of ['https', 'http', 'https', 'http'] as const) {
    begin(MAX_WAITING_AT_DOOR / 2);
    t.match(await ask(port, scheme), { captive: true }, `another guest is served by ${scheme}`);
  }
  t.equal(mostWaiting, MAX_WAITING_AT_DOOR, 'at the door at most');
  for (const socket of flood) socket.destroy();
});

/** What a client says first. */
async function firstMessage(): Promise<Buffer> {
  const listener = createServer();
  listener.listen({ host: '127.0.0.1', port: 0 });
  await once(listener, 'listening');
  const client = connectTls({ host: '127.0.0.1', port: (listener.address() as AddressInfo).port, ...LAX });
  client.on('error', () => {});
  const [socket] = (await once(listener, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  listener.close();
  return hello;
}

t.test('garbage after the first byte of TLS ends the connection and harms nobody', async (t) => {
  const files = certificate(t.testdir(), 'first');
  const { port } = await opened(t, () => files);
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(Buffer.concat([Buffer.of(22), Buffer.alloc(600, 7)]));
  socket.resume();
  await once(socket, 'close');
  t.match(await ask(port, 'https'), { captive: true });
});
