/**
 * `ubus-js` beside the real `ubus` on a real ubusd: the same command line, output, errors and exit code. Runs where both are
 * to be had: UBUSD names the daemon or it is on the PATH, and the command stands beside it or on the PATH, or UBUS names it.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import { MessageType } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusError } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import { realCommand, realDaemonCommand, startRealDaemon } from '../../support/real-ubusd.ts';

const CLI = fileURLToPath(new URL('../../../openwrt/node-openwrt-ubus/src/cli/ubus-js.ts', import.meta.url));
const daemon = realDaemonCommand();
const command = realCommand();
const skip = daemon === undefined || command === undefined ? 'no real ubusd and ubus here (UBUSD, UBUS)' : false;

type Result = { readonly stdout: string; readonly stderr: string; readonly code: number | null };

const JSON_ARGUMENTS = [
  '{"a":1,"b":2.0,"c":-0,"d":1e3,"e":2147483648,"f":-2147483649,"g":9223372036854775807,"h":99999999999999999999}',
  '{"z":1,"10":2,"9":3,"z":4}',
  '{\'single\': \'quotes " inside\', "esc": "\\u00e9\\t\\n\\\\\\/ \\u0001"}',
  '{"s":"Gäste ☕","n":null,"t":true,"f":FALSE,"list":[1,"x",[],{}],"tab":{"in":{"x":[{}]}}}',
  '{ /* comment */ "a" : [ 1 , 2 ] } trailing',
  '{"half":0.0078125,"third":0.0234375,"neg":-0.5,"zero":-0.0,"big":1e300,"tiny":1e-9,"odd":123456.7890625}',
  '{"deep":[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]}',
  '{"a":[1,2,]}',
  '{"a":1,}',
  '[]',
  '5',
  '',
  '{',
  '{"a":tru}',
  '{"a":01}',
  '{"a":-}',
  '{"a":"x}',
  '{"\\u0000":1,"b\\u0000c":"d\\u0000e"}',
  '{"":1,"x":""}',
];

const LINES: readonly (readonly string[])[] = [
  ['list'],
  ['list', 'par*'],
  ['list', 'parity'],
  ['list', 'none'],
  ['list', 'a', 'b'],
  ['list', ''],
  ['-v', 'list'],
  ['list', '-v'],
  ['-v', 'list', 'parity'],
  ['-S', '-v', 'list'],
  ['call', 'parity', 'echo'],
  ['call', 'parity', 'none'],
  ['call', 'parity', 'many'],
  ['-S', 'call', 'parity', 'many'],
  ['call', 'parity', 'nosuch'],
  ['-S', 'call', 'parity', 'nosuch'],
  ['call', 'parity', 'refuse'],
  ['call', 'parity', 'invalid'],
  ['call', 'none', 'x'],
  ['-S', 'call', 'none', 'x'],
  ['call', 'parity'],
  ['call'],
  ['-t', '1', 'call', 'parity', 'never'],
  ['-t1', 'call', 'parity', 'never'],
  ['send', 'x.y'],
  ['send', 'x.y', '{bad'],
  ['send', 'ubus.x'],
  ['send'],
  ['wait_for', 'parity'],
  ['-t', '1', 'wait_for', 'parity', 'nothere'],
  ['-t', '0', 'wait_for', 'nothere'],
  ['wait_for'],
  ['-t', '1', 'listen', 'x.*'],
  ['-t', '1', 'listen'],
  ['-t', '1', 'listen', ''],
  ['subscribe'],
  ['-S', 'subscribe'],
  ['subscribe', 'none'],
  ['-t', '1', 'subscribe', 'parity'],
  ['nosuch'],
  [],
  ['-x'],
  ['-t'],
  ['-M', 'x', 'monitor'],
  ['-m', 'x', 'monitor'],
  ['-s', '/nonexistent', 'list'],
];

function execute(program: string, args: readonly string[]): Promise<Result> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('latin1').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('latin1').on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ stdout, stderr, code })));
}

/** Four at a time: most of it is the start of processes. */
async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i] as T);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return results;
}

async function startBus(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'ubus-parity-'));
  const path = join(folder, 'ubus.sock');
  const stop = await startRealDaemon(daemon as string, path);
  const client = new UbusClient({ path });
  await client.ready();
  t.teardown(async () => {
    await client.close();
    await stop();
    rmSync(folder, { recursive: true });
  });
  const refuse = (status: number) => () => {
    throw new UbusError(status, 'refused');
  };
  await client.publish('parity', {
    echo: { args: { a: 5, b: 3, c: 1, d: 2, e: 7, f: 8 }, handler: () => ({}) },
    none: { handler: () => undefined },
    many: { handler: () => [{ n: 1, list: [1.5, -0.25] }, {}, { text: 'ä\u0001"' }] },
    never: { handler: () => new Promise(() => undefined) },
    refuse: { handler: refuse(6) },
    invalid: { handler: refuse(2) },
  });
  const both = async (line: readonly string[]): Promise<[Result, Result]> => {
    const args = line.includes('-s') ? line : ['-s', path, ...line];
    const [real, ours] = await Promise.all([
      execute(command as string, args),
      execute(process.execPath, [CLI, ...args]),
    ]);
    // The name of the program is its own.
    const named = (result: Result): Result => ({
      ...result,
      stderr: result.stderr.replaceAll(command as string, 'ubus').replaceAll('ubus-js', 'ubus'),
    });
    return [named(real), named(ours)];
  };
  return { client, path, both };
}

t.test('every command line gives what the real command gives', { skip, timeout: 120_000 }, async (t) => {
  const { both } = await startBus(t);
  const results = await inTurns(LINES, both);
  for (const [i, [real, ours]] of results.entries()) t.same(ours, real, `ubus ${LINES[i]?.join(' ')}`);
});

t.test('arguments in JSON reach the bus as the same bytes', { skip, timeout: 120_000 }, async (t) => {
  const { path, client } = await startBus(t);
  const seen: string[] = [];
  // What a listener of ours is sent tells types apart that JSON does not.
  await client.monitor(({ type, isSent, payload }) => {
    if (type === MessageType.INVOKE && !isSent && payload.includes('parity.args')) seen.push(payload.toString('hex'));
  });
  for (const json of JSON_ARGUMENTS) {
    const real = await execute(command as string, ['-s', path, 'send', 'parity.args', json]);
    const ours = await execute(process.execPath, [CLI, '-s', path, 'send', 'parity.args', json]);
    await client.ping();
    t.same([ours.code, ours.stderr], [real.code, real.stderr], json);
    const [first, second] = seen.splice(0);
    t.equal(second, first, `bytes of ${json}`);
  }
});

t.test('listen and subscribe print the same lines', { skip, timeout: 120_000 }, async (t) => {
  const { client, both, path } = await startBus(t);
  const source = new UbusClient({ path });
  t.teardown(() => source.close());
  await source.ready();
  const object = await source.publish('parity.source', {});
  let registered = 0;
  let subscribers = 0;
  await client.monitor(({ type, isSent, payload }) => {
    if (isSent) return;
    if (type === MessageType.INVOKE && payload.includes('seen.*')) registered += 1;
    if (type === MessageType.SUBSCRIBE) subscribers += 1;
  });
  const listening = both(['-t', '8', 'listen', 'seen.*']);
  const subscribed = both(['-t', '8', 'subscribe', 'parity.source']);
  while (registered < 2 || subscribers < 2) await client.ping();
  await client.ping();
  await client.send('seen.first', { text: 'a"b', n: -5, list: [true, null, 1.5], big: 2n ** 40n });
  await client.send('seen.last');
  object.notify('told', { mac: 'aa:bb:cc:00:00:01', empty: {} });
  for (const [real, ours] of [await listening, await subscribed]) {
    t.ok(real.stdout.length > 20);
    t.same(ours, real);
  }
});
