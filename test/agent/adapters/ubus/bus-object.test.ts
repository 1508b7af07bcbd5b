import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { UbusObject } from '../../../../agent/adapters/ubus/bus-object.ts';
import type { BusAnswer, BusMethods, BusRefusal } from '../../../../agent/bus-port.ts';
import { int64 } from '../../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { UbusClient } from '../../../../openwrt/node-openwrt-ubus/src/client.ts';
import type { Notification } from '../../../../openwrt/node-openwrt-ubus/src/subscription.ts';
import { UbusDaemon } from '../../../support/ubus-daemon/daemon.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-object-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let buses = 0;

async function startBus(t: Test): Promise<string> {
  buses += 1;
  const path = join(folder, `${buses}.sock`);
  const daemon = await UbusDaemon.start(path);
  t.teardown(() => daemon.close());
  return path;
}

async function connect(t: Test, path: string): Promise<UbusClient> {
  const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 20 } });
  t.teardown(() => client.close());
  await client.ready();
  return client;
}

async function published(t: Test, methods: BusMethods) {
  const path = await startBus(t);
  const problems: string[] = [];
  const onProblem = (error: Error) => void problems.push(error.message);
  const object = new UbusObject({ client: await connect(t, path), path: 'shareagent', retryMs: 5, onProblem });
  await object.publish(methods);
  return { object, problems, path, caller: await connect(t, path) };
}

const echo = (args: BusMethods[string]['args']): BusMethods[string] => ({
  args,
  answer: (given) => ({ ok: true, reply: { got: Object.entries(given).map(([name, value]) => `${name}=${value}`) } }),
});

t.test('numbers travel as INT32, bigints as INT64, and undefined fields not at all', async (t) => {
  const reply = { count: 3, bytes: 5n, text: 'x', is: true, none: undefined, rows: [{ id: 1 }] };
  const { caller } = await published(t, { status: { args: {}, answer: () => ({ ok: true, reply }) } });
  t.strictSame(await caller.call('shareagent', 'status'), {
    count: 3,
    bytes: 5n,
    text: 'x',
    is: true,
    rows: [{ id: 1 }],
  });
});

t.test('an integer of any width is taken where one is declared; other types are absent', async (t) => {
  const { caller } = await published(t, { take: echo({ id: 'int32', bytes: 'integer', name: 'string' }) });
  const call = (args: Parameters<UbusClient['call']>[2]) => caller.call('shareagent', 'take', args);
  t.same(await call({ id: 1, bytes: 5, name: 'a' }), { got: ['id=1', 'bytes=5', 'name=a'] });
  t.same(await call({ bytes: int64(5n) }), { got: ['bytes=5'] });
  t.same(await call({ id: int64(1n), name: 7, other: 1 }), { got: [] });
  const [object] = await caller.lookup('shareagent');
  t.same(object?.methods, { take: { id: 5, bytes: 0, name: 3 } });
});

t.test('each refusal is its ubus status, and its message is told to the log', async (t) => {
  const codes: readonly (readonly [BusRefusal, string])[] = [
    ['invalid-argument', 'UBUS_INVALID_ARGUMENT'],
    ['not-found', 'UBUS_NOT_FOUND'],
    ['permission-denied', 'UBUS_PERMISSION_DENIED'],
    ['timed-out', 'UBUS_TIMEOUT'],
    ['not-supported', 'UBUS_NOT_SUPPORTED'],
  ];
  let answer: BusAnswer = { ok: true, reply: {} };
  const { caller, problems } = await published(t, { act: { args: {}, answer: () => Promise.resolve(answer) } });
  for (const [reason, code] of codes) {
    answer = { ok: false, reason, message: `because ${reason}` };
    await t.rejects(caller.call('shareagent', 'act'), { code });
    t.equal(problems.at(-1), `shareagent act: because ${reason}`);
  }
});

t.test('subscribers are told, and who listens is known', async (t) => {
  const { object, caller } = await published(t, { status: { args: {}, answer: () => ({ ok: true, reply: {} }) } });
  t.notOk(object.isHeard());
  object.notify('payment', { paid_units: '1' });
  const heard = new Promise<Notification>((resolve) => void caller.subscribe('shareagent', { onNotify: resolve }));
  while (!object.isHeard()) await new Promise((resolve) => setImmediate(resolve));
  object.notify('payment', { paid_units: '2' });
  t.match(await heard, { type: 'payment', data: { paid_units: '2' } });
});

t.test('a name that is taken is tried again until it is free', async (t) => {
  const path = await startBus(t);
  const other = await connect(t, path);
  const taken = await other.publish('shareagent', { old: { handler: () => undefined } });
  const problems: Error[] = [];
  const client = await connect(t, path);
  const object = new UbusObject({ client, path: 'shareagent', retryMs: 5, onProblem: (error) => problems.push(error) });
  await object.publish({ status: { args: {}, answer: () => ({ ok: true, reply: { version: '1' } }) } });
  t.match(problems, [{ status: 2 }]);
  await taken.close();
  for (;;) {
    const answer = await other.call('shareagent', 'status').catch(() => undefined);
    if (answer?.['version'] === '1') break;
  }
  await object.close();
  await t.rejects(other.call('shareagent', 'status'), { code: 'UBUS_NOT_FOUND' });
});

t.test('closed before the name is free, it does not come back', async (t) => {
  const path = await startBus(t);
  const other = await connect(t, path);
  const taken = await other.publish('shareagent', {});
  const object = new UbusObject({
    client: await connect(t, path),
    path: 'shareagent',
    retryMs: 1,
    onProblem: () => undefined,
  });
  await object.publish({});
  await object.close();
  await taken.close();
  await new Promise((resolve) => setTimeout(resolve, 10));
  t.same(await other.lookup('shareagent').catch(() => []), []);
});
