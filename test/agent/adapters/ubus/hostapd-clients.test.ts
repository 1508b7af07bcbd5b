import t from 'tap';
import {
  authorisedStations,
  MAX_STATIONS_PER_BSS,
  portFromObjectPath,
  stationOfNotification,
} from '../../../../agent/adapters/ubus/hostapd-clients.ts';
import { fieldsFromBytes, tableFromFields } from '../../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { messageFromBytes } from '../../../../openwrt/node-openwrt-ubus/src/message.ts';
import { goldenCase } from '../../../support/ubus-golden.ts';

const PHONE = 'aa:bb:cc:00:00:01';

t.test('the reply of a real hostapd lists its stations', (t) => {
  const frame = goldenCase('hostapd-get_clients').frames.find(({ type, seq }) => type === 'DATA' && seq === 2);
  const { data } = messageFromBytes(Buffer.from(frame?.hex as string, 'hex')).attributes;
  const reply = tableFromFields(fieldsFromBytes(data as Buffer));
  t.same([...(authorisedStations(reply) ?? [])].sort(), [PHONE, 'aa:bb:cc:00:00:02']);
  t.end();
});

t.test('who is not both associated and authorised, or has no MAC, is not listed', (t) => {
  const clients = {
    [PHONE]: { assoc: true, authorized: true },
    'AA:BB:CC:00:00:02': { assoc: true, authorized: true },
    'aa:bb:cc:00:00:03': { assoc: true, authorized: false },
    'aa:bb:cc:00:00:04': { assoc: true },
    'aa:bb:cc:00:00:05': { authorized: true },
    'aa:bb:cc:00:00:06': { assoc: 1, authorized: 1 },
    'aa:bb:cc:00:00:07': null,
    'ff:ff:ff:ff:ff:ff': { assoc: true, authorized: true },
    constructor: { assoc: true, authorized: true },
  };
  t.same([...(authorisedStations({ freq: 2437, clients }) ?? [])], [PHONE, 'aa:bb:cc:00:00:02']);
  t.end();
});

t.test('what is no list of clients is not taken for an empty one', (t) => {
  for (const reply of [undefined, {}, { clients: null }, { clients: 'none' }, { clients: [] }]) {
    t.equal(authorisedStations(reply), undefined);
  }
  t.same(authorisedStations({ clients: {} }), new Set());
  t.end();
});

t.test('a BSS holds no more stations than the standard has association ids', (t) => {
  const clients = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, i) => [
      `aa:bb:cc:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
      { assoc: true, authorized: true },
    ]),
  );
  t.equal(authorisedStations({ clients })?.size, MAX_STATIONS_PER_BSS);
  t.end();
});

t.test('the interface of a BSS is the rest of its object’s name, in every release', (t) => {
  for (const name of ['wlan0', 'wlan0-1', 'phy0-ap0', 'phy0.0-ap0', 'guest'])
    t.equal(portFromObjectPath(`hostapd.${name}`), name);
  for (const path of [
    'hostapd',
    'hostapd.',
    'hostapd-auth',
    'dnsmasq',
    'hostapd.a b',
    'hostapd.;drop',
    'hostapd.sixteencharacters',
  ]) {
    t.equal(portFromObjectPath(path), undefined, path);
  }
  t.end();
});

t.test('a notification is about the station that its address names', (t) => {
  t.equal(stationOfNotification({ address: 'AA:BB:CC:00:00:01' }), PHONE);
  for (const data of [{}, { address: 5 }, { address: null }, { address: 'x' }, { address: '00:00:00:00:00:00' }]) {
    t.equal(stationOfNotification(data), undefined);
  }
  t.end();
});
