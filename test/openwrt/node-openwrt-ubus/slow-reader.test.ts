/** Readers that stop, and monitors: what ubusd does with clients that see more than they can take. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import { tableFromBytes } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import {
  bytesFromMessage,
  type MessageAttributes,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { attributesOfMonitored } from '../../../openwrt/node-openwrt-ubus/src/monitor.ts';
import { startBusDaemon } from '../../support/bus-daemon.ts';
import { RawSocket } from '../../support/raw-socket.ts';

async function startBus(t: Test): Promise<{ path: string; client: () => Promise<UbusClient> }> {
  const folder = mkdtempSync(join(tmpdir(), 'ubus-slow-'));
  const path = join(folder, 'ubus.sock');
  const daemon = await startBusDaemon(path);
  t.teardown(async () => {
    await daemon.close();
    rmSync(folder, { recursive: true });
  });
  const client = async (): Promise<UbusClient> => {
    const client = new UbusClient({ path, reconnectMs: { first: 5, longest: 20 } });
    t.teardown(() => client.close());
    await client.ready();
    return client;
  };
  return { path, client };
}

/** Resolves with the first call of the returned function. */
function nextCall<T>(): { readonly called: Promise<T>; readonly call: (value: T) => void } {
  let call: (value: T) => void = () => undefined;
  const called = new Promise<T>((resolve) => {
    call = resolve;
  });
  return { called, call };
}

t.test('a reader that stops loses whole messages; the bus, its other readers and its own stream go on', async (t) => {
  const bus = await startBus(t);
  const owner = await bus.client();
  const reader = await bus.client();
  const object = await owner.publish('test', {});
  let heard = 0;
  const isLast = nextCall<void>();
  await reader.subscribe('test', {
    onNotify: ({ type }) => {
      heard += 1;
      if (type === 'last') isLast.call();
    },
  });
  const slow = await subscribeRaw(t, bus.path, 'test');
  await owner.ping();
  slow.socket.pause();
  const data = { text: 'x'.repeat(1_024) };
  for (let i = 0; i < 4_000; i++) {
    if (!object.notify('flood', data)) t.fail('notification refused');
    // Each reader that reads must have the chance to.
    if (i % 100 === 99) await Promise.all([owner.ping(), reader.ping()]);
  }
  object.notify('last');
  await isLast.called;
  t.equal(heard, 4_001, 'the reader that reads gets all');
  slow.socket.resume();
  // An answer can be lost too while the queue is full.
  const ping = bytesFromMessage(new BlobWriter(), MessageType.PING, 77, 0, {});
  const pings = setInterval(() => slow.write(ping), 50);
  t.teardown(() => clearInterval(pings));
  let floods = 0;
  for (let frame = await slow.read(); frame !== undefined; frame = await slow.read()) {
    const { type, seq, attributes } = messageFromBytes(frame);
    if (type === MessageType.INVOKE && attributes.method === 'flood') floods += 1;
    else if (type === MessageType.STATUS && seq === 77) break;
  }
  t.ok(floods > 500 && floods < 4_000, `${floods} of 4000 reached the one that stopped`);
});

/** A bare socket that is subscribed to an object. */
async function subscribeRaw(t: Test, path: string, object: string): Promise<RawSocket> {
  const raw = await RawSocket.open(path);
  t.teardown(() => raw.close());
  const ask = async (type: number, seq: number, attributes: OutgoingAttributes): Promise<MessageAttributes> => {
    raw.write(bytesFromMessage(new BlobWriter(), type, seq, 0, attributes));
    let answer: MessageAttributes = {};
    for (;;) {
      const message = messageFromBytes((await raw.read()) as Buffer);
      if (message.type === MessageType.DATA) answer = { ...message.attributes };
      if (message.type === MessageType.STATUS) return answer;
    }
  };
  const { objectId } = await ask(MessageType.ADD_OBJECT, 1, {});
  const { objectId: target } = await ask(MessageType.LOOKUP, 2, { objectPath: object });
  await ask(MessageType.SUBSCRIBE, 3, { objectId: objectId as number, target: target as number });
  return raw;
}

t.test('a monitor sees the messages of others', async (t) => {
  const bus = await startBus(t);
  const watcher = await bus.client();
  const caller = await bus.client();
  await caller.publish('test', {});
  const seen: string[] = [];
  const isSeen = nextCall<void>();
  const monitor = await watcher.monitor((message) => {
    const { method, data } = attributesOfMonitored(message);
    if (message.type !== MessageType.INVOKE || method !== 'send') return;
    seen.push(`${message.isSent ? '->' : '<-'} ${message.clientId} ${tableFromBytes(data as Buffer)['id']}`);
    isSeen.call();
  });
  await caller.send('guest.joined', {});
  await isSeen.called;
  t.equal(seen.length, 1);
  t.match(seen[0], /^<- \d+ guest\.joined$/);
  await monitor.close();
  await caller.send('guest.left', {});
  await watcher.ping();
  t.equal(seen.length, 1, 'no more after its end');
});
