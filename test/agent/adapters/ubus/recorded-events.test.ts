import t from 'tap';
import { airReadings } from '../../../../agent/adapters/ubus/air-readings.ts';
import { stationEventFromDhcp } from '../../../../agent/adapters/ubus/dhcp-notification.ts';
import { authorisedStations, stationOfNotification } from '../../../../agent/adapters/ubus/hostapd-clients.ts';
import type { DeviceName } from '../../../../agent/core/model.ts';
import { type BlobmsgTable, tableFromBytes } from '../../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { messageFromBytes } from '../../../../openwrt/node-openwrt-ubus/src/message.ts';
import { goldenCases } from '../../../support/ubus-golden.ts';

const GUESTS = ['br-guest' as DeviceName];

/** Every table that crossed the recorded bus of 24.10, with the method or event it came under ("" for an answer). */
const recorded = goldenCases('ubus-golden-openwrt.jsonl').flatMap(({ name, frames }) =>
  frames.flatMap(({ hex }) => {
    const { attributes } = hex === undefined ? {} : messageFromBytes(Buffer.from(hex, 'hex'));
    if (attributes?.data === undefined) return [];
    return [{ name, type: attributes.method ?? '', data: tableOrNothing(attributes.data) }];
  }),
);

/** What the real command sends is not always blobmsg. */
function tableOrNothing(bytes: Buffer): BlobmsgTable {
  try {
    return tableFromBytes(bytes);
  } catch {
    return {};
  }
}

const under = (type: string) => recorded.filter((entry) => entry.type === type);

t.test('get_clients of the real hostapd gives stations, and counters where its driver has them', (t) => {
  const replies = recorded.filter(({ data }) => 'clients' in data && 'freq' in data);
  t.ok(replies.length > 0, 'the capture has such replies');
  for (const { name, data } of replies) {
    const stations = authorisedStations(data);
    t.ok(stations, name);
    const readings = airReadings(data, 'phy0-ap0' as DeviceName);
    for (const { mac, upBytes, downBytes } of readings) {
      t.ok(stations?.has(mac), `${mac} is one of them`);
      t.ok(upBytes >= 0n && downBytes >= 0n);
    }
  }
  t.end();
});

t.test('the recorded life of a station names it in every notification that is acted on', (t) => {
  for (const type of ['assoc', 'sta-authorized', 'deauth', 'disassoc']) {
    const notifications = under(type);
    t.ok(notifications.length > 0, `${type} was recorded`);
    for (const { data } of notifications) t.match(stationOfNotification(data), /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  }
  t.end();
});

t.test('the recorded leases of dnsmasq are leases of the guest network', (t) => {
  const acks = under('dhcp.ack');
  t.ok(acks.length > 0);
  for (const { data } of acks) t.match(stationEventFromDhcp('dhcp.ack', data, GUESTS), { kind: 'leased' });
  for (const { data } of under('dhcp.release')) {
    t.match(stationEventFromDhcp('dhcp.release', data, GUESTS), { kind: 'released' });
  }
  t.end();
});

t.test('procd tells of a changed file under the field that is looked at', (t) => {
  const changes = under('config.change');
  t.ok(changes.length > 0);
  for (const { data } of changes) t.type(data['config'] ?? data['package'], 'string');
  t.end();
});
