/** The fast lane must say exactly what the app says, and leave everything that is not the same plain question to the HTTP server. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { FastLane } from '../../captive-portal/fast-lane.ts';
import { MAX_REMEMBERED_REQUESTS } from '../../captive-portal/limits.ts';
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
    for (let i = 0; i < 40 && !/\r\n\r\n/.test(heard) && !socket.destroyed; i++) await delay(10);
    await delay(20);
    return heard;
  };
  return { socket, ask };
}

function headOf(answer: string): readonly string[] {
  const lines = answer.slice(0, answer.indexOf('\r\n\r\n')).toLowerCase().split('\r\n');
  return lines.filter((line) => !line.startsWith('date:')).sort();
}

t.test('the second of two equal questions is answered by the lane, byte for byte as by the app', async (t) => {
  const { port, requests } = await opened(t);
  const asked = [
    `${GET}\r\n`,
    `${GET}Accept-Encoding: gzip, deflate\r\n\r\n`,
    `${GET}Accept-Language: es\r\n\r\n`,
    // As phones say it.
    `${GET}Connection: keep-alive\r\nUser-Agent: Mozilla/5.0 (Linux; Android 15)\r\nAccept-Language: ar;q=0.9\r\n\r\n`,
    `GET /?lang=zh HTTP/1.1\r\nHost: ${HOST}:80\r\n\r\n`,
    `GET /page.js HTTP/1.1\r\nHost: ${HOST}\r\nAccept-Encoding: gzip\r\n\r\n`,
  ];
  for (const text of asked) {
    const before = requests();
    const { socket, ask } = talk(port);
    const byApp = await ask(text);
    socket.destroy();
    const { socket: again, ask: askAgain } = talk(port);
    const byLane = await askAgain(text);
    t.equal(requests(), before + 1, 'the HTTP server saw one of the two');
    t.match(byApp, /^HTTP\/1\.1 200 OK\r\n/);
    t.same(headOf(byLane), headOf(byApp));
    t.equal(byLane.slice(byLane.indexOf('\r\n\r\n')), byApp.slice(byApp.indexOf('\r\n\r\n')));
    t.match(byLane, /\r\ndate: \w{3}, \d\d \w{3} \d{4} /);
    const view = await askAgain(`GET /api/view HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    t.match(view, /"phase":"none"/, 'the connection goes on at the app');
    again.destroy();
  }
});

t.test('whatever else a request says, the app answers it, however often it is said', async (t) => {
  const { port, requests } = await opened(t);
  const { socket, ask } = talk(port);
  await ask(`${GET}\r\n`);
  socket.destroy();
  const odd = {
    'two hosts': `${GET}Host: evil.example\r\n\r\n`,
    'another host': 'GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    'no host': 'GET / HTTP/1.1\r\nAccept: */*\r\n\r\n',
    'another host in the target': `GET http://evil.example/ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    'a body': `${GET}Content-Length: 2\r\n\r\n`,
    'a body of nothing': `${GET}Content-Length: 0\r\n\r\n`,
    chunks: `${GET}Transfer-Encoding: chunked\r\n\r\n`,
    'an end': `${GET}Connection: close\r\n\r\n`,
    'another protocol': `${GET}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
    'a wish to be asked first': `${GET}Expect: 100-continue\r\n\r\n`,
    'a cookie': `${GET}Cookie: a=b\r\n\r\n`,
    'HTTP/1.0': `GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`,
    HEAD: `HEAD / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    'no file': `GET /api/view HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    'two in one piece': `${GET}\r\n${GET}\r\n`,
    'one and a half': `${GET}\r\n${GET}`,
    'an empty line first': `\r\n${GET}\r\n`,
    'no space after a colon': `${GET}X:a\r\n\r\n`,
    'a folded header': `${GET}X: a\r\n b\r\n\r\n`,
    'a NUL': `${GET}X: a\0b\r\n\r\n`,
    'half of it': GET,
    'a bare line feed': `GET / HTTP/1.1\nHost: ${HOST}\n\n`,
    'a bare line feed at the end': `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\n`,
    'a kilobyte': `${GET}X: ${'x'.repeat(1_000)}\r\n\r\n`,
    garbage: '\0\0\0\0',
  };
  for (const [what, text] of Object.entries(odd)) {
    const answers: string[] = [];
    const before = requests();
    for (let i = 0; i < 3; i++) {
      const { socket: other, ask: tell } = talk(port);
      answers.push((await tell(text)).replace(/^date: .*$/im, ''));
      other.destroy();
    }
    t.equal(new Set(answers).size, 1, `${what}: the same answer each time`);
    const isUnderstood = answers[0]?.startsWith('HTTP/1.1 200') === true;
    t.equal(isUnderstood && requests() < before + 3, false, `${what} is not answered by the lane`);
  }
});

t.test('one who asks and does not read gets no more than the HTTP server would send', async (t) => {
  const { port, requests } = await opened(t);
  const { socket, ask } = talk(port);
  await ask(`${GET}\r\n`);
  socket.destroy();
  const deaf = connect(port, '127.0.0.1');
  deaf.on('error', () => {});
  await once(deaf, 'connect');
  deaf.pause();
  for (let i = 0; i < 2_000 && requests() === 1; i++) {
    deaf.write(`${GET}\r\n`);
    await delay(1);
  }
  t.ok(requests() > 1, 'the lane has let go of it');
  deaf.destroy();
});

t.test('more kinds of requests than are remembered do no harm', async (t) => {
  const { port } = await opened(t);
  for (let i = 0; i < MAX_REMEMBERED_REQUESTS + 10; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.write(`${GET}X: ${i}\r\n\r\n`);
    const [heard] = (await once(socket, 'data')) as [Buffer];
    if (!heard.toString('latin1').startsWith('HTTP/1.1 200')) t.fail(`request ${i}`);
    socket.destroy();
  }
  const { socket, ask } = talk(port);
  t.match(await ask(`${GET}X: 0\r\n\r\n`), /^HTTP\/1\.1 200 OK/);
  socket.destroy();
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
  const lane = new FastLane();
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
