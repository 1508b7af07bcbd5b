/** Our side of a connection against a daemon that misbehaves in every way a stream can. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import {
  type ConnectionLimits,
  DEFAULT_LIMITS,
  UbusConnection,
} from '../../../openwrt/node-openwrt-ubus/src/connection.ts';
import {
  bytesFromMessage,
  type Message,
  MessageType,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { addObject, invoke, lookup, ping } from '../../../openwrt/node-openwrt-ubus/src/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-connection-'));
t.teardown(() => rmSync(folder, { recursive: true }));
let servers = 0;

const HELLO = Buffer.from('00000000000004d200000004', 'hex');
const OBJECT = 5_000;

function frame(type: number, seq: number, peer: number, attributes: OutgoingAttributes): Buffer {
  return bytesFromMessage(new BlobWriter(), type, seq, peer, attributes);
}

/** A server that does as told to whoever connects. */
async function startServer(t: Test, onConnect: (socket: Socket) => void): Promise<string> {
  servers += 1;
  const path = join(folder, `${servers}.sock`);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnect(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

type Opened = { readonly connection: UbusConnection; readonly socket: Socket; readonly closed: Promise<Error> };

async function open(
  t: Test,
  limits: Partial<ConnectionLimits> = {},
  onData?: (chunk: Buffer, socket: Socket) => void,
): Promise<Opened> {
  let socket: Socket | undefined;
  const path = await startServer(t, (accepted) => {
    socket = accepted;
    accepted.write(HELLO);
    if (onData !== undefined) accepted.on('data', (chunk) => onData(chunk, accepted));
  });
  let onClosed: (reason: Error) => void = () => undefined;
  const closed = new Promise<Error>((resolve) => {
    onClosed = resolve;
  });
  const connection = await UbusConnection.open(path, { ...DEFAULT_LIMITS, ...limits }, onClosed);
  t.teardown(() => connection.close());
  return { connection, socket: socket as Socket, closed };
}

t.test('HELLO gives the client its id', async (t) => {
  const { connection } = await open(t);
  t.equal(connection.clientId, 1234);
  t.ok(connection.isOpen);
});

t.test('a connection without a proper HELLO is refused', async (t) => {
  const refuse = async (onConnect: (socket: Socket) => void, message: RegExp, limits = DEFAULT_LIMITS) => {
    const path = await startServer(t, onConnect);
    const opening = UbusConnection.open(path, limits, () => t.fail('was never open'));
    await t.rejects(opening, { code: 'UBUS_CONNECTION_FAILED', message });
  };
  // ubusd does this to a user id that has no name.
  await refuse((socket) => socket.end(), /closed the connection/);
  await refuse(() => undefined, /no HELLO/, { ...DEFAULT_LIMITS, helloTimeoutMs: 30 });
  await refuse(
    (socket) => socket.write(frame(MessageType.STATUS, 0, 0, { status: 0 })),
    /expected HELLO, got message type 1/,
  );
  await refuse((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), /stream from ubusd is broken/);
  const nowhere = UbusConnection.open(join(folder, 'nowhere'), DEFAULT_LIMITS, () => undefined);
  await t.rejects(nowhere, { code: 'UBUS_CONNECTION_FAILED', message: /ENOENT/ });
});

t.test('an abort ends the attempt to connect', async (t) => {
  const path = await startServer(t, () => undefined);
  const reason = new Error('enough');
  const abort = new AbortController();
  const opening = UbusConnection.open(path, DEFAULT_LIMITS, () => undefined, abort.signal);
  setImmediate(() => abort.abort(reason));
  await t.rejects(opening, reason);
  await t.rejects(
    UbusConnection.open(path, DEFAULT_LIMITS, () => undefined, abort.signal),
    reason,
  );
});

for (const [what, bytes] of [
  ['another protocol version', Buffer.from('070200010000000000000004', 'hex')],
  ['an unknown message type', Buffer.from('000c00010000000000000004', 'hex')],
  ['a frame length below 4', Buffer.from('000200010000000000000003', 'hex')],
  ['a frame length above 1 MiB', Buffer.from('000200010000000000100001', 'hex')],
] as const) {
  t.test(`${what} ends the connection and fails what waits`, async (t) => {
    const { connection, socket, closed } = await open(t);
    const waiting = ping(connection);
    socket.write(bytes);
    await t.rejects(waiting, { code: 'UBUS_CONNECTION_FAILED' });
    t.match(await closed, { code: 'UBUS_CONNECTION_FAILED' });
    t.notOk(connection.isOpen);
    await t.rejects(ping(connection), { code: 'UBUS_CONNECTION_FAILED' });
  });
}

t.test('answers that nobody waits for, or from the wrong object, are ignored', async (t) => {
  const { connection, socket } = await open(t, { requestTimeoutMs: 2_000 });
  const call = invoke(connection, OBJECT, 'x', {}, 'call');
  socket.write(frame(MessageType.STATUS, 77, OBJECT, { status: 0 }));
  socket.write(frame(MessageType.DATA, 1, OBJECT + 1, { data: { wrong: true } }));
  socket.write(frame(MessageType.STATUS, 1, OBJECT + 1, { status: 5 }));
  socket.write(frame(MessageType.INVOKE, 1, 9, { objectId: 4_242, method: 'x' }));
  socket.write(frame(MessageType.NOTIFY, 1, 0, { objectId: 4_242, active: 1 }));
  socket.write(frame(MessageType.UNSUBSCRIBE, 1, 0, { objectId: 4_242 }));
  socket.write(frame(MessageType.INVOKE, 1, 9, {}));
  socket.write(HELLO);
  socket.write(frame(MessageType.DATA, 1, OBJECT, { data: { right: true } }));
  socket.write(frame(MessageType.STATUS, 1, OBJECT, { status: 0 }));
  t.same(await call, [{ right: true }]);
});

t.test('an answer that is not blobmsg fails its request and nothing else', async (t) => {
  const { connection, socket } = await open(t);
  const bad = invoke(connection, OBJECT, 'x', {}, 'call');
  const good = invoke(connection, OBJECT, 'y', {}, 'call');
  socket.write(frame(MessageType.DATA, 1, OBJECT, { data: Buffer.from('0300000800000003', 'hex') }));
  socket.write(frame(MessageType.DATA, 1, OBJECT, { data: { fine: 1 } }));
  socket.write(frame(MessageType.STATUS, 1, OBJECT, { status: 0 }));
  socket.write(frame(MessageType.DATA, 2, OBJECT, {}));
  socket.write(frame(MessageType.STATUS, 2, OBJECT, { status: 0 }));
  await t.rejects(bad, { code: 'UBUS_PARSE_ERROR', cause: { name: 'BlobmsgError' } });
  t.same(await good, [{}]);
  const nameless = lookup(connection, 'a*');
  socket.write(frame(MessageType.DATA, 3, 0, { objectId: 5 }));
  socket.write(frame(MessageType.STATUS, 3, 0, { status: 0 }));
  await t.rejects(nameless, { code: 'UBUS_PARSE_ERROR' });
  const idless = addObject(connection, { onInvoke: () => undefined });
  socket.write(frame(MessageType.STATUS, 4, 0, { status: 0 }));
  await t.rejects(idless, { code: 'UBUS_NO_DATA' });
  const unspecified = ping(connection);
  socket.write(frame(MessageType.STATUS, 5, 0, {}));
  await t.rejects(unspecified, { code: 'UBUS_UNKNOWN_ERROR' });
});

t.test('more answers to one request than anybody sends are refused', async (t) => {
  const { connection, socket } = await open(t, { maxReplies: 3 });
  const call = invoke(connection, OBJECT, 'x', {}, 'call');
  for (let i = 0; i < 5; i++) socket.write(frame(MessageType.DATA, 1, OBJECT, { data: { i } }));
  socket.write(frame(MessageType.STATUS, 1, OBJECT, { status: 0 }));
  await t.rejects(call, { code: 'UBUS_PARSE_ERROR', cause: { message: /more than 3 replies/ } });
});

t.test('requests without an answer, and bytes that nobody reads, are bounded', async (t) => {
  const { connection } = await open(t, { maxPending: 2, requestTimeoutMs: 50 });
  const waiting = [ping(connection), ping(connection)];
  await t.rejects(ping(connection), { code: 'UBUS_NO_MEMORY' });
  for (const request of waiting) await t.rejects(request, { code: 'UBUS_TIMEOUT' });
  await t.rejects(ping(connection), { code: 'UBUS_TIMEOUT' }, 'there is room again');
  const slow = await open(t, { maxQueuedBytes: 100_000 });
  slow.socket.pause();
  const data = { text: 'x'.repeat(50_000) };
  const flood = (): void => {
    for (let i = 0; i < 100; i++)
      slow.connection.post(MessageType.NOTIFY, 1, 0, { objectId: 1, method: 'm', data }, 'notify');
  };
  t.throws(flood, { code: 'UBUS_NO_MEMORY' });
});

t.test('a late answer does not reach the request that took its place', async (t) => {
  const { connection, socket } = await open(t);
  await t.rejects(invoke(connection, OBJECT, 'slow', {}, 'call', { timeoutMs: 10 }), { code: 'UBUS_TIMEOUT' });
  const next = invoke(connection, OBJECT, 'x', {}, 'call');
  socket.write(frame(MessageType.DATA, 1, OBJECT, { data: { late: true } }));
  socket.write(frame(MessageType.STATUS, 1, OBJECT, { status: 0 }));
  socket.write(frame(MessageType.DATA, 2, OBJECT, { data: { mine: true } }));
  socket.write(frame(MessageType.STATUS, 2, OBJECT, { status: 0 }));
  t.same(await next, [{ mine: true }]);
});

t.test('sequence numbers wrap around without meeting one that is still waiting', async (t) => {
  const { connection } = await open(t, { requestTimeoutMs: 60_000 });
  const pending = ping(connection);
  pending.catch(() => undefined);
  const seen = new Set<number>();
  for (let i = 0; i < 65_534; i++) seen.add(connection.nextSeq());
  t.equal(seen.size, 65_534);
  t.notOk(seen.has(1), 'the one that waits');
  t.notOk(seen.has(0));
  t.equal(connection.nextSeq(), 2);
});

t.test('messages that arrive in one piece with the id of a new object reach it', async (t) => {
  const { connection, socket } = await open(t);
  const heard: Message[] = [];
  const adding = addObject(connection, { onInvoke: (message) => heard.push(message) });
  socket.write(
    Buffer.concat([
      frame(MessageType.DATA, 1, 0, { objectId: OBJECT }),
      frame(MessageType.INVOKE, 9, 0, { objectId: OBJECT, method: 'early' }),
      frame(MessageType.STATUS, 1, 0, { status: 0 }),
    ]),
  );
  t.equal(await adding, OBJECT);
  t.equal(heard.length, 1);
});
