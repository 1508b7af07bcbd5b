/**
 * What node-openwrt-ubus costs: calls through it against the same calls as bytes made beforehand on a bare socket, in turn on
 * the same bus; notifications that arrive; memory over a million messages. The bus is a real ubusd if UBUSD names one or one
 * is on the PATH, else the stand-in. Daemon, service and notifier are processes of their own; the service is a bare socket
 * too, so that nothing of the library but the caller is in the ratio.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlobWriter } from '../../openwrt/node-openwrt-ubus/src/blob.ts';
import { UbusClient } from '../../openwrt/node-openwrt-ubus/src/client.ts';
import { bytesFromMessage, MessageType } from '../../openwrt/node-openwrt-ubus/src/message.ts';
import { LineProcess } from '../support/line-process.ts';
import { realDaemonCommand, startRealDaemon } from '../support/real-ubusd.ts';
import { median, type Report } from './report.ts';

const MAIN = fileURLToPath(new URL('ubus-main.ts', import.meta.url));
const DEPTH = 32;
/** Rates tried, lowest first; the last that lost nothing counts. */
const RATES = [10_500, 15_000, 20_000, 30_000];

/** As the agent runs (tools/build-agent.ts): V8's default young generation grows to 128 MiB under load, whatever the program. */
const SOAK_FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

/** Messages of one round of the warm-up. */
const WARM_UP = 300_000;
const LEAST_WARM_UPS = 3;
const MOST_WARM_UPS = 6;

/** Runs `count` calls with `depth` in flight. */
type Caller = (count: number, depth: number) => Promise<void>;

export async function benchUbus(isQuick: boolean): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-ubus-'));
  const path = join(folder, 'ubus.sock');
  const closers: (() => Promise<unknown>)[] = [];
  const start = async (role: string, ...flags: readonly string[]): Promise<LineProcess> => {
    const child = await LineProcess.start(process.execPath, [...flags, MAIN, role, path]);
    closers.unshift(() => child.close());
    return child;
  };
  try {
    const real = realDaemonCommand();
    if (real === undefined) await start('daemon');
    else closers.unshift(await startRealDaemon(real, path));
    await start('service');
    const notifier = await start('notifier');
    const client = new UbusClient({ path });
    closers.unshift(() => client.close());
    await client.ready();
    const [bench] = await client.lookup('bench');
    if (bench === undefined) throw new Error('the object "bench" is not on the bus');
    const bare = await bareCaller(path, bench.id);
    closers.unshift(() => Promise.resolve(bare.close()));
    const rounds = isQuick ? 5 : 15;
    const sequential = await compare(bare.run, libraryCaller(client), 1, rounds);
    const deep = await compare(bare.run, libraryCaller(client), DEPTH, rounds);
    const notifications = await fastestWithoutLoss(client, notifier, isQuick ? 1 : 3);
    const growth = await growthOverMessages(
      await start('soak', ...SOAK_FLAGS),
      notifier,
      isQuick ? WARM_UP : 1_000_000,
    );
    return {
      bench: 'ubus',
      checks: [
        { name: 'seq_ratio', value: sequential.ratio, bar: 0.7, better: 'higher' },
        { name: 'depth32_ratio', value: deep.ratio, bar: 0.7, better: 'higher' },
        { name: 'notify_per_s', value: notifications.perSecond, bar: 10_000, better: 'higher' },
        { name: 'rss_growth_mib', value: growth, bar: 5, better: 'lower' },
      ],
      notes: [
        `bus: ${real ?? 'the stand-in daemon'}`,
        `calls a second, bare and library: sequential ${sequential.perSecond}, ${DEPTH} in flight ${deep.perSecond}`,
        `notifications by rate: ${notifications.tried}`,
      ],
    };
  } finally {
    for (const close of closers) await close();
    rmSync(folder, { recursive: true });
  }
}

/** Ratio of calls a second, library to bare; a round of each in turn, of about 150 ms. */
async function compare(bare: Caller, library: Caller, depth: number, rounds: number) {
  const share = depth === 1 ? 1_000 : 3_000;
  const rate = async (caller: Caller): Promise<number> => {
    const startedMs = performance.now();
    await caller(share, depth);
    return (share / (performance.now() - startedMs)) * 1_000;
  };
  for (let i = 0; i < 3; i++) for (const caller of [bare, library]) await caller(share, depth);
  const ratios: number[] = [];
  const rates: { bare: number[]; library: number[] } = { bare: [], library: [] };
  for (let i = 0; i < rounds; i++) {
    const isBareFirst = i % 2 === 0;
    const first = await rate(isBareFirst ? bare : library);
    const second = await rate(isBareFirst ? library : bare);
    rates.bare.push(isBareFirst ? first : second);
    rates.library.push(isBareFirst ? second : first);
    ratios.push(isBareFirst ? second / first : first / second);
  }
  const perSecond = [rates.bare, rates.library].map((values) => Math.round(median(values))).join(' and ');
  return { ratio: median(ratios), perSecond };
}

function libraryCaller(client: UbusClient): Caller {
  return async (count, depth) => {
    let left = count;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const reply = await client.call('bench', 'ping');
        if (reply?.['pong'] !== true) throw new Error('ping was not answered with pong');
      }
    };
    await Promise.all(Array.from({ length: depth }, worker));
  };
}

/** The least that a client can do: write bytes made beforehand, walk the frames of what comes, count STATUS. */
async function bareCaller(path: string, objectId: number) {
  const request = bytesFromMessage(new BlobWriter(), MessageType.INVOKE, 0, objectId, {
    objectId,
    method: 'ping',
    data: {},
  });
  const socket = connect({ path });
  await new Promise<void>((resolve, reject) => {
    // HELLO
    socket.once('data', () => resolve());
    socket.once('error', reject);
  });
  let onStatus: () => void = () => undefined;
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 12) {
      const length = 8 + (bytes.readUInt32BE(at + 8) & 0xffffff);
      if (bytes.length - at < length) break;
      if (bytes[at + 1] === MessageType.STATUS) onStatus();
      at += length;
    }
    rest = bytes.subarray(at);
  });
  let seq = 0;
  const send = (): void => {
    const bytes = Buffer.from(request);
    seq = (seq + 1) & 0xffff;
    bytes.writeUInt16BE(seq, 2);
    socket.write(bytes);
  };
  const run: Caller = (count, depth) =>
    new Promise((resolve) => {
      let sent = 0;
      let done = 0;
      onStatus = () => {
        done += 1;
        if (done === count) resolve();
        else if (sent < count) {
          sent += 1;
          send();
        }
      };
      for (; sent < depth; sent++) send();
    });
  return { run, close: () => socket.destroy() };
}

/** Highest rate tried at which every notification arrived. */
async function fastestWithoutLoss(client: UbusClient, notifier: LineProcess, seconds: number) {
  let heard = 0;
  let last = -1;
  let disorder = 0;
  const subscription = await client.subscribe('bench.notify', {
    onNotify: ({ data }) => {
      heard += 1;
      if (data['n'] !== last + 1) disorder += 1;
      last = data['n'] as number;
    },
  });
  let perSecond = 0;
  const tried: string[] = [];
  for (const rate of RATES) {
    heard = 0;
    disorder = 0;
    last = -1;
    const count = rate * seconds;
    const sender = await notifier.ask({ rate, count });
    await drained(client);
    tried.push(`${rate}/s: ${count - heard} lost, ${disorder} out of order`);
    if (heard !== count || disorder > 0) break;
    perSecond = count / (sender['seconds'] as number);
  }
  await subscription.close();
  return { perSecond, tried: tried.join('; ') };
}

/** Resolves when all that was on its way has come. A bus whose queue is full drops answers too: then it is asked again. */
async function drained(client: UbusClient): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const isAnswered = await client.ping({ timeoutMs: 1_000 }).then(
      () => true,
      () => false,
    );
    if (isAnswered) return;
  }
  throw new Error('the bus has not answered a ping for 20 seconds');
}

/**
 * RSS after `messages` more, against RSS after a warm-up; both after a garbage collection. In the first half million messages
 * V8's old space grows once by about 30 MiB and keeps that, empty; the warm-up lasts until a round adds less than 1 MiB.
 */
async function growthOverMessages(soak: LineProcess, notifier: LineProcess, messages: number): Promise<number> {
  const measure = async (count: number): Promise<number> => {
    const [after] = await Promise.all([
      soak.ask({ messages: count }),
      notifier.ask({ rate: 10_000, count: Math.round(count / 10) }),
    ]);
    return after['rss'] as number;
  };
  let before = await measure(WARM_UP);
  for (let round = 2; round <= MOST_WARM_UPS; round++) {
    const after = await measure(WARM_UP);
    const isSettled = round >= LEAST_WARM_UPS && after - before < 2 ** 20;
    before = after;
    if (isSettled) break;
  }
  return ((await measure(messages)) - before) / 2 ** 20;
}
