/** IPv6 neighbours by netlink: what `ip` would print of them, and `ip` again where that does not work. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { KernelNeighbours } from '../../../../agent/adapters/neighbours.ts';
import type { DeviceName, IpAddress } from '../../../../agent/core/model.ts';
import type { Addon } from '../../../../openwrt/node-netlink/src/addon.ts';
import '../../../support/own-testdir.ts';

const FIXTURE = new URL('../../../fixtures/netlink/neighbours.json', import.meta.url);
const { answers } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { answers: Record<'ipv6' | 'none', string> };
const ENOBUFS = -105;
/** `ip -6 neigh show dev br-guest` beside the recorded answer. */
const PRINTED = `fd09::2 lladdr aa:bb:cc:00:00:01 STALE
fd09::6 INCOMPLETE
fd09::3 lladdr aa:bb:cc:00:00:03 PERMANENT
fd09::5 FAILED
`;
const LISTED = [
  { mac: 'aa:bb:cc:00:00:01', address: 'fd09::2' },
  { mac: 'aa:bb:cc:00:00:03', address: 'fd09::3' },
];

function kernel(t: Test, index = '2') {
  const root = t.testdir({ net: { arp: '' }, class: { net: { 'br-guest': { ifindex: `${index}\n` } } } });
  const world = {
    answer: answers.ipv6 as string | number,
    printed: PRINTED,
    runs: 0,
    nowMs: 0,
    problems: [] as string[],
  };
  const addon: Addon = {
    open: () => 3,
    close: () => undefined,
    exchange: (_fd, _request, reply) =>
      typeof world.answer === 'number' ? world.answer : reply.write(world.answer, 'hex'),
  };
  const neighbours = new KernelNeighbours({
    guestDevices: ['br-guest'] as readonly string[] as readonly DeviceName[],
    procRoot: root,
    sysRoot: root,
    monotonicMs: () => world.nowMs,
    openAddon: () => addon,
    onProblem: (error) => world.problems.push(error.message),
    run: () => {
      world.runs += 1;
      return Promise.resolve(world.printed);
    },
  });
  const list = async () => {
    world.nowMs += 2_000;
    return await neighbours.list();
  };
  return { world, neighbours, list };
}

t.test('once it is what ip prints, ip is not started again', async (t) => {
  const { world, list, neighbours } = kernel(t);
  for (let i = 0; i < 5; i++) t.same(await list(), LISTED);
  t.equal(await neighbours.macOf('fd09::3' as IpAddress), 'aa:bb:cc:00:00:03');
  t.equal(world.runs, 1);
  t.same(world.problems, []);
});

t.test('where it is otherwise than ip prints, ip is believed', async (t) => {
  const { world, list } = kernel(t);
  world.printed = 'fd09::2 lladdr aa:bb:cc:00:00:99 STALE\n';
  for (let i = 0; i < 3; i++) t.same(await list(), [{ mac: 'aa:bb:cc:00:00:99', address: 'fd09::2' }]);
  t.equal(world.runs, 3);
  t.equal(world.problems.length, 1);
});

t.test('neighbours of another device are not taken, whatever the kernel filters', async (t) => {
  const { world, list } = kernel(t, '3');
  world.printed = '';
  t.same(await list(), []);
  t.same(await list(), []);
  t.equal(world.runs, 1);
});

t.test('a device that is not there, and a kernel that fails, are left to ip', async (t) => {
  const { world, list } = kernel(t, '');
  t.same(await list(), LISTED);
  t.same(await list(), LISTED);
  t.equal(world.runs, 2);
  const failing = kernel(t);
  await failing.list();
  failing.world.answer = ENOBUFS;
  for (let i = 0; i < 4; i++) t.same(await failing.list(), LISTED);
  t.equal(failing.world.runs, 5);
  failing.world.answer = answers.ipv6;
  t.same(await failing.list(), LISTED);
  t.equal(failing.world.runs, 6, 'not tried again at once');
  failing.world.nowMs += 60_000;
  t.same(await failing.list(), LISTED);
  t.equal(failing.world.runs, 6, 'but a minute later');
});
