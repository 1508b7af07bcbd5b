import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { startRouter, startSource } from '../../../support/station-scene.ts';
import { UbusDaemon } from '../../../support/ubus-daemon/daemon.ts';
import { OpenwrtServices } from '../../../support/ubus-daemon/openwrt-services.ts';

const folder = mkdtempSync(join(tmpdir(), 'ubus-stations-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const PHONE = 'aa:bb:cc:00:00:01';
const LAPTOP = 'aa:bb:cc:00:00:02';
const AP = 'phy0-ap0';

t.test('stations that are there already are reported when the source starts', async (t) => {
  const { services, path } = await startRouter(t);
  services.hostapd.appears(PHONE, AP);
  const { source, events } = await startSource(t, path);
  await events.until((all) => all.length > 1);
  t.same(events.changes(), [{ kind: 'joined', mac: PHONE, port: AP }]);
  t.same(await source.stations(), [{ mac: PHONE, port: AP }]);
  t.ok(source.isConnected());
});

t.test('a station joins and leaves once however many notifications say so', async (t) => {
  const { services, path } = await startRouter(t);
  const { events } = await startSource(t, path);
  await services.stationJoins(PHONE, AP);
  await services.stationLeaves(PHONE, AP);
  await services.stationJoins(LAPTOP, AP);
  await events.until(() => events.changes().length >= 3);
  t.same(events.changes(), [
    { kind: 'joined', mac: PHONE, port: AP },
    { kind: 'left', mac: PHONE, port: AP },
    { kind: 'joined', mac: LAPTOP, port: AP },
  ]);
});

t.test('a station that is not authorised yet has not joined', async (t) => {
  const { services, path } = await startRouter(t);
  const { source } = await startSource(t, path);
  await services.hostapd.joins(PHONE, AP, false);
  t.same(await source.stations(), []);
});

t.test('on OpenWrt 22.03, without sta-authorized, an association is confirmed by asking', async (t) => {
  const { services, path } = await startRouter(t, { release: '22.03', bss: ['wlan0'] });
  const { events } = await startSource(t, path);
  await services.stationJoins(PHONE, 'wlan0');
  await events.until(() => events.changes().length >= 1);
  t.same(events.changes(), [{ kind: 'joined', mac: PHONE, port: 'wlan0' }]);
});

t.test('a station that walks away without a word is gone with the next poll', async (t) => {
  const { services, path } = await startRouter(t);
  const { events } = await startSource(t, path, { pollMs: 20 });
  await services.stationJoins(PHONE, AP);
  await events.until(() => events.changes().length >= 1);
  services.hostapd.fades(PHONE, AP);
  services.hostapd.appears(LAPTOP, AP);
  await events.until(() => events.changes().length >= 3);
  t.same(events.changes().slice(1), [
    { kind: 'joined', mac: LAPTOP, port: AP },
    { kind: 'left', mac: PHONE, port: AP },
  ]);
});

t.test('a BSS that appears later is followed, and one on the owner’s network is not', async (t) => {
  const { services, path } = await startRouter(t, { privateBss: ['phy1-ap0'] });
  const { source, events } = await startSource(t, path);
  await services.stationJoins('aa:bb:cc:00:00:99', 'phy1-ap0');
  await services.hostapd.addBss('phy0-ap1');
  await events.until((all) => all.length > 0);
  await services.stationJoins(PHONE, 'phy0-ap1');
  await events.until(() => events.changes().length >= 1);
  t.same(await source.stations(), [{ mac: PHONE, port: 'phy0-ap1' }]);
  t.notOk(inspect(events.all, { depth: 5 }).includes('aa:bb:cc:00:00:99'));
});

t.test('DHCP leases of the guest network are reported under the old and the new event names', async (t) => {
  const { services, path } = await startRouter(t);
  const { events } = await startSource(t, path);
  await services.leaseAck(PHONE, '192.168.44.164', 'phone1');
  await services.system.leaseAck(LAPTOP, '192.168.1.7', 'owner', 'br-lan');
  await services.leaseRelease(PHONE, '192.168.44.164');
  await services.system.odhcpdLease('dhcp.lease4', LAPTOP, '192.168.44.165', 'laptop 2');
  await services.system.odhcpdLease('dhcp.expire4', LAPTOP, '192.168.44.165');
  await events.until(() => events.changes().length >= 4);
  t.same(events.changes(), [
    { kind: 'leased', lease: { mac: PHONE, address: '192.168.44.164', hostname: 'phone1' } },
    { kind: 'released', mac: PHONE, address: '192.168.44.164' },
    { kind: 'leased', lease: { mac: LAPTOP, address: '192.168.44.165', hostname: 'laptop2' } },
    { kind: 'released', mac: LAPTOP, address: '192.168.44.165' },
  ]);
});

t.test('values that are no MAC, address or name change nothing', async (t) => {
  const { services, path } = await startRouter(t);
  const { source, events } = await startSource(t, path);
  for (const data of [
    {},
    { mac: 5, ip: [] },
    { mac: PHONE },
    { mac: PHONE, ip: '1.2.3.4; reboot' },
    { mac: 'x', ip: '1.2.3.4' },
  ]) {
    await services.system.dnsmasqNotifies('dhcp.ack', data);
  }
  await services.system.dnsmasqNotifies('dhcp.unheard-of', { mac: PHONE, ip: '1.2.3.4' });
  await services.hostapd.joins('ff:ff:ff:ff:ff:ff', AP);
  await services.hostapd.joins('not a mac', AP);
  await services.leaseAck(PHONE, '192.168.44.9', '"; rm -rf /');
  await events.until(() => events.changes().length >= 1);
  t.same(events.changes(), [{ kind: 'leased', lease: { mac: PHONE, address: '192.168.44.9', hostname: 'rm-rf' } }]);
  t.same(await source.stations(), []);
});

t.test('the bus goes and comes back: nobody has left, and what changed meanwhile is found', async (t) => {
  const { daemon, services, path } = await startRouter(t);
  const { source, events } = await startSource(t, path, { departureMs: 5_000 });
  await services.stationJoins(PHONE, AP);
  await services.stationJoins(LAPTOP, AP);
  await events.until(() => events.changes().length >= 2);
  await daemon.close();
  services.hostapd.fades(LAPTOP, AP);
  const before = events.all.length;
  t.same((await source.stations()).length, 2, 'the last known picture stays');
  t.notOk(source.isConnected());
  const again = await UbusDaemon.start(path);
  t.teardown(() => again.close());
  await events.until((all) => all.slice(before).some(({ kind }) => kind === 'left'));
  await events.until((all) => all.slice(before).some(({ kind }) => kind === 'resync'));
  t.same(await source.stations(), [{ mac: PHONE, port: AP }]);
});

t.test('a restart of hostapd is survived, and a BSS that stays away takes its stations with it', async (t) => {
  const { services, path } = await startRouter(t);
  const { source, events } = await startSource(t, path, { departureMs: 1_500 });
  await services.stationJoins(PHONE, AP);
  await events.until(() => events.changes().length >= 1);
  await services.hostapd.dies();
  services.hostapd.appears(PHONE, AP);
  const before = events.all.length;
  await services.hostapd.respawned();
  await events.until((all) => all.slice(before).some(({ kind }) => kind === 'resync'));
  t.same(await source.stations(), [{ mac: PHONE, port: AP }]);
  t.equal(events.changes().length, 1, 'the guest was there all the time');
  await services.hostapd.dies();
  await events.until(() => events.changes().some(({ kind }) => kind === 'left'));
  t.same(await source.stations(), []);
});

t.test('a hostapd that does not answer is reported and its stations stay', async (t) => {
  const { services, path } = await startRouter(t);
  const problems: Error[] = [];
  const { source, events } = await startSource(t, path, {
    callTimeoutMs: 500,
    onProblem: (error) => problems.push(error),
  });
  await services.stationJoins(PHONE, AP);
  await events.until(() => events.changes().length >= 1);
  services.hostapd.isHanging = true;
  const before = events.all.length;
  t.same(await source.stations(), [{ mac: PHONE, port: AP }]);
  t.match(problems.at(-1), { code: 'UBUS_TIMEOUT' });
  // One for each look that was due meanwhile.
  t.same(new Set(events.all.slice(before).map(({ kind }) => kind)), new Set(['resync']));
});

t.test('without a bus the source starts all the same and picks up when the bus comes', async (t) => {
  const path = join(folder, 'absent.sock');
  const { source, events } = await startSource(t, path);
  t.notOk(source.isConnected());
  t.same(await source.stations(), []);
  const daemon = await UbusDaemon.start(path);
  t.teardown(() => daemon.close());
  const services = new OpenwrtServices({ socketPath: path });
  t.teardown(() => services.close());
  await services.start();
  await services.stationJoins(PHONE, AP);
  await events.until(() => events.changes().length >= 1);
  t.same(await source.stations(), [{ mac: PHONE, port: AP }]);
});
