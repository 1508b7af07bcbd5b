/** Which way a set is read: by netlink once that agrees with nft, by nft where it is missing, refused or disagrees. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { counterMeaning } from '../../../../agent/adapters/nft/counter-reader.ts';
import { CounterSets } from '../../../../agent/adapters/nft/counter-sets.ts';
import { KernelSets, whyNotFromKernel } from '../../../../agent/adapters/nft/kernel-sets.ts';
import type { Json, JsonObject } from '../../../../agent/adapters/nft/nft-json.ts';
import { partsFromKey } from '../../../../agent/adapters/nft/set-key.ts';
import { setReader } from '../../../../agent/adapters/nft/set-reader.ts';
import { UnboundReader } from '../../../../agent/adapters/nft/unbound-reader.ts';
import type { Addon } from '../../../../openwrt/node-netlink/src/addon.ts';

const FIXTURE = new URL('../../../fixtures/netlink/set-elements.json', import.meta.url);
const { answers } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { answers: Record<string, string> };
const ENOBUFS = -105;
const EPERM = -1;
const DOWN4 = [{ sessionId: 7, key: 'down:192.168.77.20', bytes: 5_000n, packets: 22n }];

/** A kernel that gives these answers: what a set of that name holds, or an error. */
function world(kernel: Record<string, string | number>, nft: Record<string, readonly Json[]>) {
  const asked: string[] = [];
  const events: string[] = [];
  const addon: Addon = {
    open: () => 3,
    close: () => undefined,
    exchange: (_fd, request, reply) => {
      const set = Object.keys(kernel).find((name) => request.includes(`${name}\0`)) ?? 'missing';
      asked.push(`kernel ${set}`);
      const answer = kernel[set] ?? answers['missing'] ?? '';
      return typeof answer === 'number' ? answer : reply.write(answer, 'hex');
    },
  };
  const log = {
    info: (_details: object, event: string) => events.push(event),
    warn: (_details: object, event: string) => events.push(event),
  };
  const runner = {
    list: ({ set }: JsonObject): Promise<readonly JsonObject[] | undefined> => {
      const { name } = set as { readonly name: string };
      asked.push(`nft ${name}`);
      const elem = nft[name];
      return Promise.resolve(elem === undefined ? undefined : [{ set: { name, elem } }]);
    },
  };
  const clock = { nowMs: 0 };
  const sets = new KernelSets({ log, openAddon: () => addon, monotonicMs: () => clock.nowMs });
  return { kernel, nft, asked, events, runner, sets, clock };
}

function listed(val: string, comment: string, bytes: number, packets: number): Json {
  return { elem: { val, comment, counter: { bytes, packets } } };
}

const COUNTED = listed('192.168.77.20', '7 2000 20', 3_000, 2);

function down4Reader({ runner, sets }: ReturnType<typeof world>) {
  return setReader('count_down4', counterMeaning('count_down4'), runner, sets);
}

t.test('the first reading is held against nft’s, all others are the kernel’s alone', async (t) => {
  const scene = world({ count_down4: answers['count_down4'] ?? '' }, { count_down4: [COUNTED] });
  const reader = down4Reader(scene);
  t.same(await reader.read(), DOWN4);
  t.same(scene.asked, ['kernel count_down4', 'nft count_down4', 'kernel count_down4']);
  scene.asked.length = 0;
  t.same(await reader.read(), DOWN4);
  t.same(scene.asked, ['kernel count_down4']);
  t.same(scene.events, ['nft-sets-by-netlink']);
});

t.test('a listing that cannot lie between two readings turns netlink off for good', async (t) => {
  for (const wrong of [
    listed('192.168.77.20', '7 2000 20', 2_999, 2),
    listed('192.168.77.21', '7 2000 20', 3_000, 2),
  ]) {
    const scene = world({ count_down4: answers['count_down4'] ?? '' }, { count_down4: [wrong] });
    const reader = down4Reader(scene);
    t.equal((await reader.read())?.length, 1, 'nft’s reading is the one that counts');
    t.same(scene.events, ['nft-netlink-off']);
    scene.asked.length = 0;
    await reader.read();
    t.same(scene.asked, ['nft count_down4']);
  }
});

t.test('an empty set is held against nft’s once, and again when there is something in it', async (t) => {
  const scene = world({ count_down4: answers['empty'] ?? '' }, { count_down4: [] });
  const reader = down4Reader(scene);
  t.same(await reader.read(), []);
  t.same(scene.events, [], 'nothing was shown by it');
  scene.asked.length = 0;
  t.same(await reader.read(), []);
  t.same(scene.asked, ['kernel count_down4']);
  Object.assign(scene.kernel, { count_down4: answers['count_down4'] });
  Object.assign(scene.nft, { count_down4: [COUNTED] });
  scene.asked.length = 0;
  t.same(await reader.read(), DOWN4);
  t.same(scene.asked, ['kernel count_down4', 'nft count_down4', 'kernel count_down4']);
});

t.test('a set that is gone is gone by nft’s word, and netlink stays on', async (t) => {
  const scene = world({ count_down4: answers['count_down4'] ?? '' }, { count_down4: [COUNTED] });
  const reader = down4Reader(scene);
  await reader.read();
  Object.assign(scene.kernel, { count_down4: answers['missing'] });
  Object.assign(scene.nft, { count_down4: undefined });
  t.equal(await reader.read(), undefined);
  t.same(scene.events, ['nft-sets-by-netlink']);
});

t.test(
  'a refusal or an answer that does not parse is final, passing trouble is a rest when it comes three times',
  async (t) => {
    for (const final of [EPERM, `${answers['count_down4']?.slice(0, -8)}`]) {
      const scene = world({ count_down4: final }, { count_down4: [COUNTED] });
      t.same(await down4Reader(scene).read(), DOWN4);
      t.same(scene.events, ['nft-netlink-off']);
    }
    const scene = world({ count_down4: answers['count_down4'] ?? '' }, { count_down4: [COUNTED] });
    const reader = down4Reader(scene);
    await reader.read();
    for (let round = 0; round < 3; round++) {
      Object.assign(scene.kernel, { count_down4: ENOBUFS });
      t.same(await reader.read(), DOWN4, 'nft’s reading meanwhile');
      t.same(await reader.read(), DOWN4);
      Object.assign(scene.kernel, { count_down4: answers['count_down4'] });
      t.same(await reader.read(), DOWN4);
    }
    t.same(scene.events, ['nft-sets-by-netlink'], 'two in a row are forgiven');
    Object.assign(scene.kernel, { count_down4: ENOBUFS });
    for (let i = 0; i < 3; i++) await reader.read();
    t.same(scene.events, ['nft-sets-by-netlink', 'nft-netlink-rests']);
    Object.assign(scene.kernel, { count_down4: answers['count_down4'] });
    scene.asked.length = 0;
    await reader.read();
    scene.clock.nowMs = 60_000;
    await reader.read();
    t.same(scene.asked, ['nft count_down4', 'kernel count_down4'], 'a minute later it is tried again');
  },
);

t.test('without an addon nft is asked, and why is said once', async (t) => {
  const { runner, events } = world({}, { count_down4: [COUNTED] });
  const log = {
    info: () => undefined,
    warn: (details: object, event: string) => events.push(`${event} ${JSON.stringify(details)}`),
  };
  const openAddon = (): Addon => {
    throw new Error('not compiled');
  };
  const reader = setReader('count_down4', counterMeaning('count_down4'), runner, new KernelSets({ log, openAddon }));
  for (let i = 0; i < 3; i++) t.same(await reader.read(), DOWN4);
  t.same(events, ['nft-netlink-off {"why":"not compiled"}']);
});

t.test('the doctor is told whether it can work, and why not', (t) => {
  const answering = (result: string | number) => () =>
    ({
      open: () => 3,
      close: () => undefined,
      exchange: (_fd: number, _request: Buffer, reply: Buffer) =>
        typeof result === 'number' ? result : reply.write(result, 'hex'),
    }) satisfies Addon;
  t.equal(whyNotFromKernel(answering(answers['missing'] ?? '')), undefined, 'no such set: an answer');
  t.equal(whyNotFromKernel(answering(answers['empty'] ?? '')), undefined);
  t.match(whyNotFromKernel(answering(EPERM)), /EPERM/);
  const missing = (): Addon => {
    throw new Error('not compiled');
  };
  t.equal(whyNotFromKernel(missing), 'not compiled');
  t.end();
});

t.test('all counter sets: the empty ones are not asked for, one that is gone is named', async (t) => {
  const scene = world(
    { count_down4: answers['count_down4'] ?? '', count_down6: answers['count_down6'] ?? '' },
    { count_down4: [COUNTED], count_down6: [listed('2001:db8::1', '7 0 0', 80, 1)] },
  );
  const counters = new CounterSets(scene.runner, scene.sets);
  const both = [...DOWN4, { sessionId: 7, key: 'down:2001:db8::1', bytes: 80n, packets: 1n }];
  t.same(await counters.read((set) => set === 'count_up'), both);
  t.equal(scene.asked.includes('nft count_up'), false);
  t.equal(await counters.read(() => false), 'count_up');
});

t.test('addresses that wait to be bound are the same by netlink and by nft', async (t) => {
  const nft = {
    unbound4: [pair('02:00:00:00:00:01', '10.0.0.1'), pair('02:00:00:00:00:02', '10.0.0.2')],
    unbound6: [pair('02:00:00:00:00:01', '2001:db8::5')],
  };
  const scene = world({ unbound4: answers['unbound4'] ?? '', unbound6: answers['unbound6'] ?? '' }, nft);
  const reader = new UnboundReader(scene.runner, scene.sets, 0);
  const expected = [
    { mac: '02:00:00:00:00:01', address: '10.0.0.1' },
    { mac: '02:00:00:00:00:02', address: '10.0.0.2' },
    { mac: '02:00:00:00:00:01', address: '2001:db8::5' },
  ];
  t.same(await reader.read(), expected);
  scene.asked.length = 0;
  t.same(await reader.read(), expected);
  t.same(scene.asked, ['kernel unbound4', 'kernel unbound6']);
  t.same(scene.events, ['nft-sets-by-netlink']);
});

t.test('keys of every form that our sets have, and of none other', (t) => {
  t.same(partsFromKey('0200000003d9'), ['0200000003d9']);
  t.same(partsFromKey('0aff0001'), ['10.255.0.1']);
  t.same(partsFromKey('20010db8000000000000000000000001'), ['2001:0db8:0000:0000:0000:0000:0000:0001']);
  t.same(partsFromKey('02000000000100000a000001'), ['020000000001', '10.0.0.1']);
  t.same(partsFromKey('020000000001000020010db8000000000000000000000005').length, 2);
  for (const other of ['', '0a', '0a00000100', `${'00'.repeat(20)}`]) t.same(partsFromKey(other), []);
  t.end();
});

function pair(mac: string, address: string): Json {
  return { elem: { val: { concat: [mac, address] }, timeout: 30, expires: 20 } };
}
