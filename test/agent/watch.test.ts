import { mock } from 'node:test';
import t, { type Test } from 'tap';
import type { IpAddress } from '../../agent/core/model.ts';
import { AgentScene, PREFIXES, settled } from '../support/agent-scene.ts';
import { carried, HOME, ID, SISTER } from './core/support/hand-over.ts';
import { LAPTOP, PHONE, PHONE_IP, WLAN0, WLAN1 } from './core/support/story.ts';

async function watching(t: Test, scene = new AgentScene()): Promise<AgentScene> {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  t.teardown(() => {
    scene.watch.close();
    mock.timers.reset();
  });
  await scene.watch.start();
  return scene;
}

async function served(t: Test): Promise<AgentScene> {
  const scene = await watching(t);
  const result = await scene.desk.open(PHONE, scene.openRequest());
  if (!result.ok) throw new Error(result.reason);
  return scene;
}

t.test('what the bus says reaches the core', async (t) => {
  const scene = await watching(t);
  const { stations, driver } = scene;
  const phone = () => driver.state.stations.get(PHONE);
  stations.say({ kind: 'joined', mac: PHONE, port: WLAN0 });
  t.match(phone(), { port: WLAN0, isAssociated: true });
  stations.say({ kind: 'leased', lease: { mac: PHONE, address: PHONE_IP } });
  t.strictSame(phone()?.addresses, [PHONE_IP]);
  stations.say({ kind: 'released', mac: PHONE, address: PHONE_IP });
  t.strictSame(phone()?.addresses, []);
  stations.say({ kind: 'left', mac: PHONE, port: WLAN0 });
  t.equal(phone()?.isAssociated, false);
});

t.test('after a resync the neighbours are listed, if anybody has a session', async (t) => {
  const scene = await watching(t);
  scene.stations.say({ kind: 'resync' });
  await settled();
  t.equal(scene.neighbours.reads, 0);
  await scene.desk.startTrial(PHONE);
  const v6 = '2001:db8::5' as IpAddress;
  scene.neighbours.rows = [...scene.neighbours.rows, { mac: PHONE, address: v6, port: WLAN1 }];
  scene.prefixes = [...PREFIXES, { address: '2001:db8::1' as IpAddress, length: 64 }];
  scene.stations.say({ kind: 'resync' });
  await settled();
  t.strictSame(scene.driver.state.stations.get(PHONE)?.addresses, [PHONE_IP, v6]);
});

t.test('a disk that was full while nobody was there sells again by itself', async (t) => {
  const scene = await watching(t);
  const { journal, driver, desk } = scene;
  const request = scene.openRequest();
  journal.failure = Object.assign(new Error('full'), { code: 'JOURNAL_FULL' });
  t.match(await desk.open(PHONE, request), { ok: false });
  t.match(driver.trouble, /journal cannot be written: full/);
  await scene.advance(10_000);
  t.match(driver.trouble, /full/, 'asked, and it is');
  journal.failure = undefined;
  await scene.advance(10_000);
  t.equal(driver.trouble, undefined);
  t.match(await desk.open(PHONE, request), { ok: true });
});

t.test('counters are sampled each second, and addresses without a binding are taken up', async (t) => {
  const scene = await served(t);
  scene.download(3_000_000n);
  const other = '10.0.0.77' as IpAddress;
  scene.enforcer.unbound = [{ mac: PHONE, address: other }];
  await scene.advance(1_000);
  t.equal(scene.desk.view(PHONE).downBytes, 3_000_000n);
  t.strictSame(scene.driver.state.stations.get(PHONE)?.addresses, [PHONE_IP, other]);
});

t.test('on a used-up quota the counters are read before anything is decided', async (t) => {
  const scene = await served(t);
  scene.line.calls.length = 0;
  scene.download(200_000_000n);
  await settled();
  t.equal(scene.line.calls[0], 'enforcer.read');
  t.match(scene.desk.view(PHONE), { phase: 'grace', isOnline: false, downBytes: 100_000_000n, chargedUnits: 1_050n });
});

t.test('a quota that says it is used up while much is left is made anew, not believed', async (t) => {
  const scene = await served(t);
  const plans = scene.enforcer.plans.length;
  scene.enforcer.say({ kind: 'depleted', sessionId: 1 });
  await settled();
  t.equal(scene.desk.view(PHONE).isOnline, true);
  t.equal(scene.enforcer.plans.length, plans + 1);
});

t.test(
  'a packet filter that others changed is repaired, at once when it is told and within seconds when not',
  async (t) => {
    const scene = await served(t);
    scene.enforcer.isIntact = false;
    scene.enforcer.say({ kind: 'disturbed', what: 'fw4 reload' });
    await settled();
    t.equal(scene.enforcer.isIntact, true);
    t.match(scene.logged.at(-1), { event: 'packet-filter-repaired', details: { why: 'fw4 reload' } });
    scene.enforcer.isIntact = false;
    await scene.advance(3_000);
    t.equal(scene.enforcer.isIntact, true);
  },
);

t.test('an edge that fails is logged and asked again; a slow one is not asked twice at once', async (t) => {
  const scene = await served(t);
  scene.line.failAt(1, 'refused', (call) => call === 'enforcer.read');
  await scene.advance(1_000);
  t.match(scene.logged.at(-1), { event: 'watch-failed', details: { work: 'sample' } });
  scene.line.calls.length = 0;
  scene.line.failAt(1, 'crash', (call) => call === 'enforcer.read');
  for (let n = 0; n < 5; n++) await scene.advance(1_000);
  t.equal(scene.line.calls.filter((call) => call === 'enforcer.read').length, 1);
});

t.test('an open that went through unseen is confirmed with the deposit that the chain knows', async (t) => {
  const scene = await watching(t);
  scene.line.failAt(1, 'answer-lost', (call) => call === 'chain.relayOpen');
  await scene.desk.open(PHONE, scene.openRequest());
  t.equal(scene.desk.view(PHONE).phase, 'pending');
  await scene.advance(5_000);
  t.match(scene.desk.view(PHONE), { phase: 'active', depositUnits: 10_000n, creditUnits: 1_050n });
});

t.test('an open without a deposit on chain is given up after two minutes, not before', async (t) => {
  const scene = await watching(t);
  scene.line.failAt(1, 'refused', (call) => call === 'chain.relayOpen');
  await scene.desk.open(PHONE, scene.openRequest());
  for (let n = 0; n < 24; n++) await scene.advance(5_000);
  t.equal(scene.desk.view(PHONE).phase, 'pending');
  for (let n = 0; n < 2; n++) await scene.advance(5_000);
  t.equal(scene.desk.view(PHONE).phase, 'none');
});

t.test(
  'a guest that asks for its deposit back on chain is not served any longer, and what it owes is claimed',
  async (t) => {
    const scene = await served(t);
    scene.download(10_000_000n);
    const [id, channel] = [...scene.chain.channels][0] ?? [];
    if (id === undefined || channel === undefined) throw new Error('no channel');
    for (let n = 0; n < 61; n++) await scene.advance(5_000);
    t.equal(scene.desk.view(PHONE).isOnline, true);
    scene.chain.channels.set(id, { ...channel, exitAt: 1_900_000_000n });
    for (let n = 0; n < 61; n++) await scene.advance(5_000);
    t.equal(scene.enforcer.installed.size, 0);
    t.match(scene.chain.claims, [{ id, units: 150n }]);
  },
);

t.test('a visitor who asks for the deposit back on chain goes home to be closed there', async (t) => {
  const scene = await watching(t);
  const one = carried();
  scene.chain.channels.set(ID, { deposit: 10_000n, claimed: 0n, exitAt: 1_900_000_000n, isClosed: false });
  scene.driver.dispatch({ kind: 'hand-over-arriving', carried: one });
  scene.driver.dispatch({ kind: 'hand-over-taken', carried: one, self: SISTER });
  t.equal(scene.driver.state.channels.get(ID)?.phase, 'active');
  for (let n = 0; n < 61; n++) await scene.advance(5_000);
  t.match(scene.driver.state.custody.get(ID)?.last.handOver, { from: SISTER, to: HOME, isOver: true });
  t.same(scene.chain.claims, []);
});

t.test('flow offload, or guest devices without an address, stop the sale until they are put right', async (t) => {
  const scene = new AgentScene();
  scene.flowtables = ['inet fw4 ft'];
  await watching(t, scene);
  t.match(scene.desk.quote(), { notSelling: /flow offload takes packets past the counters \(inet fw4 ft\)/ });
  scene.flowtables = [];
  scene.enforcer.say({ kind: 'changed-elsewhere' });
  scene.prefixes = [];
  await scene.advance(5_000);
  t.match(scene.desk.quote(), { notSelling: /br-guest has no address/ });
  scene.prefixes = PREFIXES;
  await scene.advance(5_000);
  t.equal(scene.watch.saleTrouble, undefined);
  t.match(scene.desk.quote(), { unitsPerMb: 10n });
  t.equal(scene.events().filter((event) => event === 'sale-stopped-by').length, 3, 'said once for each change');
});

t.test('an nft that cannot be asked stops the sale, not the agent, and is asked again', async (t) => {
  const scene = new AgentScene();
  scene.flowtables = new Error('nft cannot be run from "nft"');
  await watching(t, scene);
  t.match(scene.desk.quote(), { notSelling: /\(nft cannot be run from "nft"\); install nftables-json/ });
  scene.flowtables = [];
  await scene.advance(5_000);
  t.match(scene.desk.quote(), { unitsPerMb: 10n });
});

t.test('a guest who is not there after a restart of the agent is still served from its credit', async (t) => {
  const scene = await served(t);
  scene.download(10_000_000n);
  scene.watch.close();
  scene.restart();
  await scene.watch.start();
  t.match(scene.desk.view(PHONE), { phase: 'active', downBytes: 10_000_000n, bytesRemaining: 90_000_000n });
  t.equal(scene.desk.view(LAPTOP).phase, 'none');
});

t.test('a kernel that refuses at the start does not keep the agent from starting', async (t) => {
  const scene = new AgentScene();
  scene.line.failAt(1, 'refused', (call) => call === 'enforcer.reconcile');
  await watching(t, scene);
  t.ok(scene.events().includes('first-reconcile-failed'));
  t.match(scene.driver.trouble, /packet filter/);
  await scene.advance(1_000);
  t.equal(scene.driver.trouble, undefined);
});

t.test(
  'hostapd’s counters are compared with fresh ones of the kernel, and a disagreement is logged once',
  async (t) => {
    const scene = await served(t);
    const air = (downBytes: bigint) =>
      scene.stations.say({
        kind: 'air',
        readings: [{ mac: PHONE, port: WLAN0, upBytes: 0n, downBytes, packets: 0 }],
      });
    air(0n);
    await settled();
    scene.download(50_000_000n);
    air(50_000_000n);
    await settled();
    t.equal(scene.desk.view(PHONE).downBytes, 50_000_000n, 'read although no second has passed');
    t.match(scene.airCheck.health(), { ok: true });
    scene.download(40_000_000n);
    air(50_000_001n);
    await settled();
    air(50_000_002n);
    await settled();
    const told = scene.logged.filter(({ event }) => event === 'counters-disagree');
    t.match(told, [{ level: 'warn', details: { session: 1, airBytes: 50_000_001n, billedBytes: 90_000_000n } }]);
    t.equal(told.length, 1);
  },
);

t.test('an interface that changes is judged at once, not with the next turn', async (t) => {
  const scene = await watching(t);
  t.equal(scene.watch.saleTrouble, undefined);
  scene.prefixes = [];
  scene.stations.say({ kind: 'network-changed' });
  t.match(scene.watch.saleTrouble, /has no address/);
  scene.prefixes = PREFIXES;
  scene.stations.say({ kind: 'network-changed' });
  t.equal(scene.watch.saleTrouble, undefined);
});
