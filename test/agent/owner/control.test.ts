import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { buildControl, listenControl, metricsText } from '../../../agent/owner/control.ts';
import { jsonText } from '../../../agent/owner/json-text.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { sampleEarnings } from '../cli/sample-earnings.ts';
import { sampleOwner, sampleStatus } from '../cli/sample-owner.ts';

const app = (ended: number[] = []) => buildControl({ owner: sampleOwner(ended) });

t.test('status, sessions, channels and proofs are JSON with amounts and bytes as decimal strings', async (t) => {
  const control = app();
  const get = async (url: string) => (await control.inject(url)).json();
  t.match(await get('/status'), { version: '0.1.0', earnedUnits: '123456', downBytes: '1234567890', sessions: 3 });
  t.match(await get('/sessions'), { sessions: [{ id: 1, bytesRemaining: '7500000' }, { id: 2 }, { id: 3 }] });
  t.match(await get('/channels'), { channels: [{ deposit: '100000', config: { expiry: '1800000000' } }] });
  t.match(await get('/proofs'), {
    proofs: [{ proof: { seq: '8' } }, { proof: { seq: '7' }, receipt: { verdict: 'valid' } }],
  });
  t.equal((await get('/proofs?limit=1')).proofs.length, 1);
});

t.test('a limit that is no whole number in range is refused with the bound', async (t) => {
  for (const limit of ['0', '-1', '1009', 'x', '1e3', '']) {
    const response = await app().inject(`/proofs?limit=${limit}`);
    t.equal(response.statusCode, 400, limit);
    t.same(response.json(), { error: { code: 'bad-limit', message: 'limit must be a whole number from 1 to 1008.' } });
  }
  t.equal((await app().inject('/proofs?limit=1&limit=2')).statusCode, 400);
});

t.test('earnings are told with the reasons in words, for the days asked for', async (t) => {
  const control = buildControl({ owner: sampleOwner(), earnings: sampleEarnings });
  const answer = (await control.inject('/earnings?days=2')).json();
  t.equal(answer.days.length, 2);
  t.match(answer.days[0], { date: '2026-11-18', acceptedBytes: '41000000', rewardedUnits: /[0-9]+/ });
  t.match(answer.days[1].losses, [
    { before: 'accepted', reason: 'late', bytes: '12000000', todo: /Keep the uplink/ },
    {},
  ]);
  t.equal((await control.inject('/earnings')).json().days.length, 7);
  for (const days of ['0', '32', 'x']) {
    const refused = await control.inject(`/earnings?days=${days}`);
    t.match(refused.json(), { error: { code: 'bad-days', message: 'days must be a whole number from 1 to 31.' } });
  }
  t.equal((await app().inject('/earnings')).statusCode, 501);
});

t.test('a session is ended by its id, and an unknown one is said to be unknown', async (t) => {
  const ended: number[] = [];
  const post = (url: string) => app(ended).inject({ method: 'POST', url });
  t.same((await post('/sessions/2/end')).json(), { ended: 2 });
  t.same(ended, [2]);
  const unknown = await post('/sessions/9/end');
  t.equal(unknown.statusCode, 404);
  t.same(unknown.json(), { error: { code: 'no-such-session', message: 'There is no session 9.' } });
  t.equal((await post('/sessions/x/end')).statusCode, 404);
  t.equal((await post('/sessions/0/end')).statusCode, 404);
  t.same(ended, [2]);
});

t.test('unknown routes, bodies that are too large and failing desks are answered as JSON errors', async (t) => {
  t.same((await app().inject('/foo')).json(), { error: { code: 'not-found', message: 'There is no GET /foo.' } });
  const large = await app().inject({ method: 'POST', url: '/sessions/1/end', payload: { x: 'y'.repeat(2000) } });
  t.equal(large.statusCode, 413);
  t.equal(large.json().error.code, 'bad-request');
  const logged: unknown[] = [];
  const failing = buildControl({
    logger: { error: (...args: unknown[]) => logged.push(args) },
    owner: {
      ...sampleOwner(),
      status: () => {
        throw new Error('ledger closed');
      },
    },
  });
  const response = await failing.inject('/status');
  t.equal(response.statusCode, 500);
  t.same(response.json(), { error: { code: 'internal', message: 'ledger closed' } });
  t.match(logged, [[{ err: { message: 'ledger closed' } }, 'control-request-failed']]);
});

t.test('metrics are Prometheus text', async (t) => {
  const response = await app().inject('/metrics');
  t.match(response.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.match(response.body, 'shareagent_sessions 3\n');
  t.match(response.body, 'shareagent_earned_ssp 12.3456\n');
  t.match(response.body, 'shareagent_session_bytes{direction="down"} 1234567890\n');
  t.match(response.body, 'shareagent_selling 1\n');
  for (const line of response.body.trimEnd().split('\n')) {
    t.match(line, /^# (HELP|TYPE) shareagent_\w+ .+$|^shareagent_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.]+$/);
  }
});

t.test('metrics say when nothing is sold, and escape what they quote', (t) => {
  const text = metricsText({
    ...sampleStatus,
    version: 'a"b\\c\nd',
    notSelling: 'no chain',
    isBusConnected: false,
    isClockSynced: false,
  });
  t.match(text, 'version="a\\"b\\\\c\\nd"');
  t.match(text, /selling 0\n(.*\n)*.*bus_connected 0\n(.*\n)*.*clock_synced 0\n/);
  t.end();
});

t.test('bigint becomes a decimal string wherever it stands', (t) => {
  t.equal(jsonText({ a: 1n, b: [2n], c: { d: 3 } }), '{"a":"1","b":["2"],"c":{"d":3}}');
  t.end();
});

t.test('the socket is made for its owner only, answers, and is gone after close', async (t) => {
  const path = join(temporaryDirectory(t), 'run/control.sock');
  const listening = await listenControl(app(), path);
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
  t.match(await getOver(path, '/status'), /"version":"0\.1\.0"/);
  await listening.close();
  t.notOk(existsSync(path));
  t.notOk(existsSync(`${path}.new`));
});

t.test('a socket that a killed agent left is replaced, a living agent is not', async (t) => {
  const path = join(temporaryDirectory(t), 'control.sock');
  const first = await listenControl(app(), path);
  await t.rejects(listenControl(app(), path), {
    code: 'CONTROL_SOCKET_BUSY',
    message: /Another agent already answers/,
  });
  await first.close();
  writeFileSync(path, 'left behind');
  writeFileSync(`${path}.new`, 'left behind half way');
  const second = await listenControl(app(), path);
  t.match(await getOver(path, '/sessions'), /"id":1/);
  await second.close();
});

t.test('an agent that is too busy to accept still counts as living', async (t) => {
  const path = join(temporaryDirectory(t), 'control.sock');
  const busy = createServer().listen({ path, backlog: 1 });
  await once(busy, 'listening');
  // All in one turn of the event loop, in which nothing is accepted: the queue of the socket is full.
  const waiting = Array.from({ length: 8 }, () => connect(path).on('error', () => undefined));
  await t.rejects(listenControl(app(), path), { code: 'CONTROL_SOCKET_BUSY' });
  for (const socket of waiting) socket.destroy();
  busy.close();
});

t.test('a path that the kernel cannot take is refused with the bound', async (t) => {
  await t.rejects(listenControl(app(), `/tmp/${'x'.repeat(110)}`), {
    code: 'CONTROL_SOCKET_PATH',
    message: /at most 103 bytes/,
  });
});

t.test('a directory that exists keeps its mode', async (t) => {
  const dir = temporaryDirectory(t);
  chmodSync(dir, 0o755);
  const listening = await listenControl(app(), join(dir, 'c.sock'));
  t.equal(statSync(dir).mode & 0o777, 0o755);
  await listening.close();
});

t.test('the page of the API in the docs names every route', (t) => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
  for (const route of [
    'GET /status',
    'GET /sessions',
    'GET /channels',
    'GET /proofs',
    'POST /sessions/ID/end',
    'GET /metrics',
  ]) {
    t.match(text, route);
  }
  t.end();
});

async function getOver(socketPath: string, path: string): Promise<string> {
  const sent = request({ socketPath, path });
  sent.end();
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

t.test('the configuration is read again on request, and what came of it is the answer', async (t) => {
  const result = { changed: ['price.per_mb'], restartNeeded: ['portal.port'], errors: [] };
  const control = buildControl({ owner: sampleOwner(), reload: () => result });
  const response = await control.inject({ method: 'POST', url: '/reload' });
  t.same(response.json(), result);
  const without = await app().inject({ method: 'POST', url: '/reload' });
  t.equal(without.statusCode, 501);
  t.match(without.json(), { error: { code: 'no-reload' } });
});
