/** The fast lane must say exactly what the app says, and leave everything that is not a plain question to the HTTP server. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FastLane } from '../../captive-portal/fast-lane.ts';
import { cafe, GUEST, HOST, view } from './support/cafe.ts';

const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n`;

async function opened(t: Test) {
  const made = await cafe({ identify: () => Promise.resolve(GUEST), view: () => view() });
  await made.app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => made.app.close());
  const { port } = made.app.server.address() as AddressInfo;
  let requests = 0;
  // Only what the lane leaves to the HTTP server.
  made.app.server.on('request', () => {
    requests += 1;
  });
  return { ...made, port, requests: () => requests };
}

/** One connection that asks and listens. */
function talk(port: number) {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let heard = '';
  socket.on('data', (data) => {
    heard += data.toString('latin1');
  });
  const ask = async (text: string): Promise<string> => {
    heard = '';
    socket.write(text);
    for (let i = 0; i < 100 && !/\r\n\r\n/.test(heard) && !socket.destroyed; i++) await delay(10);
    await delay(20);
    return heard;
  };
  return { socket, ask };
}

function headOf(answer: string): readonly string[] {
  const lines = answer.slice(0, answer.indexOf('\r\n\r\n')).toLowerCase().split('\r\n');
  return lines.filter((line) => !/^(?:date|keep-alive|connection):/.test(line)).sort();
}

t.test('the second plain GET is answered by the lane, byte for byte as by the app', async (t) => {
  const { port, requests } = await opened(t);
  for (const extra of ['', 'Accept-Encoding: gzip, deflate\r\n', 'Accept-Language: es\r\n']) {
    const before = requests();
    const { socket, ask } = talk(port);
    const byApp = await ask(`${GET}${extra}\r\n`);
    socket.destroy();
    const { socket: again, ask: askAgain } = talk(port);
    const byLane = await askAgain(`${GET}${extra}\r\n`);
    t.equal(requests(), before + 1, 'the HTTP server saw one of the two');
    t.same(headOf(byLane), headOf(byApp));
    t.equal(byLane.slice(byLane.indexOf('\r\n\r\n')), byApp.slice(byApp.indexOf('\r\n\r\n')));
    t.match(byLane, /\r\ndate: \w{3}, \d\d \w{3} \d{4} /);
    const view = await askAgain(`GET /api/view HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    t.match(view, /"phase":"none"/, 'the connection goes on at the app');
    again.destroy();
  }
});

t.test('whatever else a request says, the app answers it', async (t) => {
  const { port, requests } = await opened(t);
  const { socket, ask } = talk(port);
  await ask(`${GET}\r\n`);
  socket.destroy();
  const odd = {
    'two hosts': `${GET}Host: evil.example\r\n\r\n`,
    'another host': 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    'no host': 'GET / HTTP/1.1\r\nAccept: */*\r\n\r\n',
    'a body': `${GET}Content-Length: 2\r\n\r\n`,
    chunks: `${GET}Transfer-Encoding: chunked\r\n\r\n`,
    'an end': `${GET}Connection: close\r\n\r\n`,
    'a cookie': `${GET}Cookie: a=b\r\n\r\n`,
    'HTTP/1.0': `GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`,
    HEAD: `HEAD / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    'a query': `GET /?online HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    'two in one piece': `${GET}\r\n${GET}\r\n`,
    'a folded header': `${GET}X: a\r\n b\r\n\r\n`,
    'half of it': GET,
    'a bare line feed': `GET / HTTP/1.1\nHost: ${HOST}\n\n`,
    garbage: '\0\0\0\0',
  };
  for (const [what, text] of Object.entries(odd)) {
    const before = requests();
    const { socket: other, ask: tell } = talk(port);
    const answer = await tell(text);
    t.ok(requests() > before || !answer.startsWith('HTTP/1.1 200'), `${what} is not answered by the lane`);
    other.destroy();
  }
});

t.test('a request that is almost plain costs no more than one that is', async (t) => {
  const { port } = await opened(t);
  const many = `${GET}${'A: b\r\n'.repeat(24)}`;
  for (const [what, text] of Object.entries({ unfinished: many, 'one odd byte': `${many}X: \x80\r\n\r\n` })) {
    const { socket, ask } = talk(port);
    const before = process.cpuUsage();
    await ask(text);
    const { user } = process.cpuUsage(before);
    t.ok(user < 1_000_000, `${what}: ${user / 1_000} ms of processor time`);
    socket.destroy();
  }
});

t.test('a silent connection is ended, and so are all when the portal closes', async (t) => {
  const { app } = await cafe();
  const lane = new FastLane(app, HOST);
  let timeoutMs = 0;
  const silent = connect(1, '127.0.0.1');
  silent.on('error', () => {});
  silent.setTimeout = (ms: number) => {
    timeoutMs = ms;
    return silent;
  };
  lane.take(silent, () => t.fail('nothing was said'));
  t.equal(timeoutMs, 4_000);
  const closed = once(silent, 'close');
  lane.close();
  await closed;
});
