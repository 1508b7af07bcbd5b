/**
 * The stand-in daemon is given the recorded frames of clients and must answer with the recorded frames of the real one.
 * Where the recording shows only the caller, the replay plays the service behind the object "test"; where it shows only a
 * monitor, those whom the monitor saw.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import { bytesFromMessage, MessageType, messageFromBytes } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { monitoredFromBytes } from '../../../openwrt/node-openwrt-ubus/src/monitor.ts';
import { RawSocket } from '../../support/raw-socket.ts';
import type { AccessFile } from '../../support/ubus-daemon/access-rules.ts';
import { type Credentials, ROOT } from '../../support/ubus-daemon/bus-client.ts';
import { UbusDaemon } from '../../support/ubus-daemon/daemon.ts';
import { bytesOfFrame, type GoldenCase, type GoldenFrame, goldenCase, goldenCases } from '../../support/ubus-golden.ts';

const TEST_OBJECT = 0xc41bfc44;
const TEST_OWNER = 3727378274;

/** The access file of the recording, as the descriptions of its cases tell. */
const ACCESS: AccessFile = {
  user: 'nobody',
  access: { test: { methods: ['ping', 'who'] } },
  listen: ['guest.*'],
  send: ['agent.*'],
};
const NOBODY: Credentials = { uid: 65_534, gid: 65_534, user: 'nobody', group: 'nogroup' };

function attribute(frame: GoldenFrame, name: string): unknown {
  return frame.attrs?.find(([candidate]) => candidate === name)?.[1];
}

class Replay {
  readonly #golden: GoldenCase;
  readonly #path: string;
  readonly #ids: number[] = [];
  readonly #sockets = new Map<string, RawSocket>();
  readonly #clientIds = new Map<string, number>();
  readonly #notified = new Set<number>();
  /** Clients whose frames only the monitor shows. */
  readonly #monitored = new Map<number, RawSocket>();
  #isGuestNext = false;
  #daemon: UbusDaemon | undefined;
  #provider: RawSocket | undefined;

  constructor(golden: GoldenCase, path: string) {
    this.#golden = golden;
    this.#path = path;
  }

  /** Runs all steps; yields what differs, nothing if all is equal. */
  async run(): Promise<string[]> {
    this.#daemon = await UbusDaemon.start(this.#path, {
      nextId: () => this.#ids.shift() ?? 0xffff_ffff,
      accessFiles: [ACCESS],
      credentials: () => (this.#isGuestNext ? NOBODY : ROOT),
    });
    const differences: string[] = [];
    try {
      await this.#startProvider();
      for (const frame of this.#golden.frames) {
        const difference = frame.dir === 'c2s' ? await this.#send(frame) : await this.#expect(frame);
        if (difference !== undefined) differences.push(`${frame.n}: ${difference}`);
      }
    } finally {
      this.#provider?.close();
      for (const socket of [...this.#sockets.values(), ...this.#monitored.values()]) socket.close();
      await this.#daemon.close();
    }
    return differences;
  }

  async #startProvider(): Promise<void> {
    const shown = goldenCase('list').frames.find(({ type }) => type === 'DATA');
    const { objectType, signature } = messageFromBytes(Buffer.from(shown?.hex as string, 'hex')).attributes;
    this.#ids.push(TEST_OWNER, TEST_OBJECT, objectType as number);
    this.#provider = await RawSocket.open(this.#path);
    await this.#provider.read();
    const add = { objectPath: 'test', signature: signature as Buffer };
    this.#provider.write(bytesFromMessage(new BlobWriter(), MessageType.ADD_OBJECT, 1, 0, add));
    await this.#provider.read();
    await this.#provider.read();
  }

  async #send(frame: GoldenFrame): Promise<string | undefined> {
    const socket = this.#sockets.get(frame.conn);
    if (frame.eof === true) {
      const seen = this.#golden.name === 'close-after-send' ? await this.#sendAndClose(socket as RawSocket) : undefined;
      socket?.close();
      await settled();
      return seen;
    }
    if (frame.type === 'ADD_OBJECT') {
      const reply = this.#golden.frames.find(
        ({ n, conn, type, seq }) => n > frame.n && conn === frame.conn && type === 'DATA' && seq === frame.seq,
      );
      for (const name of ['OBJID', 'OBJTYPE']) {
        const id = reply === undefined ? undefined : attribute(reply, name);
        if (typeof id === 'number') this.#ids.push(id);
      }
    }
    socket?.write(bytesOfFrame(frame));
    await settled();
    return undefined;
  }

  async #expect(frame: GoldenFrame): Promise<string | undefined> {
    if (frame.type === 'HELLO') {
      this.#ids.push(frame.peer as number);
      this.#clientIds.set(frame.conn, frame.peer as number);
      // The descriptions of these cases say who is who: the provider is root, all others are nobody.
      this.#isGuestNext = /^acl-(?!query)/.test(this.#golden.name) && frame.conn !== 'provider';
      this.#sockets.set(frame.conn, await RawSocket.open(this.#path));
    }
    const socket = this.#sockets.get(frame.conn) as RawSocket;
    if (frame.eof === true) return socket.waiting === 0 ? undefined : `${socket.waiting} frames nobody expected`;
    // The real daemon tells even a provider that is gone; there is nobody to read it.
    if (socket.socket.destroyed) return undefined;
    if (frame.type === 'MONITOR') await this.#actAsMonitored(frame);
    else await this.#actAsProvider(frame);
    const got = await socket.read();
    if (got === undefined) return 'connection closed';
    // The daemon's own counter of events runs through all recordings.
    if (frame.type === 'INVOKE' && frame.peer === 0) got.writeUInt16BE(frame.seq as number, 2);
    const expected = bytesOfFrame(frame);
    if (got.equals(expected)) return undefined;
    return `expected ${expected.toString('hex', 0, 4_096)}, got ${got.toString('hex', 0, 4_096)}`;
  }

  /** Writes the frame that the monitor is told of next, in the name of the client that sent it. */
  async #actAsMonitored(frame: GoldenFrame): Promise<void> {
    const seen = monitoredFromBytes(Buffer.from(frame.hex as string, 'hex').subarray(12));
    if (seen === undefined) throw new Error(`frame ${frame.n} is not a monitor message`);
    if (seen.type === MessageType.HELLO) {
      this.#ids.push(seen.clientId);
      this.#monitored.set(seen.clientId, await RawSocket.open(this.#path));
    }
    if (seen.isSent) return;
    const head = Buffer.alloc(12);
    head.writeUInt8(seen.type, 1);
    head.writeUInt16BE(seen.seq, 2);
    head.writeUInt32BE(seen.peer, 4);
    head.writeUInt32BE(4 + seen.payload.length, 8);
    const socket = seen.clientId === TEST_OWNER ? this.#provider : this.#monitored.get(seen.clientId);
    socket?.write(Buffer.concat([head, seen.payload]));
    await settled();
  }

  /** The raw client of close-after-send, whose frames were not recorded. Says what the listener got: nothing is right. */
  async #sendAndClose(listener: RawSocket): Promise<string | undefined> {
    const raw = await RawSocket.open(this.#path);
    await raw.read();
    const event = { objectId: 1, method: 'send', data: { id: 'bye.now', data: {} } };
    raw.write(bytesFromMessage(new BlobWriter(), MessageType.INVOKE, 1, 1, event));
    raw.close();
    await settled();
    return listener.waiting === 0 ? undefined : 'the event of a client that closed at once was delivered';
  }

  async #actAsProvider(frame: GoldenFrame): Promise<void> {
    const bytes = Buffer.from(bytesOfFrame(frame));
    const provider = this.#provider as RawSocket;
    if (frame.peer === TEST_OBJECT && messageFromBytes(bytes).attributes.objectId === TEST_OBJECT) {
      bytes.writeUInt32BE(this.#clientIds.get(frame.conn) as number, 4);
      provider.write(bytes);
    } else if (frame.type === 'INVOKE' && frame.peer === TEST_OWNER && !this.#notified.has(frame.seq as number)) {
      this.#notified.add(frame.seq as number);
      const { method, data, noReply } = messageFromBytes(bytes).attributes;
      const notify = {
        objectId: TEST_OBJECT,
        ...(method && { method }),
        ...(data && { data }),
        ...(noReply && { noReply }),
      };
      provider.write(bytesFromMessage(new BlobWriter(), MessageType.NOTIFY, frame.seq as number, TEST_OBJECT, notify));
    }
    await settled();
  }
}

/** Lets the daemon, which runs in this process, read what was written. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await nextTurn();
}

const folder = mkdtempSync(join(tmpdir(), 'ubus-golden-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const cases = goldenCases('ubus-golden.jsonl');
t.equal(cases.length, 98, 'every case of the recording');
for (const golden of cases) {
  t.test(`the stand-in daemon answers ${golden.name} as the real one did`, async (t) => {
    t.same(await new Replay(golden, join(folder, 'ubus.sock')).run(), []);
  });
}
