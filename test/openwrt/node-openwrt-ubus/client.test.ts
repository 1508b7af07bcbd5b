import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BlobmsgType, double, int64 } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import { UbusError, UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import { type BusDaemon, startBusDaemon } from '../../support/bus-daemon.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-client-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let sockets = 0;

type Bus = { readonly daemon: BusDaemon; readonly path: string; client(): Promise<UbusClient> };

async function startBus(t: Test): Promise<Bus> {
  sockets += 1;
  const path = join(folder, `${sockets}.sock`);
  const daemon = await startBusDaemon(path);
  t.teardown(() => daemon.close());
  const client = async (): Promise<UbusClient> => {
    const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 20 } });
    t.teardown(() => client.close());
    await client.ready();
    return client;
  };
  return { daemon, path, client };
}

/** Resolves with the arguments of the next call of the returned function. */
function nextCall<T>(): { readonly called: Promise<T>; readonly call: (value: T) => void } {
  let call: (value: T) => void = () => undefined;
  const called = new Promise<T>((resolve) => {
    call = resolve;
  });
  return { called, call };
}

t.test('a method is called with typed arguments and answers once, several times or not at all', async (t) => {
  const bus = await startBus(t);
  const owner = await bus.client();
  const caller = await bus.client();
  await owner.publish('test', {
    echo: {
      args: { name: BlobmsgType.STRING, big: BlobmsgType.INT64, ratio: BlobmsgType.DOUBLE, count: BlobmsgType.INT32 },
      handler: (args) => args,
    },
    twice: { handler: () => [{ n: 1 }, { n: 2 }] },
    silent: { handler: () => undefined },
    later: {
      handler: async () => {
        await caller.ping();
        return { late: true };
      },
    },
  });
  const args = { name: 'Gäste', big: int64(5), ratio: double(2), count: 7 };
  t.same(await caller.call('test', 'echo', args), { name: 'Gäste', big: 5n, ratio: 2, count: 7 });
  t.same(await caller.call('test', 'echo', { count: 5n, undeclared: 1 }), {}, 'a wrong type is as if absent');
  t.same(await caller.callAll('test', 'twice'), [{ n: 1 }, { n: 2 }]);
  t.equal(await caller.call('test', 'silent'), undefined);
  t.same(await caller.call('test', 'later'), { late: true });
  const [object] = await caller.lookup('te*');
  t.same(object?.methods['echo'], { name: 3, big: 4, ratio: 8, count: 5 });
});

t.test('each failure of a call is a UbusError with the code of ubus', async (t) => {
  const bus = await startBus(t);
  const owner = await bus.client();
  const caller = await bus.client();
  const problem = nextCall<Error>();
  owner.on('problem', problem.call);
  await owner.publish('test', {
    refuse: {
      handler: () => {
        throw new UbusError(UbusStatus.PERMISSION_DENIED, 'not today');
      },
    },
    crash: {
      handler: () => {
        throw new TypeError('bug');
      },
    },
    never: { handler: () => new Promise(() => undefined) },
  });
  await t.rejects(caller.call('nosuch', 'x'), { code: 'UBUS_NOT_FOUND', status: 4 });
  await t.rejects(caller.call('test', 'nosuch'), { code: 'UBUS_METHOD_NOT_FOUND' });
  await t.rejects(caller.call('test', 'refuse'), { code: 'UBUS_PERMISSION_DENIED' });
  await t.rejects(caller.call('test', 'crash'), { code: 'UBUS_UNKNOWN_ERROR' });
  t.match(await problem.called, { message: 'bug' });
  await t.rejects(caller.call('test', 'never', {}, { timeoutMs: 20 }), { code: 'UBUS_TIMEOUT' });
  const reason = new Error('enough');
  await t.rejects(caller.call('test', 'never', {}, { signal: AbortSignal.abort(reason) }), reason);
  const abort = new AbortController();
  const aborted = caller.call('test', 'never', {}, { signal: abort.signal });
  setImmediate(() => abort.abort(reason));
  await t.rejects(aborted, reason);
  await t.rejects(owner.publish('test', {}), { code: 'UBUS_INVALID_ARGUMENT' }, 'the path is taken');
  await t.rejects(caller.send('ubus.x'), { code: 'UBUS_PERMISSION_DENIED' });
  await t.rejects(caller.lookup(''), { code: 'UBUS_INVALID_ARGUMENT' });
  await t.rejects(caller.call('test', 'never', { text: 'a\0b' }), RangeError);
  await t.rejects(caller.call('test', 'never', { text: 'a'.repeat(1_048_576) }), RangeError, 'ubusd would hang up');
  t.ok(caller.isConnected);
});

t.test('a call to an object whose owner dies fails at once instead of waiting for its timeout', async (t) => {
  const bus = await startBus(t);
  const owner = await bus.client();
  const caller = await bus.client();
  const started = nextCall<void>();
  await owner.publish('test', {
    never: {
      handler: () => {
        started.call();
        return new Promise(() => undefined);
      },
    },
  });
  const call = caller.call('test', 'never');
  call.catch(() => undefined);
  await started.called;
  await owner.close();
  await t.rejects(call, { code: 'UBUS_CONNECTION_FAILED' });
});

t.test('an object that was published anew is found under its new id', async (t) => {
  const bus = await startBus(t);
  const owner = await bus.client();
  const caller = await bus.client();
  for (const n of [1, 2, 3]) {
    const object = await owner.publish('test', { get: { handler: () => ({ n }) } });
    t.same(await caller.call('test', 'get'), { n });
    await object.close();
    await t.rejects(caller.call('test', 'get'), { code: 'UBUS_NOT_FOUND' });
  }
});

t.test('events reach listeners of a matching pattern and not their sender', async (t) => {
  const bus = await startBus(t);
  const sender = await bus.client();
  const receiver = await bus.client();
  const heard: unknown[] = [];
  const last = nextCall<void>();
  await sender.listen('guest.*', () => t.fail('own event'));
  const listener = await receiver.listen('guest.*', (id, data) => {
    heard.push([id, data]);
    if (id === 'guest.last') last.call();
    if (id === 'guest.bad') throw new Error('handler broke');
  });
  const problem = nextCall<Error>();
  receiver.on('problem', problem.call);
  await sender.send('guest.join', { mac: 'aa:bb:cc:00:00:01' });
  await sender.send('other.join');
  await sender.send('guest.bad');
  await sender.send('guest.last');
  await last.called;
  t.same(heard, [
    ['guest.join', { mac: 'aa:bb:cc:00:00:01' }],
    ['guest.bad', {}],
    ['guest.last', {}],
  ]);
  t.match(await problem.called, { message: 'handler broke' });
  await listener.close();
  await sender.send('guest.join');
  await receiver.ping();
  t.equal(heard.length, 3);
});

t.test('notifications say which object they come from, also of objects that appear later', async (t) => {
  const bus = await startBus(t);
  const owner = await bus.client();
  const subscriber = await bus.client();
  const heard: unknown[] = [];
  const attached: string[] = [];
  const detached = nextCall<string>();
  let onAttach = nextCall<string>();
  let onNotify = nextCall<void>();
  const first = await owner.publish('hostapd.a', {});
  await owner.publish('hostapd', {});
  const subscription = await subscriber.subscribe('hostapd.*', {
    accepts: (object) => object.path !== 'hostapd.private',
    onAttach: (object) => {
      attached.push(object.path);
      onAttach.call(object.path);
    },
    onDetach: (object) => detached.call(object.path),
    onNotify: ({ object, type, data }) => {
      heard.push([object.path, type, data]);
      onNotify.call();
    },
  });
  t.same(attached, ['hostapd.a']);
  await owner.ping();
  t.ok(first.notify('assoc', { address: 'x' }));
  await onNotify.called;
  onAttach = nextCall();
  await owner.publish('hostapd.private', {});
  const second = await owner.publish('hostapd.b', {});
  await onAttach.called;
  await owner.ping();
  onNotify = nextCall();
  t.ok(second.notify('assoc', { address: 'y' }));
  await onNotify.called;
  t.same(heard, [
    ['hostapd.a', 'assoc', { address: 'x' }],
    ['hostapd.b', 'assoc', { address: 'y' }],
  ]);
  await first.close();
  t.equal(await detached.called, 'hostapd.a');
  t.same(
    subscription.objects().map(({ path }) => path),
    ['hostapd.b'],
  );
  await subscription.close();
  await owner.ping();
  t.notOk(second.notify('assoc'), 'nobody is there');
});

t.test('after a restart of the daemon everything of ours is back and resync is signalled', async (t) => {
  const bus = await startBus(t);
  const owner = await bus.client();
  const subscriber = await bus.client();
  const events = nextCall<string>();
  const notified = nextCall<string>();
  let attaches = 0;
  const object = await owner.publish('test', { get: { handler: () => ({ ok: true }) } });
  await subscriber.subscribe('test', {
    onAttach: () => {
      attaches += 1;
    },
    onNotify: ({ type }) => notified.call(type),
  });
  await subscriber.listen('guest.*', (id) => events.call(id));
  const lost = nextCall<Error>();
  subscriber.on('disconnected', lost.call);
  const back = Promise.all(
    [owner, subscriber].map((client) => new Promise<void>((resolve) => client.once('resync', resolve))),
  );
  await bus.daemon.close();
  await t.rejects(subscriber.call('test', 'get'), { code: 'UBUS_CONNECTION_FAILED' });
  t.match(await lost.called, { code: 'UBUS_CONNECTION_FAILED' });
  t.notOk(subscriber.isConnected);
  const again = await startBusDaemon(bus.path);
  t.teardown(() => again.close());
  await back;
  while (!object.hasSubscribers) await owner.ping();
  t.same(await subscriber.call('test', 'get'), { ok: true });
  object.notify('hello');
  t.equal(await notified.called, 'hello');
  await owner.send('guest.join');
  t.equal(await events.called, 'guest.join');
  t.equal(attaches, 2);
});

t.test('what is asked for before the bus is there comes when it is', async (t) => {
  const path = join(folder, 'late.sock');
  const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 10 } });
  t.teardown(() => client.close());
  const problem = nextCall<Error>();
  client.once('problem', problem.call);
  client.start();
  t.match(await problem.called, { code: 'UBUS_CONNECTION_FAILED' });
  await client.publish('early', { get: { handler: () => ({ ok: 1 }) } });
  await t.rejects(client.ready(AbortSignal.timeout(10)), { name: 'AbortError' });
  const daemon = await startBusDaemon(path);
  t.teardown(() => daemon.close());
  await client.ready();
  t.same(await client.call('early', 'get'), { ok: 1 });
});
