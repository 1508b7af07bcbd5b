/** One connection that does not wait for its answers must not keep the others waiting, nor fill the memory. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { MAX_PARSED_AT_ONCE_BYTES, MAX_UNANSWERED_REQUESTS } from '../../captive-portal/limits.ts';
import { parseInSlices } from '../../captive-portal/pipeline-cap.ts';
import { cafe, GUEST, HOST, view } from './support/cafe.ts';

const GET_VIEW = `GET /api/view HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

async function opened(t: Test) {
  let asked = 0;
  const made = await cafe({ identify: () => Promise.resolve(GUEST), view: () => view() });
  made.app.addHook('onRequest', (request, _reply, done) => {
    if (request.url === '/api/view') asked += 1;
    done();
  });
  await made.app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => made.app.close());
  return { ...made, port: (made.app.server.address() as AddressInfo).port, asked: () => asked };
}

/** What is heard until it is as `wanted`, or the connection ends; nothing wanted: until it ends. */
async function say(port: number, text: string, wanted?: RegExp): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  // A reset tells the same as an end: nothing more will be heard.
  socket.on('error', () => {});
  socket.on('close', () => resolve());
  socket.on('data', (data) => {
    heard += data;
    if (wanted?.test(heard) === true) resolve();
  });
  socket.write(text);
  await promise;
  socket.destroy();
  return heard;
}

t.test('a thousand requests in one piece end the connection, and few of them are answered', async (t) => {
  const { port, asked } = await opened(t);
  const before = process.cpuUsage();
  for (const piece of [GET_VIEW.repeat(1_000), 'GET / HTTP/1.1\r\nHost:a\r\n\r\n'.repeat(2_000)]) {
    const heard = await say(port, piece);
    t.ok(heard.split('HTTP/1.1 200').length - 1 <= MAX_UNANSWERED_REQUESTS, 'ended, and few were answered');
  }
  t.ok(asked() <= MAX_UNANSWERED_REQUESTS, `${asked()} of them came to the app`);
  t.ok(process.cpuUsage(before).user < 500_000, `${process.cpuUsage(before).user / 1_000} ms of processor time`);
  const served = /^HTTP\/1\.1 200 OK/;
  t.match(await say(port, GET_VIEW, served), served, 'the next one is served');
});

t.test(
  'two requests in one piece are both answered, in their order, and so are many one after the other',
  async (t) => {
    const { port, asked } = await opened(t);
    const both = /^HTTP\/1\.1 200 OK.*HTTP\/1\.1 404 Not Found/s;
    t.match(await say(port, `${GET_VIEW}GET /api/none HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`, both), both);
    const socket = connect(port, '127.0.0.1');
    for (let i = 0; i < MAX_UNANSWERED_REQUESTS * 3; i++) {
      socket.write(GET_VIEW);
      await once(socket, 'data');
    }
    t.equal(asked(), 1 + MAX_UNANSWERED_REQUESTS * 3);
    socket.destroy();
  },
);

t.test('a body of many slices arrives whole', async (t) => {
  const { port } = await opened(t);
  const body = `{"v":1,"ch":"${'x'.repeat(14_000)}"}`;
  const head = `POST /api/voucher HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const whole = /^HTTP\/1\.1 400 .*"reason":"malformed".*"expected":"(?:ch|amt): .*HTTP\/1\.1 200 OK/s;
  t.match(await say(port, head + body + GET_VIEW, whole), whole);
});

t.test('a parser that wants no more gets the rest when it goes on', async (t) => {
  const stream = new PassThrough();
  const taken: number[] = [];
  stream.on('data', (slice: Buffer) => {
    taken.push(slice.length);
    stream.pause();
  });
  parseInSlices(stream as unknown as Socket);
  stream.write(Buffer.alloc(MAX_PARSED_AT_ONCE_BYTES + 5));
  await delay(5);
  t.same(taken, [MAX_PARSED_AT_ONCE_BYTES]);
  stream.resume();
  await delay(5);
  t.same(taken, [MAX_PARSED_AT_ONCE_BYTES, 5]);
  stream.resume();
  parseInSlices(new PassThrough() as unknown as Socket);
  t.pass('a stream that nobody parses is left alone');
});

t.test('who hangs up before the body has come is nothing to log', async (t) => {
  const { port, logged } = await opened(t);
  const head = `POST /api/voucher HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`;
  for (let i = 0; i < 3; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.write(head);
    await delay(20);
    socket.destroy();
  }
  await delay(20);
  t.same(logged, []);
});

t.test('what a request expects changes nothing, and a broken one gets the headers of every answer', async (t) => {
  const { port } = await opened(t);
  const served = /^HTTP\/1\.1 200 OK/;
  t.match(await say(port, GET_VIEW.replace('\r\n\r\n', '\r\nExpect: gold\r\n\r\n'), served), served);
  // It comes back because the connection is ended.
  const broken = await say(port, 'GET /\0 HTTP/1.1\r\n\r\n');
  t.match(broken, /^HTTP\/1\.1 400 .*\r\ncontent-security-policy: default-src 'self'.*\r\nx-frame-options: DENY/s);
});
