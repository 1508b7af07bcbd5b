/**
 * The client side of the captures: a server that plays the recorded daemon, frame by frame, and compares every byte that
 * our connection sends with what the real ubus command or a libubus service sent.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type BlobmsgInputTable, tableFromBytes } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { DEFAULT_LIMITS, UbusConnection } from '../../../openwrt/node-openwrt-ubus/src/connection.ts';
import { MessageType } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import {
  addObject,
  invoke,
  lookup,
  registerEvents,
  removeObject,
  sendEvent,
  subscribe,
  type UbusObject,
} from '../../../openwrt/node-openwrt-ubus/src/requests.ts';
import { RawSocket } from '../../support/raw-socket.ts';
import { goldenCase } from '../../support/ubus-golden.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-replay-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let replays = 0;

const IGNORE = { onInvoke: (): void => undefined };

type Replay = { readonly connection: UbusConnection; readonly finished: Promise<readonly string[]> };

/** Plays one connection of a case; `finished` yields what our side sent otherwise. */
async function replay(t: Test, caseName: string, conn: string): Promise<Replay> {
  replays += 1;
  const path = join(folder, `${replays}.sock`);
  const frames = goldenCase(caseName).frames.filter((frame) => frame.conn === conn && frame.hex !== undefined);
  let finish: (differences: readonly string[]) => void = () => undefined;
  const finished = new Promise<readonly string[]>((resolve) => {
    finish = resolve;
  });
  const server = createServer((socket) => {
    void play(new RawSocket(socket)).then(finish);
  });
  const play = async (raw: RawSocket): Promise<readonly string[]> => {
    const differences: string[] = [];
    for (const { n, dir, hex } of frames) {
      if (dir === 's2c') raw.write(Buffer.from(hex as string, 'hex'));
      else {
        const got = (await raw.read())?.toString('hex');
        if (got !== hex) differences.push(`${n}: expected ${hex}, got ${got}`);
      }
    }
    return differences;
  };
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const connection = await UbusConnection.open(path, { ...DEFAULT_LIMITS, requestTimeoutMs: 2_000 }, () => undefined);
  t.teardown(() => {
    connection.close();
    server.close();
  });
  return { connection, finished };
}

async function find(connection: UbusConnection, path: string): Promise<UbusObject> {
  const [object] = await lookup(connection, path);
  if (object === undefined) throw new Error(`${path} not found`);
  return object;
}

const CALLS: readonly (readonly [string, string, string, BlobmsgInputTable, unknown])[] = [
  ['call-noargs', 'test', 'ping', {}, [{ pong: true }]],
  ['call-nodata', 'test', 'noop', {}, []],
  ['call-arg-string', 'test', 'echo', { s: 'hello world' }, [{ s: 'hello world' }]],
  ['call-arg-bool', 'test', 'echo', { t: true, f: false }, [{ t: true, f: false }]],
  ['call-arg-array', 'test', 'echo', {}, undefined],
  ['deferred', 'test', 'defer', { ms: 200 }, undefined],
  ['hostapd-get_clients', 'hostapd.phy0-ap1', 'get_clients', {}, undefined],
  ['network-device-status', 'network.device', 'status', { name: 'br-guest' }, undefined],
  ['dnsmasq-metrics', 'dnsmasq', 'metrics', {}, undefined],
];

for (const [name, path, method, args, answer] of CALLS) {
  t.test(`${name}: lookup and call send what the ubus command sends`, async (t) => {
    const { connection, finished } = await replay(t, name, 'cli');
    const object = await find(connection, path);
    const recorded = goldenCase(name).frames.find(({ dir, type }) => dir === 'c2s' && type === 'INVOKE');
    // Where the arguments are not spelled out above they come from the recording: it is the frame that is compared.
    const sent = answer === undefined ? argumentsOf(recorded?.attrs) : args;
    const replies = await invoke(connection, object.id, method, sent, name);
    if (answer !== undefined) t.same(replies, answer);
    t.same(await finished, []);
  });
}

function argumentsOf(attrs: readonly (readonly [string, unknown])[] | undefined): BlobmsgInputTable {
  const plain = (record: unknown): BlobmsgInputTable => {
    const fields = record as { name: string; type: string; value: unknown }[];
    return Object.fromEntries(fields.map((field) => [field.name, value(field)])) as BlobmsgInputTable;
  };
  const value = ({ type, value: inner }: { type: string; value: unknown }): unknown => {
    if (type === 'ARRAY') return (inner as { type: string; value: unknown }[]).map(value);
    if (type === 'TABLE') return plain(inner);
    if (type === 'INT64') return BigInt(inner as string);
    return type === 'INT8' ? inner === 1 : inner;
  };
  return plain(attrs?.find(([name]) => name === 'DATA')?.[1]);
}

for (const [name, code] of [
  ['err-method-not-found', 'UBUS_METHOD_NOT_FOUND'],
  ['err-invalid-argument', 'UBUS_INVALID_ARGUMENT'],
  ['err-status-4', 'UBUS_NOT_FOUND'],
  ['err-status-6', 'UBUS_PERMISSION_DENIED'],
  ['err-status-13', 'UBUS_SYSTEM_ERROR'],
  ['uci-get-missing', 'UBUS_NOT_FOUND'],
  ['session-login-bad', 'UBUS_PERMISSION_DENIED'],
] as const) {
  t.test(`${name} is the error ${code}`, async (t) => {
    const { connection, finished } = await replay(t, name, 'cli');
    const invocation = goldenCase(name).frames.find(({ dir, type }) => dir === 'c2s' && type === 'INVOKE');
    const path = goldenCase(name).frames.find(({ type }) => type === 'LOOKUP')?.attrs?.[0]?.[1] as string;
    const method = invocation?.attrs?.find(([key]) => key === 'METHOD')?.[1] as string;
    const object = await find(connection, path);
    await t.rejects(invoke(connection, object.id, method, argumentsOf(invocation?.attrs), name), { code });
    t.same(await finished, []);
  });
}

t.test('lookup of all, of a prefix and of a name that nobody has', async (t) => {
  const all = await replay(t, 'list-all', 'cli');
  const objects = await lookup(all.connection, '*');
  t.equal(objects.length, 25);
  t.equal(objects.find(({ path }) => path === 'dnsmasq')?.methods['metrics'] !== undefined, true);
  t.same(await all.finished, []);
  const prefix = await replay(t, 'list-wildcard', 'cli');
  t.same(
    (await lookup(prefix.connection, 'te*')).map(({ path }) => path),
    ['test'],
  );
  t.same(await prefix.finished, []);
  const none = await replay(t, 'list-notfound', 'cli');
  t.same(await lookup(none.connection, 'nope'), []);
  t.same(await none.finished, []);
  const hidden = await replay(t, 'acl-invisible', 'raw');
  t.same(await lookup(hidden.connection, 'hidden'), [], 'STATUS 0 without DATA is not found');
});

t.test('the life of a station arrives as hostapd told it', async (t) => {
  const { connection, finished } = await replay(t, 'hostapd-station-lifecycle', 'subscriber');
  const heard: string[] = [];
  const handler = {
    onInvoke: ({ attributes }: { attributes: { method?: string; data?: Buffer } }): void => {
      heard.push(`${attributes.method} ${tableFromBytes(attributes.data as Buffer)['address']}`);
    },
  };
  const id = await addObject(connection, handler);
  const target = await find(connection, 'hostapd.phy0-ap1');
  await subscribe(connection, id, target.id, 'subscribe');
  t.same(await finished, []);
  while (heard.length < 11) await new Promise(setImmediate);
  const life = [
    'probe',
    'auth',
    'assoc',
    'sta-authorized',
    'deauth',
    'disassoc',
    'probe',
    'auth',
    'assoc',
    'sta-authorized',
    'disassoc',
  ];
  t.same(
    heard,
    life.map((type) => `${type} aa:bb:cc:00:00:01`),
  );
});

t.test('a notification that waits for its subscribers is answered as libubus answers it', async (t) => {
  const { connection, finished } = await replay(t, 'subscribe-notify-sync', 'subscriber');
  const id = await addObject(connection, {
    onInvoke: ({ seq, peer, attributes }) => {
      if (attributes.noReply === 1) return;
      connection.post(MessageType.STATUS, seq, peer, { status: 0, objectId: attributes.objectId as number }, 'answer');
    },
  });
  const target = await find(connection, 'test');
  await subscribe(connection, id, target.id, 'subscribe');
  t.same(await finished, []);
});

t.test('a subscriber learns that its target is gone', async (t) => {
  const { connection, finished } = await replay(t, 'subscribe-target-gone', 'subscriber');
  const gone = new Promise<number>((resolve) => {
    void addObject(connection, { ...IGNORE, onUnsubscribed: resolve }).then(async (id) =>
      subscribe(connection, id, (await find(connection, 'test-d')).id, 'subscribe'),
    );
  });
  t.equal(await gone, 1092784266);
  t.same(await finished, []);
});

t.test('events: registering, sending, and the refusal of reserved ids', async (t) => {
  const listener = await replay(t, 'event', 'listener');
  const heard = new Promise<unknown>((resolve) => {
    void addObject(listener.connection, {
      onInvoke: ({ seq, peer, attributes }) => {
        // The real command answers, though nobody reads it; our client does not.
        const status = { status: 0, objectId: attributes.objectId as number };
        listener.connection.post(MessageType.STATUS, seq, peer, status, 'answer');
        resolve([attributes.method, tableFromBytes(attributes.data as Buffer)]);
      },
    }).then((id) => registerEvents(listener.connection, id, 'guest.*'));
  });
  t.same(await heard, ['guest.join', { mac: 'aa:bb:cc:dd:ee:ff', n: 3 }]);
  t.same(await listener.finished, []);
  const sender = await replay(t, 'event', 'sender');
  await sendEvent(sender.connection, 'guest.join', { mac: 'aa:bb:cc:dd:ee:ff', n: 3 });
  t.same(await sender.finished, []);
  const denied = await replay(t, 'event-ubus-prefix-denied', 'sender');
  await t.rejects(sendEvent(denied.connection, 'ubus.foo', {}), { code: 'UBUS_PERMISSION_DENIED' });
  t.same(await denied.finished, []);
});

t.test('objects: taken names, anonymous ones, and those of others', async (t) => {
  const duplicate = await replay(t, 'add-object-duplicate', 'raw');
  await t.rejects(addObject(duplicate.connection, IGNORE, 'test', { m: {} }), { code: 'UBUS_INVALID_ARGUMENT' });
  t.same(await duplicate.finished, []);
  const anonymous = await replay(t, 'add-object-anonymous', 'raw');
  t.equal(await addObject(anonymous.connection, IGNORE), 3981018824);
  t.same(await anonymous.finished, []);
  const unknown = await replay(t, 'invoke-unknown-objid', 'raw');
  await t.rejects(invoke(unknown.connection, 125269879, 'x', {}, 'call'), { code: 'UBUS_NOT_FOUND' });
  t.same(await unknown.finished, []);
  const removing = await replay(t, 'event-object-add-remove', 'raw');
  const signature = { status: {}, set: { mac: 3, limit: 5 } };
  const id = await addObject(removing.connection, IGNORE, 'agent', signature);
  await removeObject(removing.connection, id);
  t.same(await removing.finished, []);
});
