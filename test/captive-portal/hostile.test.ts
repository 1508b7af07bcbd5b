/** What an attacker on the guest WiFi can send, over real sockets on loopback. Each attack has a bar, each fails. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { GuestDesk } from '../../agent/ports.ts';
import {
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_OF_UNPAID,
  MAX_CONNECTIONS_PER_ADDRESS,
  MAX_CONNECTIONS_PER_GUEST,
  REQUEST_TIMEOUT_MS,
} from '../../captive-portal/limits.ts';
import { byGuest, type Cafe, cafe, GUEST, HOST, view } from './support/cafe.ts';

const AS_GUEST: Partial<GuestDesk> = { identify: () => Promise.resolve(GUEST), view: () => view() };
const GET_VIEW = `GET /api/view HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

async function listening(t: Test, script: Partial<GuestDesk> = AS_GUEST): Promise<Cafe & { readonly port: number }> {
  const made = await cafe(script);
  await made.app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => made.app.close());
  return { ...made, port: (made.app.server.address() as AddressInfo).port };
}

/** Everything the server says until it hangs up. */
async function say(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  let heard = '';
  socket.on('data', (data) => {
    heard += data;
  });
  await once(socket, 'close');
  return heard;
}

async function isAlive(port: number): Promise<boolean> {
  const heard = await say(port, GET_VIEW.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  return heard.startsWith('HTTP/1.1 200');
}

t.test('14 kB of nested arrays are refused with 400, closed or not', async (t) => {
  const { app } = await cafe(AS_GUEST);
  for (const nested of ['['.repeat(7_000) + ']'.repeat(7_000), '['.repeat(14_000), '{"a":'.repeat(2_800)]) {
    const request = byGuest('POST', '/api/voucher', {});
    const response = await app.inject({ ...request, payload: nested });
    t.equal(response.statusCode, 400);
    t.match(response.json(), { reason: 'malformed', got: 'more than 8 levels' });
  }
});

t.test('text that is not JSON is refused with 400 and quotes nothing of the parser', async (t) => {
  const { app } = await cafe(AS_GUEST);
  for (const payload of ['{"v":1,', 'null x', '"[[[[[[[[[[', '{"__proto__":{"v":1}}', '[1,2]', '"text"', 'true']) {
    const response = await app.inject({ ...byGuest('POST', '/api/voucher', {}), payload });
    t.equal(response.statusCode, 400, payload);
    t.equal(response.json().reason, 'malformed');
    t.notMatch(response.body, /Unexpected|position/);
  }
});

t.test('brackets inside of strings do not count as nesting', async (t) => {
  const { app } = await cafe(AS_GUEST);
  const payload = JSON.stringify({ v: 1, ch: '[[[[[[[[[[[[{{{{{{\\"[[[' });
  const response = await app.inject({ ...byGuest('POST', '/api/voucher', {}), payload });
  t.match(response.json(), { reason: 'malformed', expected: /^ch: |^amt: / });
});

t.test('bodies above 16 kB are refused, announced or not', async (t) => {
  const { port } = await listening(t);
  const announced = await say(
    port,
    `POST /api/open HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{`,
  );
  t.match(announced, /^HTTP\/1.1 413 .*"reason":"too-large"/s);
  const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
  const head = `POST /api/open HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  t.match(await say(port, head + chunk + chunk), /^HTTP\/1.1 413 /);
  t.ok(await isAlive(port));
});

t.test('a body of an unknown type is refused with 415', async (t) => {
  const { app } = await cafe(AS_GUEST);
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
    const headers = { host: HOST, 'content-type': type };
    const response = await app.inject({ ...byGuest('POST', '/api/leave'), headers, payload: 'x' });
    t.equal(response.statusCode, 415, type);
    t.equal(response.json().reason, 'unsupported-media-type');
  }
});

t.test('two Host headers are refused, whichever is ours', async (t) => {
  const { port } = await listening(t);
  for (const hosts of [
    [HOST, HOST],
    [HOST, 'evil.example'],
    ['evil.example', HOST],
  ]) {
    const heard = await say(
      port,
      `GET /api/view HTTP/1.1\r\n${hosts.map((host) => `Host: ${host}`).join('\r\n')}\r\nConnection: close\r\n\r\n`,
    );
    t.match(heard, /^HTTP\/1.1 400 .*"reason":"two-hosts"/s, hosts.join(' and '));
  }
});

t.test('requests in odd forms get an answer and do no harm', async (t) => {
  const { port } = await listening(t);
  const close = 'Connection: close\r\n\r\n';
  t.match(await say(port, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 302 /, 'no Host at all');
  t.match(await say(port, `GET http://example.org/ HTTP/1.1\r\nHost: example.org\r\n${close}`), /^HTTP\/1.1 302 /);
  t.match(await say(port, `PROPFIND /x HTTP/1.1\r\nHost: example.org\r\n${close}`), /^HTTP\/1.1 302 /);
  t.match(await say(port, `OPTIONS * HTTP/1.1\r\nHost: example.org\r\n${close}`), /^HTTP\/1.1 302 /);
  t.equal(await say(port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n'), '', 'no tunnels');
  t.match(
    await say(port, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
    /^HTTP\/1.1 400 .*"reason":"malformed"/s,
    'TLS',
  );
  t.match(await say(port, `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`), /^HTTP\/1.1 431 /);
  t.ok(await isAlive(port));
});

t.test('the server has limits against slow clients', async (t) => {
  const { app } = await cafe();
  t.equal(app.server.headersTimeout, HEADERS_TIMEOUT_MS);
  t.equal(app.server.requestTimeout, REQUEST_TIMEOUT_MS);
  t.equal(app.server.keepAliveTimeout, KEEP_ALIVE_MS);
});

t.test('headers that never end and bodies that never come are cut off', async (t) => {
  const { app, port } = await listening(t);
  // The real limits are seconds: these make the test quick, the mechanism is the same.
  app.server.headersTimeout = 100;
  app.server.requestTimeout = 200;
  const [headers, body] = await Promise.all([
    say(port, `GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-Slow: `),
    say(
      port,
      `POST /api/leave HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    ),
  ]);
  t.match(headers, /^HTTP\/1.1 408 .*"reason":"too-slow"/s);
  t.match(body, /^HTTP\/1.1 408 /);
});

/** Opens connections that say nothing, waits until `refused` of them were closed, and returns those still open. */
async function hold(port: number, localAddresses: readonly string[], refused: number): Promise<Socket[]> {
  const sockets = localAddresses.map((localAddress) => connect({ port, host: '127.0.0.1', localAddress }));
  let closed = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('close', () => {
        closed++;
        if (closed === refused) resolve();
      });
    }
    if (refused === 0) resolve();
  });
  await isAlive(port);
  return sockets.filter((socket) => !socket.destroyed);
}

async function release(sockets: readonly Socket[]): Promise<void> {
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}

t.test('one address holds 16 connections, and gets them back when they close', async (t) => {
  const { port } = await listening(t, { ...AS_GUEST, identify: (address) => Promise.resolve(address as typeof GUEST) });
  const held = await hold(port, Array<string>(60).fill('127.0.0.9'), 60 - MAX_CONNECTIONS_PER_ADDRESS);
  t.equal(held.length, MAX_CONNECTIONS_PER_ADDRESS);
  t.ok(await isAlive(port), 'another guest is served');
  await release(held);
  await isAlive(port);
  const again = await hold(port, Array<string>(5).fill('127.0.0.9'), 0);
  t.equal(again.length, 5);
  await release(again);
});

t.test('one guest with many addresses holds 24 connections', async (t) => {
  const identify = (address: string) => Promise.resolve((address === '127.0.0.1' ? 'other' : GUEST) as typeof GUEST);
  const { port } = await listening(t, { ...AS_GUEST, identify });
  const addresses = Array.from({ length: 48 }, (_, i) => `127.0.0.${10 + (i % 16)}`);
  const held = await hold(port, addresses, 48 - MAX_CONNECTIONS_PER_GUEST);
  t.equal(held.length, MAX_CONNECTIONS_PER_GUEST);
  t.ok(await isAlive(port), 'another guest is served');
  await release(held);
});

t.test('who paid nothing holds 600 connections in all, and a guest who paid is served beside them', async (t) => {
  const { port } = await listening(t, {
    identify: (address) => Promise.resolve(address as typeof GUEST),
    view: (mac) => view({ phase: String(mac) === '127.0.0.1' ? 'active' : 'trial' }),
  });
  const many = MAX_CONNECTIONS_OF_UNPAID + 30;
  const addresses = Array.from({ length: many }, (_, i) => `127.0.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`);
  const held = await hold(port, addresses, 30);
  t.equal(held.length, MAX_CONNECTIONS_OF_UNPAID);
  t.ok(await isAlive(port), 'the guest, from 127.0.0.1');
  await release(held);
});

t.test('fifty made-up guests with twelve connections each make way for one who is new', async (t) => {
  const { port } = await listening(t, {
    identify: (address) => Promise.resolve(address as typeof GUEST),
    view: () => view(),
  });
  const addresses = Array.from({ length: MAX_CONNECTIONS_OF_UNPAID }, (_, i) => `127.0.3.${1 + (i % 50)}`);
  const held = await hold(port, addresses, 1);
  t.equal(held.length, MAX_CONNECTIONS_OF_UNPAID - 1, 'one had to go for the one who looks whether it is served');
  for (let i = 0; i < 20; i++) t.ok(await isAlive(port), 'each time');
  await release(held.filter((socket) => !socket.destroyed));
});

t.test('all guests together hold 800 connections, also where the server is handed them', async (t) => {
  const identify = (address: string) => Promise.resolve(address as typeof GUEST);
  const { app } = await cafe({ identify, view: () => view({ phase: 'active' }) });
  await app.ready();
  // As agent/main.ts does: Node tracks connections from this event on.
  app.server.emit('listening');
  const listener = createServer((socket) => app.server.emit('connection', socket));
  listener.listen({ host: '127.0.0.1', port: 0 });
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const many = MAX_CONNECTIONS + 30;
  const addresses = Array.from({ length: many }, (_, i) => `127.0.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`);
  const held = await hold(port, addresses, 30);
  t.equal(held.length, MAX_CONNECTIONS);
  await release(held.slice(0, 10));
  t.ok(await isAlive(port), 'those that close make room');
  const hungUp = held.slice(10).map((socket) => once(socket, 'close'));
  await app.close();
  await Promise.all(hungUp);
  t.pass('closing the portal hangs up on everyone');
  listener.close();
});

t.test('a neighbour table that cannot be read stops nobody from being refused properly', async (t) => {
  const { port, logged } = await listening(t, { identify: () => Promise.reject(new Error('netlink is gone')) });
  const heard = await say(port, GET_VIEW.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  t.match(heard, /^HTTP\/1.1 500 .*"reason":"internal"/s);
  t.notMatch(heard, 'netlink');
  t.equal(logged.length, 1, 'logged once');
  t.match(logged[0], {
    event: 'portal-request-failed',
    details: { route: '/api/view', err: { message: 'netlink is gone' } },
  });
});

t.test('what breaks inside is told to the log, not to the guest', async (t) => {
  const { app, logged } = await cafe();
  const response = await app.inject(byGuest('GET', '/api/view'));
  t.equal(response.statusCode, 500);
  t.notMatch(response.body, /GuestDesk|scripted|stack|at /);
  t.match(logged, [{ event: 'portal-request-failed' }]);
});

t.test('every answer forbids caching, framing, sniffing and outside content', async (t) => {
  const { app } = await cafe(AS_GUEST);
  const requests = [
    byGuest('GET', '/'),
    byGuest('GET', '/api/view'),
    byGuest('GET', '/api/none'),
    byGuest('GET', '/x'),
  ];
  for (const request of [...requests, { url: '/', headers: { host: 'example.org' } }]) {
    const { headers } = await app.inject(request);
    t.match(headers, {
      'cache-control': 'no-store',
      'content-security-policy': /default-src 'self'.*frame-ancestors 'none'/,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
    });
  }
});
