import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import {
  bytesFromMessage,
  type Message,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import { startBusDaemon } from '../../support/bus-daemon.ts';
import { RawSocket } from '../../support/raw-socket.ts';
import { type Answer, startScriptedBus } from '../../support/scripted-bus.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-subscription-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let sockets = 0;

function nextPath(): string {
  sockets += 1;
  return join(folder, `${sockets}.sock`);
}

async function connect(t: Test, path: string): Promise<{ client: UbusClient; problems: Error[] }> {
  const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 20 } });
  const problems: Error[] = [];
  client.on('problem', (error) => problems.push(error));
  t.teardown(() => client.close());
  await client.ready();
  return { client, problems };
}

async function scripted(t: Test, answer: (message: Message) => Answer | undefined) {
  const path = nextPath();
  const bus = await startScriptedBus(path, answer);
  t.teardown(() => bus.close());
  return { bus, ...(await connect(t, path)) };
}

async function until(isMet: () => boolean): Promise<void> {
  while (!isMet()) await new Promise((resolve) => setTimeout(resolve, 1));
}

t.test('a notification that asks for it is answered with the status of the handler', async (t) => {
  const path = nextPath();
  const daemon = await startBusDaemon(path);
  t.teardown(() => daemon.close());
  const hostapd = await RawSocket.open(path);
  t.teardown(() => hostapd.close());
  const write = (type: number, seq: number, peer: number, attributes: OutgoingAttributes): void =>
    hostapd.write(bytesFromMessage(new BlobWriter(), type, seq, peer, attributes));
  const read = async (): Promise<Message> => messageFromBytes((await hostapd.read()) as Buffer);
  await read();
  write(MessageType.ADD_OBJECT, 1, 0, { objectPath: 'hostapd.a', signature: {} });
  const { objectId } = (await read()).attributes as { objectId: number };
  await read();
  const { client, problems } = await connect(t, path);
  await client.subscribe('hostapd.*', {
    onNotify: ({ type }) => {
      if (type === 'auth') return 5;
      if (type === 'probe') throw new Error('handler broke');
      return undefined;
    },
  });
  t.match(await read(), { type: MessageType.NOTIFY, attributes: { active: 1 } });
  for (const [method, status] of [
    ['auth', 5],
    ['assoc', 0],
    ['probe', UbusStatus.UNKNOWN_ERROR],
  ] as const) {
    write(MessageType.NOTIFY, 9, objectId, { objectId, method, data: {} });
    const { subscribers } = (await read()).attributes;
    const answer = await read();
    t.match(answer, { type: MessageType.STATUS, seq: 9, attributes: { status } }, method);
    t.same(subscribers, [answer.peer]);
  }
  t.match(problems[0], { message: 'handler broke' });
});

t.test('a service that restarts twenty times leaves one subscription, not twenty', async (t) => {
  const path = nextPath();
  const daemon = await startBusDaemon(path);
  t.teardown(() => daemon.close());
  const owner = await connect(t, path);
  const subscriber = await connect(t, path);
  let attaches = 0;
  let heard = 0;
  const subscription = await subscriber.client.subscribe('hostapd.*', {
    onAttach: () => {
      attaches += 1;
    },
    onNotify: () => {
      heard += 1;
    },
  });
  for (let i = 0; i < 20; i++) {
    const object = await owner.client.publish('hostapd.a', {});
    await until(() => object.hasSubscribers);
    if (i < 19) await object.close();
    else object.notify('assoc');
  }
  await owner.client.ping();
  await subscriber.client.ping();
  t.equal(heard, 1);
  t.equal(attaches, 20);
  t.equal(subscription.objects().length, 1);
});

t.test('an object that may not be subscribed is reported and leaves nothing behind', async (t) => {
  const { bus, client, problems } = await scripted(t, ({ type }) => {
    if (type === MessageType.LOOKUP) return { data: [{ objectPath: 'secret', objectId: 5_000 }], status: 0 };
    return type === MessageType.SUBSCRIBE ? { status: UbusStatus.NOT_FOUND } : undefined;
  });
  const subscription = await client.subscribe('secret', { onNotify: () => undefined });
  t.same(subscription.objects(), []);
  t.match(problems[0], { code: 'UBUS_NOT_FOUND', message: /subscribe secret/ });
  t.equal(bus.received.at(-1)?.type, MessageType.REMOVE_OBJECT);
});

t.test('an object that goes in the same breath as it is subscribed is looked for again', async (t) => {
  let lookups = 0;
  const { bus, client } = await scripted(t, ({ type, seq, attributes }) => {
    if (type === MessageType.LOOKUP) {
      lookups += 1;
      return { data: lookups === 1 ? [{ objectPath: 'brief', objectId: 5_000 }] : [], status: 0 };
    }
    if (type === MessageType.SUBSCRIBE) {
      bus.send(MessageType.STATUS, seq, 0, { status: 0 });
      bus.send(MessageType.UNSUBSCRIBE, 1, 0, { objectId: attributes.objectId as number, target: 5_000 });
    }
    return undefined;
  });
  const subscription = await client.subscribe('brief', {
    onNotify: () => undefined,
    onAttach: () => t.fail('is gone'),
  });
  t.same(subscription.objects(), []);
  t.equal(lookups, 2);
});

t.test('a pass that fails is reported and tried again a second later', async (t) => {
  let lookups = 0;
  const { client, problems } = await scripted(t, ({ type }) => {
    if (type !== MessageType.LOOKUP) return undefined;
    lookups += 1;
    return { status: lookups === 2 ? UbusStatus.UNKNOWN_ERROR : 0 };
  });
  const subscription = await client.subscribe('hostapd.*', { onNotify: () => undefined });
  subscription.rescan();
  await until(() => problems.length === 1);
  t.match(problems[0], { code: 'UBUS_UNKNOWN_ERROR' });
  await until(() => lookups === 3);
});

t.test('a bus flooded with names is followed to 64 objects', async (t) => {
  const objects = Array.from({ length: 100 }, (_, i) => ({ objectPath: `hostapd.${i}`, objectId: 5_000 + i }));
  const { client } = await scripted(t, ({ type }) =>
    type === MessageType.LOOKUP ? { data: objects, status: 0 } : undefined,
  );
  const subscription = await client.subscribe('hostapd.*', { onNotify: () => undefined });
  t.equal(subscription.objects().length, 64);
});

t.test('a listener that is denied is an error to its caller and leaves no object behind', async (t) => {
  let isAllowed = true;
  const { bus, client } = await scripted(t, ({ type }) =>
    type === MessageType.INVOKE && !isAllowed ? { status: UbusStatus.PERMISSION_DENIED } : undefined,
  );
  isAllowed = false;
  await t.rejects(
    client.listen('*', () => undefined),
    { code: 'UBUS_PERMISSION_DENIED' },
  );
  t.equal(bus.received.at(-1)?.type, MessageType.REMOVE_OBJECT);
});

t.test('a name that is taken when the bus comes back is asked for again', async (t) => {
  let adds = 0;
  const answer = ({ type, attributes }: Message): Answer | undefined => {
    if (type !== MessageType.ADD_OBJECT || attributes.objectPath === undefined) return undefined;
    adds += 1;
    return adds === 2 ? { status: UbusStatus.INVALID_ARGUMENT } : undefined;
  };
  const { bus, client, problems } = await scripted(t, answer);
  await client.publish('agent', {});
  bus.close();
  const back = await startScriptedBus(client.path, answer);
  t.teardown(() => back.close());
  await until(() => adds === 3);
  t.ok(problems.some((error) => 'code' in error && error.code === 'UBUS_INVALID_ARGUMENT'));
});

t.test('a call without arguments, or with arguments that are not blobmsg, is refused by our object', async (t) => {
  const answers: Message[] = [];
  const { bus, client } = await scripted(t, (message) => {
    if (message.type === MessageType.STATUS) answers.push(message);
    return undefined;
  });
  await client.publish('agent', { get: { handler: () => ({ called: t.fail('must not be called') }) } });
  const objectId = 1_026;
  const bad = Buffer.from('0300000800000003', 'hex');
  bus.send(MessageType.INVOKE, 1, 9, { objectId, method: 'get' });
  bus.send(MessageType.INVOKE, 2, 9, { objectId, method: 'get', data: bad });
  bus.send(MessageType.INVOKE, 3, 9, { objectId, data: {} });
  await until(() => answers.length === 3);
  t.same(
    answers.map(({ seq, attributes }) => [seq, attributes.status]),
    [
      [1, 2],
      [2, 2],
      [3, 3],
    ],
  );
});

t.test('a provider learns what each subscriber answers, and who does not', async (t) => {
  const path = nextPath();
  const daemon = await startBusDaemon(path);
  t.teardown(() => daemon.close());
  const owner = await connect(t, path);
  const object = await owner.client.publish('hostapd.a', {});
  t.same(await object.notifyAndWait('auth'), [], 'nobody subscribes');
  const answers = [0, 6];
  for (const status of answers) {
    const { client } = await connect(t, path);
    await client.subscribe('hostapd.a', { onNotify: () => status });
  }
  await until(() => object.hasSubscribers);
  const statuses = (await object.notifyAndWait('auth', { address: 'x' })).map(({ status }) => status);
  t.same(statuses.sort(), answers);
  const mute = await RawSocket.open(path);
  t.teardown(() => mute.close());
  const [found] = await owner.client.lookup('hostapd.a');
  mute.write(bytesFromMessage(new BlobWriter(), MessageType.ADD_OBJECT, 1, 0, {}));
  let objectId: number | undefined;
  while (objectId === undefined) objectId = messageFromBytes((await mute.read()) as Buffer).attributes.objectId;
  const attributes = { objectId, target: found?.id as number };
  mute.write(bytesFromMessage(new BlobWriter(), MessageType.SUBSCRIBE, 2, 0, attributes));
  while (messageFromBytes((await mute.read()) as Buffer).seq !== 2);
  const late = await object.notifyAndWait('auth', {}, { timeoutMs: 2_000 });
  t.same(
    late.filter(({ subscriberId }) => subscriberId === objectId),
    [{ subscriberId: objectId, status: UbusStatus.TIMEOUT }],
  );
  t.equal(late.length, 3);
  await object.close();
  await t.rejects(object.notifyAndWait('auth'), { code: 'UBUS_CONNECTION_FAILED' });
});
