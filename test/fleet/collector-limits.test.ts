/** What one sender can take from the others: tokens, memory, time of the event loop. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { parseCollectorConfig } from '../../fleet/collector-config.ts';
import type { ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { bodyOf, FakeRouter } from './fake-router.ts';
import { COLLECTOR, type OpenCollector, openForTest } from './open-collector.ts';
import { asReader } from './reader.ts';

const RARE = { perS: 0.01, burst: 2 };

function postFrom(
  { app }: OpenCollector,
  remoteAddress: string,
  upload: ProofUpload | Buffer,
  headers: Readonly<Record<string, string>> = {},
) {
  const payload = Buffer.isBuffer(upload) ? upload : Buffer.from(bodyOf(upload));
  const type = { 'content-type': 'application/cbor' };
  return app.inject({ method: 'POST', url: '/v1/proofs', headers: { ...type, ...headers }, payload, remoteAddress });
}

t.test('a large upload passes a limit that is smaller than it, once the bucket is full', async (t) => {
  const collector = await openForTest(t, { limits: { stranger: { perS: 1, burst: 1 } }, monotonicMs: () => 0 });
  const usages = Array.from({ length: 40 }, (_, guest) => ({ guest, up: 1n, down: 1n, paid: 1n }));
  t.equal((await postFrom(collector, '192.0.2.1', new FakeRouter().next(usages))).statusCode, 200);
});

t.test('strangers share what is theirs by subscriber, and all of them together; routers are served', async (t) => {
  const limits = { stranger: RARE, allStrangers: { perS: 0.01, burst: 3 } };
  const collector = await openForTest(t, { limits, monotonicMs: () => 0 });
  const statusOf = async (ip: string, name: string) =>
    (await postFrom(collector, ip, new FakeRouter(name).next([]))).statusCode;
  t.equal(await statusOf('2001:db8::1', 'a'), 200);
  t.equal(await statusOf('2001:db8::2', 'b'), 200);
  t.equal(await statusOf('2001:db8::3', 'c'), 429, 'another address of the same /64');
  t.equal(await statusOf('192.0.2.1', 'd'), 200);
  t.equal(await statusOf('192.0.2.2', 'e'), 429, 'all together');
  t.equal(await statusOf('192.0.2.2', 'router'), 200);
});

t.test('whoever lists without end is told to wait; uploads are taken from there', async (t) => {
  const collector = await openForTest(t, { listingLimits: { source: RARE }, monotonicMs: () => 0 });
  const router = new FakeRouter();
  const headers = asReader(router.key, router.key.address, COLLECTOR.address);
  const url = `/v1/chain?device=${router.key.address}`;
  const list = async () => (await collector.app.inject({ url, headers })).statusCode;
  t.strictSame([await list(), await list(), await list()], [200, 200, 429]);
  t.equal((await postFrom(collector, '127.0.0.1', router.next([]))).statusCode, 200);
});

t.test('X-Forwarded-For counts from a trusted proxy, and from nobody else', async (t) => {
  const stranger = Buffer.from('garbage');
  const collector = await openForTest(t, {
    limits: { stranger: RARE },
    trustedProxies: ['10.0.0.0/8'],
    monotonicMs: () => 0,
  });
  const send = async (proxy: string, client: string) =>
    (await postFrom(collector, proxy, stranger, { 'x-forwarded-for': client })).statusCode;
  for (let i = 0; i < 2; i++) t.equal(await send('10.0.0.1', '192.0.2.7'), 400);
  t.equal(await send('10.0.0.1', '192.0.2.7'), 429);
  t.equal(await send('10.0.0.1', '192.0.2.8'), 400, 'another client of the proxy');
  for (let i = 0; i < 2; i++) t.equal(await send('203.0.113.1', `192.0.2.${20 + i}`), 400);
  t.equal(await send('203.0.113.1', '192.0.2.30'), 429, 'who is no proxy speaks for himself');
  const config = { port: 0, directory: 'd', keyFile: 'k', chainId: '1', devices: [] };
  const contracts = { channels: `0x${'11'.repeat(20)}`, registry: `0x${'22'.repeat(20)}` };
  const parsed = (trustedProxies: readonly string[]) =>
    parseCollectorConfig(JSON.stringify({ ...config, ...contracts, trustedProxies })).ok;
  t.ok(parsed(['10.0.0.1', '10.0.0.0/8', 'fd00::/8']));
  for (const wrong of ['proxy.example', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/']) t.notOk(parsed([wrong]), wrong);
});

t.test('large bodies that never end take their room, not that of uploads as routers send them', async (t) => {
  const collector = await openForTest(t, { bodyRoom: { smallBytes: 2000, source: 2, all: 3 } });
  await collector.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = collector.app.server.address() as AddressInfo;
  const headers = 'POST /v1/proofs HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor\r\n';
  const sockets: Socket[] = [];
  t.teardown(() => sockets.forEach((socket) => void socket.destroy()));
  for (const length of ['content-length: 9999', 'transfer-encoding: chunked']) {
    const arrived = once(collector.app.server, 'request');
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined).write(`${headers}${length}\r\n\r\n`);
    sockets.push(socket);
    await arrived;
  }
  const large = Buffer.alloc(3000);
  const status = async (ip: string) => (await postFrom(collector, ip, large)).statusCode;
  t.equal(await status('127.0.0.1'), 503, 'two of this source are under way');
  t.equal((await postFrom(collector, '127.0.0.1', new FakeRouter().next([]))).statusCode, 200);
  t.equal(await status('192.0.2.1'), 400, 'of another source');
  t.equal(await status('192.0.2.1'), 400, 'room is given back after an answer');
  sockets[0]?.destroy();
  while ((await status('127.0.0.1')) !== 400) await sleep(10);
  t.pass('and when the connection ends');
});
