/**
 * The stand-in daemon beside the real ubusd: the same random traffic of several clients, one of them not root, must bring the
 * same frames in the same order. Runs as root where there is a ubusd (UBUSD, or on the PATH).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { BlobWriter } from '../../../openwrt/node-openwrt-ubus/src/blob.ts';
import {
  bytesFromMessage,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from '../../../openwrt/node-openwrt-ubus/src/message.ts';
import { RawSocket } from '../../support/raw-socket.ts';
import { realDaemonCommand, startRealDaemon } from '../../support/real-ubusd.ts';
import type { AccessFile } from '../../support/ubus-daemon/access-rules.ts';
import { ROOT } from '../../support/ubus-daemon/bus-client.ts';
import { UbusDaemon } from '../../support/ubus-daemon/daemon.ts';

const ROUNDS = 6;
const STEPS = 150;
const CLIENTS = 3;
/** This one is nobody. */
const GUEST = 2;
const NOBODY = { uid: 65_534, gid: 65_534, user: 'nobody', group: 'nogroup' };

const PATHS = ['a', 'ab', 'abc', 'b', 'net.x', 'net.y', 'zz'];
const PATTERNS = [...PATHS, '*', 'a*', 'ab*', 'net.*', 'ubus.*', 'ubus.object.add', '', 'none*'];
const METHODS = ['get', 'set', 'query', 'add', 'remove', 'register', 'send'];
const FILES: readonly AccessFile[] = [
  {
    user: 'nobody',
    access: { a: { methods: ['get'] }, 'net.*': { methods: ['*'], acl: { see: true } }, zz: { methods: [] } },
    publish: ['ab*'],
    subscribe: ['net.*', 'a'],
    listen: ['ab', 'ubus.object.*'],
  },
  { group: 'nogroup', access: { 'ab*': { tags: ['x'], acl: { n: 1 } } }, send: ['a*'] },
  { user: 'root', group: 'nogroup', publish: ['zz'], send: ['zz'] },
  { publish: ['b'] },
];
const SIGNATURES: readonly OutgoingAttributes[] = [
  {},
  { signature: {} },
  { signature: { get: {}, set: { value: 3 } } },
  { signature: { query: {} } },
];
const PAYLOADS: readonly OutgoingAttributes[] = [{}, { data: {} }, { data: { n: 1, text: 'ä', list: [1.5, null] } }];

const command = realDaemonCommand();
const skip =
  command === undefined || process.getuid?.() !== 0 ? 'needs root and a real ubusd (UBUSD, or on the PATH)' : false;

/** xorshift32: the same script for both daemons. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

/** One bus under random traffic. */
class Traffic {
  readonly transcript: string[] = [];
  readonly #path: string;
  readonly #roll: (sides: number) => number;
  readonly #beforeGuest: (isGuest: boolean) => void;
  readonly #sockets = new Map<number, RawSocket>();
  readonly #relays: ChildProcess[] = [];
  /** Ids that the daemon gave, in the order of their making: told apart by their place. */
  readonly #ids: number[] = [];
  readonly #objects: number[] = [];
  readonly #types: number[] = [];
  readonly #clientIds: number[] = [];
  #seq = 0;

  constructor(path: string, seed: number, beforeGuest: (isGuest: boolean) => void) {
    this.#path = path;
    this.#roll = dice(seed);
    this.#beforeGuest = beforeGuest;
  }

  async run(): Promise<void> {
    for (let at = 0; at < CLIENTS; at++) await this.#open(at);
    for (let step = 0; step < STEPS; step++) {
      const at = this.#roll(CLIENTS);
      if (this.#roll(50) === 0) await this.#reopen(at);
      else await this.#speak(at);
    }
    for (const socket of this.#sockets.values()) socket.close();
    await Promise.all(this.#relays.map(ended));
    this.#normalise();
  }

  async #open(at: number): Promise<void> {
    this.#beforeGuest(at === GUEST);
    const socket = at === GUEST ? this.#openAsNobody() : await RawSocket.open(this.#path);
    const hello = (await socket.read()) as Buffer;
    this.#note(`${at} opens`, hello);
    this.#clientIds[at] = this.#know(hello.readUInt32BE(4));
    this.#sockets.set(at, socket);
  }

  /** A process of nobody's copies bytes between the bus and a socket of ours. */
  #openAsNobody(): RawSocket {
    const script = `const s=require('net').connect(${JSON.stringify(this.#path)});
      s.on('error',(e)=>{console.error(e);process.exit(1)});s.on('close',()=>process.exit());
      process.stdin.on('data',(d)=>s.write(d));process.stdin.on('end',()=>s.destroy());s.on('data',(d)=>process.stdout.write(d));`;
    const { uid, gid } = NOBODY;
    const child = spawn(process.execPath, ['-e', script], { uid, gid, env: {}, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#relays.push(child);
    return RawSocket.over(child.stdout, child.stdin);
  }

  async #reopen(at: number): Promise<void> {
    this.#sockets.get(at)?.close();
    this.#sockets.delete(at);
    if (at === GUEST) await ended(this.#relays.at(-1) as ChildProcess);
    // The end of one connection is seen before another's beginning.
    await this.#collect(`${at} is gone`);
    await this.#open(at);
    await this.#collect(`${at} is back`);
  }

  async #speak(at: number): Promise<void> {
    const [type, attributes, peer] = this.#message(at);
    this.#seq = (this.#seq + 1) & 0xffff;
    this.#sockets.get(at)?.write(bytesFromMessage(new BlobWriter(), type, this.#seq, peer, attributes));
    await this.#collect(`${at} sends ${type} ${this.#symbols(JSON.stringify(attributes))}`, at);
  }

  #message(at: number): [number, OutgoingAttributes, number] {
    const objectId = this.#pick(this.#objects) ?? 1;
    const one = <T>(list: readonly T[]): T => list[this.#roll(list.length)] as T;
    switch (this.#roll(16)) {
      case 0:
      case 1:
      case 2: {
        const path: OutgoingAttributes = this.#roll(4) === 0 ? {} : { objectPath: one(PATHS) };
        const typeId = this.#roll(5) === 0 ? this.#pick(this.#types) : undefined;
        return [MessageType.ADD_OBJECT, { ...path, ...(typeId ? { objectType: typeId } : {}), ...one(SIGNATURES) }, 0];
      }
      case 3:
        return [MessageType.REMOVE_OBJECT, this.#roll(8) === 0 ? {} : { objectId }, 0];
      case 4:
      case 5:
        return [MessageType.LOOKUP, this.#roll(3) === 0 ? {} : { objectPath: one(PATTERNS) }, this.#roll(2)];
      case 6:
      case 7:
      case 8:
        return [MessageType.INVOKE, { objectId, method: one(METHODS), ...one(PAYLOADS) }, objectId];
      case 9:
        return [one([1, 2]), { status: 0, objectId, ...one(PAYLOADS) }, this.#clientIds[this.#roll(CLIENTS)] ?? 0];
      case 10:
        return [MessageType.SUBSCRIBE, { objectId, target: this.#pick(this.#objects) ?? 2 }, 0];
      case 11:
        return [this.#roll(2) === 0 ? 8 : 9, { objectId, target: this.#pick(this.#objects) ?? 2 }, 0];
      case 12:
        return [10, { objectId, method: 'told', ...one([{}, { noReply: 1 }, { noReply: 0 }]), ...one(PAYLOADS) }, 7];
      case 13:
        return this.#system(1, 'register', { object: objectId | 0, pattern: one(PATTERNS) });
      case 14:
        return this.#system(1, 'send', { id: one(PATTERNS), data: one([{}, { n: at }]) });
      default:
        return this.#roll(3) > 0 ? this.#system(2, 'query', {}) : [MessageType.PING, { method: 'x', user: 'y' }, at];
    }
  }

  #system(objectId: number, method: string, data: object): [number, OutgoingAttributes, number] {
    return [MessageType.INVOKE, { objectId, method, data: data as never }, objectId];
  }

  /** Mostly one that exists, now and then one of the daemon's own or of nobody. */
  #pick(ids: readonly number[]): number | undefined {
    const place = this.#roll(ids.length + 2);
    if (place < ids.length) return ids[place];
    return place === ids.length ? 1 + this.#roll(3) : undefined;
  }

  /** Reads what everybody was sent, up to the answer to a ping of their own; first the speaker, so that all is done. */
  async #collect(what: string, first?: number): Promise<void> {
    const others = [...this.#sockets].filter(([at]) => at !== first);
    for (const [at, socket] of [...this.#sockets].filter(([at]) => at === first).concat(others)) {
      const mark = bytesFromMessage(new BlobWriter(), MessageType.PING, 0xfffe, 0xfefe_fefe, {});
      socket.write(mark);
      for (let frame = await socket.read(); ; frame = await socket.read()) {
        if (frame === undefined) throw new Error(`${what}: connection ${at} was closed`);
        if (frame.readUInt32BE(4) === 0xfefe_fefe) {
          if (frame.readUInt8(1) === MessageType.STATUS) break;
          continue;
        }
        this.#learn(frame);
        this.#note(`${what} -> ${at}`, frame);
      }
    }
  }

  /** The answer to an ADD_OBJECT is the only DATA that is made of an object id alone, or with a type. */
  #learn(frame: Buffer): void {
    const { type, attributes } = messageFromBytes(frame);
    const { objectId, objectType, objectPath, data } = attributes;
    if (type !== MessageType.DATA || objectId === undefined || objectPath !== undefined || data !== undefined) return;
    if (!this.#ids.includes(objectId)) this.#objects.push(this.#know(objectId));
    if (objectType !== undefined && !this.#ids.includes(objectType)) this.#types.push(this.#know(objectType));
  }

  #know(id: number): number {
    this.#ids.push(id);
    return id;
  }

  #note(what: string, frame: Buffer): void {
    this.transcript.push(`${what}: ${frame.toString('hex')}`);
  }

  /** Ids are random: each gets the number under which it was made. */
  #normalise(): void {
    for (const [i, line] of this.transcript.entries()) this.transcript[i] = this.#symbols(line);
  }

  #symbols(text: string): string {
    let replaced = text;
    for (const [place, id] of this.#ids.entries()) {
      const symbol = `<${String(place).padStart(6, '0')}>`;
      replaced = replaced.replaceAll(id.toString(16).padStart(8, '0'), symbol);
      replaced = replaced.replaceAll(String(id), symbol).replaceAll(String(id | 0), symbol);
    }
    return replaced;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
}

const folder = mkdtempSync(join(tmpdir(), 'ubus-standin-'));
t.teardown(() => rmSync(folder, { recursive: true }));

t.test(
  'random traffic brings the same frames from the stand-in and the real daemon',
  { skip, timeout: 300_000 },
  async (t) => {
    chmodSync(folder, 0o755);
    const rules = join(folder, 'acl.d');
    mkdirSync(rules);
    for (const [i, file] of FILES.entries())
      writeFileSync(join(rules, `${i}.json`), JSON.stringify(file), { mode: 0o644 });
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const path = join(folder, `bus${seed}`);
      const stop = await startRealDaemon(command as string, path, ['-A', rules]);
      const real = new Traffic(path, seed, () => undefined);
      await real.run().finally(stop);
      let isGuest = false;
      const credentials = () => (isGuest ? NOBODY : ROOT);
      const daemon = await UbusDaemon.start(path, { accessFiles: FILES, credentials });
      const ours = new Traffic(path, seed, (next) => {
        isGuest = next;
      });
      await ours.run().finally(() => daemon.close());
      t.ok(real.transcript.length > STEPS / 2);
      if (!t.same(ours.transcript, real.transcript, `seed ${seed}`)) return;
    }
  },
);
