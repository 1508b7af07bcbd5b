import t from 'tap';
import { stationEventFromDhcp } from '../../../../agent/adapters/ubus/dhcp-notification.ts';
import type { DeviceName } from '../../../../agent/core/model.ts';
import { tableFromBytes } from '../../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { messageFromBytes } from '../../../../openwrt/node-openwrt-ubus/src/message.ts';
import { goldenCase } from '../../../support/ubus-golden.ts';

const GUEST = ['br-guest'] as DeviceName[];
const mac = 'aa:bb:cc:00:00:01';

t.test('the notifications of a real dnsmasq become leases and releases', (t) => {
  const events = goldenCase('dnsmasq-dhcp-events')
    .frames.filter(({ type, dir }) => type === 'INVOKE' && dir === 's2c')
    .map(({ hex }) => messageFromBytes(Buffer.from(hex as string, 'hex')).attributes)
    .map(({ method, data }) => stationEventFromDhcp(method as string, tableFromBytes(data as Buffer), GUEST));
  const laptop = { mac: 'aa:bb:cc:00:00:02', address: '192.168.44.165', hostname: 'laptop2' };
  t.same(events, [
    { kind: 'leased', lease: { mac, address: '192.168.44.164', hostname: 'phone1' } },
    { kind: 'leased', lease: laptop },
    { kind: 'leased', lease: laptop },
    { kind: 'released', mac: 'aa:bb:cc:00:00:02', address: '192.168.44.165' },
  ]);
  t.end();
});

t.test('old and new names of events and fields mean the same', (t) => {
  const released = { kind: 'released', mac, address: '10.0.0.2' };
  const leased = { kind: 'leased', lease: { mac, address: '10.0.0.2', hostname: 'a' } };
  t.same(stationEventFromDhcp('dhcp.ack', { mac, ip: '10.0.0.2', name: 'a', interface: 'br-guest' }, GUEST), leased);
  t.same(
    stationEventFromDhcp('dhcp.lease4', { mac, ipv4: '10.0.0.2', hostname: 'a', interface: 'br-guest' }, GUEST),
    leased,
  );
  t.same(stationEventFromDhcp('dhcp.lease4', { mac: 'aabbcc000001', ipv4: '10.0.0.2', hostname: 'a' }, GUEST), leased);
  for (const type of ['dhcp.release', 'dhcp.release4', 'dhcp.expire4']) {
    t.same(stationEventFromDhcp(type, { mac, ip: '10.0.0.2' }, GUEST), released, type);
  }
  t.end();
});

t.test('another network, another event and values that are none mean nothing', (t) => {
  const good = { mac, ip: '10.0.0.2' };
  t.equal(stationEventFromDhcp('dhcp.ack', { ...good, interface: 'br-lan' }, GUEST), undefined);
  t.equal(stationEventFromDhcp('dhcp.discover', good, GUEST), undefined);
  t.equal(stationEventFromDhcp('dhcp.ack', { ...good, mac: 7 }, GUEST), undefined);
  t.equal(stationEventFromDhcp('dhcp.ack', { ...good, mac: 'x' }, GUEST), undefined);
  t.equal(stationEventFromDhcp('dhcp.ack', { ...good, ip: '10.0.0.256' }, GUEST), undefined);
  t.equal(stationEventFromDhcp('dhcp.release', { mac }, GUEST), undefined);
  t.end();
});
