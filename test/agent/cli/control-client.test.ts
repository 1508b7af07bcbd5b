import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import * as v from 'valibot';
import { askAgent, askAgentFor } from '../../../agent/cli/control-client.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

type Test = Parameters<typeof temporaryDirectory>[0];

async function listen(test: Test, listener: RequestListener): Promise<string> {
  const socketPath = join(temporaryDirectory(test), 's');
  const server = createServer(listener).listen(socketPath);
  test.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return socketPath;
}

t.test('an answer of JSON comes back as it is', async (t) => {
  const socketPath = await listen(t, (request, response) => {
    response.end(JSON.stringify({ method: request.method, url: request.url }));
  });
  t.same(await askAgent({ socketPath, path: '/status' }), { method: 'GET', url: '/status' });
  t.same(await askAgent({ socketPath, method: 'POST', path: '/x' }), { method: 'POST', url: '/x' });
});

t.test('an agent that is not there is said to be not running, with what to do', async (t) => {
  const socketPath = join(temporaryDirectory(t), 'none');
  await t.rejects(askAgent({ socketPath, path: '/' }), {
    exitCode: 3,
    code: 'agent-not-running',
    message: `The agent is not running (nothing answers on ${socketPath}). Start it: service shareagent start. Why it stopped: logread -e shareagent`,
  });
});

t.test('a socket that a killed agent left counts as not running', async (t) => {
  const socketPath = join(temporaryDirectory(t), 'left');
  writeFileSync(socketPath, '');
  await t.rejects(askAgent({ socketPath, path: '/' }), { code: 'agent-not-running' });
});

t.test('a socket of another user is said to be forbidden', { skip: process.getuid?.() === 0 }, async (t) => {
  const socketPath = await listen(t, (_request, response) => response.end('{}'));
  chmodSync(socketPath, 0);
  await t.rejects(askAgent({ socketPath, path: '/' }), { exitCode: 1, code: 'forbidden' });
});

t.test('an agent that does not answer in time is given up', async (t) => {
  const socketPath = await listen(t, () => undefined);
  await t.rejects(askAgent({ socketPath, path: '/', timeoutMs: 50 }), {
    exitCode: 1,
    code: 'timeout',
    message: /within 0\.05 s/,
  });
});

t.test('an agent that stalls in the middle of its answer is given up', async (t) => {
  const socketPath = await listen(t, (_request, response) => response.write('{'));
  await t.rejects(askAgent({ socketPath, path: '/', timeoutMs: 200 }), { code: 'timeout' });
});

t.test("the agent's own refusal is passed on", async (t) => {
  const socketPath = await listen(t, (_request, response) => {
    response
      .writeHead(404)
      .end(JSON.stringify({ error: { code: 'no-such-session', message: 'There is no session 9.' } }));
  });
  await t.rejects(askAgent({ socketPath, path: '/' }), {
    exitCode: 1,
    code: 'no-such-session',
    message: 'There is no session 9.',
  });
});

t.test('an answer that is no JSON, or too long, is refused', async (t) => {
  const garbage = await listen(t, (_request, response) => response.end(`<html>${'x'.repeat(100)}`));
  await t.rejects(askAgent({ socketPath: garbage, path: '/' }), {
    code: 'bad-answer',
    message: /got status 200: <html>x+\.\.\.$/,
  });
  const endless = await listen(t, (_request, response) => response.end('x'.repeat(9_000_000)));
  await t.rejects(askAgent({ socketPath: endless, path: '/' }), {
    code: 'control-failed',
    message: /at most 8000000 bytes/,
  });
  const raw = join(temporaryDirectory(t), 'raw');
  const server = createSocketServer((socket) => socket.end('nonsense')).listen(raw);
  t.teardown(() => server.close());
  await once(server, 'listening');
  await t.rejects(askAgent({ socketPath: raw, path: '/' }), { code: 'control-failed' });
});

t.test('an answer of another version names the field', async (t) => {
  const socketPath = await listen(t, (_request, response) => response.end('{"a":{"b":1}}'));
  const asked = askAgentFor(v.object({ a: v.object({ b: v.string() }) }), { socketPath, path: '/' });
  await t.rejects(asked, { code: 'bad-answer', message: /not of this version \(a\.b\)/ });
  const whole = askAgentFor(v.string(), { socketPath, path: '/' });
  await t.rejects(whole, { message: /\(the answer\)/ });
});
