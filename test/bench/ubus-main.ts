/**
 * The other ends of the ubus benchmark, each a process of its own:
 *
 *   node ubus-main.ts daemon SOCKET             the stand-in for ubusd
 *   node ubus-main.ts service SOCKET            object "bench": method "ping" answered by a bare socket, nothing decoded
 *   node ubus-main.ts notifier SOCKET           object "bench.notify", by the library: {"rate":N,"count":N} sends that
 *   node --expose-gc ubus-main.ts soak SOCKET    the library under load: {"messages":N} moves that many and tells its RSS
 *
 * Prints {"ready":true}, then one line for each line of its standard input. Ends with its standard input.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobWriter } from '../../openwrt/node-openwrt-ubus/src/blob.ts';
import { UbusClient } from '../../openwrt/node-openwrt-ubus/src/client.ts';
import { FrameReader } from '../../openwrt/node-openwrt-ubus/src/frame-reader.ts';
import { bytesFromMessage, MessageType, messageFromBytes } from '../../openwrt/node-openwrt-ubus/src/message.ts';
import { UbusDaemon } from '../support/ubus-daemon/daemon.ts';

type Order = { readonly rate: number; readonly count: number; readonly messages: number };
type Role = (path: string) => Promise<(order: Order) => Promise<object>>;

const IN_FLIGHT = 32;

const ROLES: Readonly<Record<string, Role>> = { daemon, service, notifier, soak };

const [role = '', path = ''] = process.argv.slice(2);
const run = await (ROLES[role] as Role)(path);
console.log(JSON.stringify({ ready: true }));
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await run(JSON.parse(line))));
process.exit(0);

async function daemon(socket: string) {
  await UbusDaemon.start(socket);
  return () => Promise.resolve({});
}

/** Answers with bytes made beforehand; only seq and peer are written into them. */
async function service(socket: string) {
  const writer = new BlobWriter();
  const stream = connect({ path: socket });
  let answer = Buffer.alloc(0);
  let statusAt = 0;
  const isReady = new Promise<void>((resolve) => {
    const reader = new FrameReader((frame) => {
      const { type, seq, peer, attributes } = messageFromBytes(frame);
      if (type === MessageType.HELLO) {
        const add = { objectPath: 'bench', signature: { ping: {} } };
        stream.write(bytesFromMessage(writer, MessageType.ADD_OBJECT, 1, 0, add));
      } else if (type === MessageType.DATA && attributes.objectId !== undefined) {
        const { objectId } = attributes;
        const data = bytesFromMessage(writer, MessageType.DATA, 0, 0, { objectId, data: { pong: true } });
        statusAt = data.length;
        answer = Buffer.concat([data, bytesFromMessage(writer, MessageType.STATUS, 0, 0, { status: 0, objectId })]);
        resolve();
      } else if (type === MessageType.INVOKE) {
        const bytes = Buffer.from(answer);
        for (const at of [0, statusAt]) {
          bytes.writeUInt16BE(seq, at + 2);
          bytes.writeUInt32BE(peer, at + 4);
        }
        stream.write(bytes);
      }
    });
    stream.on('data', (chunk) => reader.push(chunk));
  });
  await isReady;
  return () => Promise.resolve({});
}

/** Paced in slices of 5 ms: what a burst of hostapd events looks like. */
async function notifier(socket: string) {
  const client = new UbusClient({ path: socket });
  await client.ready();
  const object = await client.publish('bench.notify', {});
  return async ({ rate, count }: Order) => {
    const startedMs = performance.now();
    let sent = 0;
    let refused = 0;
    while (sent < count) {
      const due = Math.min(count, Math.ceil(((performance.now() - startedMs) / 1_000) * rate));
      for (; sent < due; sent++) {
        const isSent = object.notify('assoc', { address: 'aa:bb:cc:00:00:01', n: sent, signal: -55 });
        if (!isSent) refused += 1;
      }
      await sleep(5);
    }
    await client.ping();
    return { sent, refused, seconds: (performance.now() - startedMs) / 1_000 };
  };
}

/** A call is three messages here, a notification one. */
async function soak(socket: string) {
  const client = new UbusClient({ path: socket });
  await client.ready();
  let heard = 0;
  await client.subscribe('bench.notify', {
    onNotify: () => {
      heard += 1;
    },
  });
  return async ({ messages }: Order) => {
    heard = 0;
    let calls = 0;
    const worker = async (): Promise<void> => {
      while (3 * calls + heard < messages) {
        calls += 1;
        await client.call('bench', 'ping');
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    globalThis.gc?.();
    await sleep(50);
    return { calls, heard, rss: process.memoryUsage.rss() };
  };
}
