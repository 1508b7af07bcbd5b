import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Mac } from '../../../../agent/core/model.ts';
import { UbusClient } from '../../../../openwrt/node-openwrt-ubus/src/client.ts';
import { startRouter, startSource } from '../../../support/station-scene.ts';
import { UbusDaemon } from '../../../support/ubus-daemon/daemon.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-air-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const PHONE = 'aa:bb:cc:00:00:01';
const AP = 'phy0-ap0';

t.test('every release names its BSSs its own way and says join and leave its own way', async (t) => {
  const releases = [
    { release: '22.03', ap: 'wlan0-1' },
    { release: '23.05', ap: 'phy0-ap1' },
    { release: '24.10', ap: 'phy0.0-ap0' },
    { release: '25.12', ap: 'phy1.1-ap0' },
  ] as const;
  for (const { release, ap } of releases) {
    const { services, path } = await startRouter(t, { release, bss: [ap] });
    const { source, events } = await startSource(t, path);
    await services.stationJoins(PHONE, ap);
    await events.until(() => events.changes().length >= 1);
    await services.stationLeaves(PHONE, ap);
    await events.until(() => events.changes().length >= 2);
    t.same(
      events.changes(),
      [
        { kind: 'joined', mac: PHONE, port: ap },
        { kind: 'left', mac: PHONE, port: ap },
      ],
      release,
    );
    await source.close();
  }
});

t.test('each poll tells what hostapd counted, of guests only', async (t) => {
  const { services, path } = await startRouter(t, { privateBss: ['phy1-ap0'] });
  services.hostapd.counts(PHONE, AP, 5_000n, 70_000n);
  services.hostapd.counts('aa:bb:cc:00:00:99', 'phy1-ap0', 1n, 2n);
  const { events } = await startSource(t, path, { pollMs: 10 });
  const readings = () => events.all.flatMap((event) => (event.kind === 'air' ? event.readings : []));
  await events.until(() => readings().length > 1);
  t.match(readings()[0], { mac: PHONE, port: AP, upBytes: 5_000n, downBytes: 70_000n, signalDbm: -61 });
  t.same(new Set(readings().map(({ mac }) => mac)), new Set([PHONE]));
});

t.test('while a BSS does not answer nothing is said about counters', async (t) => {
  const { services, path } = await startRouter(t);
  services.hostapd.appears(PHONE, AP);
  const { events } = await startSource(t, path, { pollMs: 10, callTimeoutMs: 10 });
  await events.until((all) => all.some(({ kind }) => kind === 'air'));
  services.hostapd.isHanging = true;
  await events.until((all) => all.at(-1)?.kind === 'resync');
  const before = events.all.filter(({ kind }) => kind === 'air').length;
  const resyncs = () => events.all.filter(({ kind }) => kind === 'resync').length;
  const soFar = resyncs();
  await events.until(() => resyncs() > soFar + 2);
  t.equal(events.all.filter(({ kind }) => kind === 'air').length, before);
});

t.test('a station is sent away on request only, wherever it is on the guest network', async (t) => {
  const { services, path } = await startRouter(t, { privateBss: ['phy1-ap0'] });
  await services.stationJoins('aa:bb:cc:00:00:99', 'phy1-ap0');
  const { source, events } = await startSource(t, path);
  await services.stationJoins(PHONE, AP);
  await events.until(() => events.changes().length >= 1);
  t.equal(await source.kick(PHONE as Mac), 'kicked');
  await events.until(() => events.changes().length >= 2);
  t.same(events.changes().at(-1), { kind: 'left', mac: PHONE, port: AP });
  t.equal(await source.kick(PHONE as Mac), 'not-found');
  t.equal(await source.kick('aa:bb:cc:00:00:99' as Mac), 'not-found', 'the owner’s own devices are not ours to kick');
});

t.test('a hostapd that does not carry out a kick is said not to answer', async (t) => {
  const { services, path } = await startRouter(t);
  const problems: Error[] = [];
  const { source, events } = await startSource(t, path, { onProblem: (error) => problems.push(error) });
  await services.stationJoins(PHONE, AP);
  await events.until(() => events.changes().length >= 1);
  await services.hostapd.dies();
  t.equal(await source.kick(PHONE as Mac), 'no-answer');
  t.match(problems.at(-1)?.message, /del_client/);
});

t.test('netifd tells of the guest interface, and of others nothing is made', async (t) => {
  const path = join(folder, 'netifd.sock');
  const daemon = await UbusDaemon.start(path);
  t.teardown(() => daemon.close());
  const netifd = new UbusClient({ path });
  t.teardown(() => netifd.close());
  await netifd.ready();
  const object = await netifd.publish('network.interface', { dump: { handler: () => ({ interface: [] }) } });
  const { events } = await startSource(t, path);
  while (!object.hasSubscribers) await new Promise((resolve) => setImmediate(resolve));
  object.notify('interface.update', { interface: 'lan', l3_device: 'br-lan', device: 'br-lan' });
  object.notify('interface.down', { interface: 'guest', device: 'br-guest' });
  object.notify('interface.update', { interface: 'guest', l3_device: 'br-guest', device: 'br-guest' });
  const changes = () => events.all.filter(({ kind }) => kind === 'network-changed');
  await events.until(() => changes().length >= 2);
  t.equal(changes().length, 2);
});
