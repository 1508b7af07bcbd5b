/**
 * The stand-in daemon is given the recorded frames of clients and must answer with the recorded frames of the real one.
 * Where the recording shows only the caller, the replay plays the service behind the object "test".
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import { bytesFromMessage, MessageType, messageFromBytes } from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { RawSocket } from '../../support/raw-socket.ts';
import { UbusDaemon } from '../../support/ubus-daemon/daemon.ts';
import { type GoldenCase, type GoldenFrame, goldenCase, goldenCases } from '../../support/ubus-golden.ts';

const TEST_OBJECT = 0xc41bfc44;
const TEST_OWNER = 3727378274;

const LEFT_OUT: Readonly<Record<string, string>> = {
  'acl-allowed': 'access rules',
  'acl-list': 'access rules',
  'acl-denied': 'access rules',
  'acl-listen-denied': 'access rules',
  'acl-listen-allowed': 'access rules',
  'acl-send-denied': 'access rules',
  'acl-send-allowed': 'access rules',
  'acl-publish-denied': 'access rules',
  'acl-monitor-denied': 'access rules',
  'acl-invisible': 'access rules',
  monitor: 'recorded on the side of the monitor only: see monitor-list.test.ts',
  'close-after-send': 'a race in the real daemon',
  'large-1M': 'recorded without its bytes',
};

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
  #daemon: UbusDaemon | undefined;
  #provider: RawSocket | undefined;

  constructor(golden: GoldenCase, path: string) {
    this.#golden = golden;
    this.#path = path;
  }

  /** Runs all steps; yields what differs, nothing if all is equal. */
  async run(): Promise<string[]> {
    this.#daemon = await UbusDaemon.start(this.#path, { nextId: () => this.#ids.shift() ?? 0xffff_ffff });
    const differences: string[] = [];
    try {
      await this.#startProvider();
      for (const frame of this.#golden.frames) {
        const difference = frame.dir === 'c2s' ? await this.#send(frame) : await this.#expect(frame);
        if (difference !== undefined) differences.push(`${frame.n}: ${difference}`);
      }
    } finally {
      this.#provider?.close();
      for (const socket of this.#sockets.values()) socket.close();
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

  async #send(frame: GoldenFrame): Promise<undefined> {
    const socket = this.#sockets.get(frame.conn);
    if (frame.eof === true) {
      socket?.close();
      await settled();
      return undefined;
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
    const bytes = frame.hex === undefined ? longestFrame() : Buffer.from(frame.hex, 'hex');
    socket?.write(bytes);
    await settled();
    return undefined;
  }

  async #expect(frame: GoldenFrame): Promise<string | undefined> {
    if (frame.type === 'HELLO') {
      this.#ids.push(frame.peer as number);
      this.#clientIds.set(frame.conn, frame.peer as number);
      this.#sockets.set(frame.conn, await RawSocket.open(this.#path));
    }
    const socket = this.#sockets.get(frame.conn) as RawSocket;
    if (frame.eof === true) return socket.waiting === 0 ? undefined : `${socket.waiting} frames nobody expected`;
    // The real daemon tells even a provider that is gone; there is nobody to read it.
    if (socket.socket.destroyed) return undefined;
    await this.#actAsProvider(frame);
    const got = await socket.read();
    if (got === undefined) return 'connection closed';
    // The daemon's own counter of events runs through all recordings.
    if (frame.type === 'INVOKE' && frame.peer === 0) got.writeUInt16BE(frame.seq as number, 2);
    return got.toString('hex') === frame.hex ? undefined : `expected ${frame.hex}, got ${got.toString('hex')}`;
  }

  async #actAsProvider(frame: GoldenFrame): Promise<void> {
    const bytes = Buffer.from(frame.hex as string, 'hex');
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
  for (let turn = 0; turn < 4; turn++) await nextTurn();
}

/** The frame of malformed-len-max: INVOKE with a root of exactly 1 MiB of zeros. */
function longestFrame(): Buffer {
  const bytes = Buffer.alloc(1_048_584);
  bytes.write('000500010000000000100000', 'hex');
  return bytes;
}

const folder = mkdtempSync(join(tmpdir(), 'ubus-golden-'));
t.teardown(() => rmSync(folder, { recursive: true }));

for (const golden of goldenCases('ubus-golden.jsonl')) {
  t.test(
    `the stand-in daemon answers ${golden.name} as the real one did`,
    { skip: LEFT_OUT[golden.name] ?? false },
    async (t) => {
      t.same(await new Replay(golden, join(folder, 'ubus.sock')).run(), []);
    },
  );
}
