import t from 'tap';
import { airReadings } from '../../../../agent/adapters/ubus/air-readings.ts';
import type { DeviceName } from '../../../../agent/core/model.ts';
import type { BlobmsgTable } from '../../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';

const AP = 'phy0-ap0' as DeviceName;
const PHONE = 'aa:bb:cc:00:00:01';

/** One station as the get_clients of the reference has it. */
function client(change: BlobmsgTable = {}): BlobmsgTable {
  return {
    auth: true,
    assoc: true,
    authorized: true,
    bytes: { rx: 123_456_789n, tx: 9_876_543_210n },
    airtime: { rx: 12_345_678n, tx: 987_654_321n },
    packets: { rx: 1_000, tx: 20_000 },
    rate: { rx: 72_000, tx: 144_500 },
    signal: -61,
    ...change,
  };
}

const readings = (clients: BlobmsgTable) => airReadings({ freq: 2437, clients }, AP);

t.test('rx is what the station sent, tx what it got; 22.03 tells its rates in kbit/s', (t) => {
  t.strictSame(readings({ [PHONE]: client() }), [
    {
      mac: PHONE,
      port: AP,
      upBytes: 123_456_789n,
      downBytes: 9_876_543_210n,
      packets: 21_000,
      signalDbm: -61,
      rateUpKbit: 72_000,
      rateDownKbit: 144_500,
    },
  ]);
  t.end();
});

t.test('23.05 to 25.12, which know mbo, tell rates 100 times too large', (t) => {
  const rate = { rx: 7_200_000, tx: 14_450_000 };
  t.match(readings({ [PHONE]: client({ mbo: false, rate }) }), [{ rateUpKbit: 72_000, rateDownKbit: 144_500 }]);
  // 24 Gbit/s (802.11be) a hundredfold is beyond 2^31, where blobmsg_add_u32 comes out negative.
  const wrapped = { rx: 2_402_000_000 | 0, tx: 0 };
  t.match(readings({ [PHONE]: client({ mbo: true, rate: wrapped }) }), [{ rateUpKbit: 24_020_000 }]);
  t.end();
});

t.test('packets beyond 2^31 come as negative numbers and are read as what they are', (t) => {
  t.match(readings({ [PHONE]: client({ packets: { rx: -1, tx: 1 } }) }), [{ packets: 4_294_967_296 }]);
  t.end();
});

t.test('a station whose driver gives no data has no reading, nor has one that is not authorised', (t) => {
  const { bytes: _, packets: __, rate: ___, signal: ____, ...silent } = client();
  t.strictSame(readings({ [PHONE]: silent }), []);
  t.strictSame(readings({ [PHONE]: client({ authorized: false }) }), []);
  t.match(readings({ [PHONE]: { ...silent, bytes: { rx: 1n, tx: 2n } } }), [{ upBytes: 1n, packets: 0 }]);
  t.end();
});

t.test('hostile and malformed replies are left out, never guessed', (t) => {
  t.strictSame(airReadings(undefined, AP), []);
  t.strictSame(airReadings({ clients: [] }, AP), []);
  t.strictSame(readings({ 'not a mac': client(), [PHONE]: 5 }), []);
  t.strictSame(readings({ [PHONE]: client({ bytes: { rx: -1n, tx: 2n } }) }), []);
  t.strictSame(
    readings({ [PHONE]: client({ bytes: { rx: 1, tx: 2n } }) }),
    [],
    'INT32 counters are not those of hostapd',
  );
  t.notOk('signalDbm' in (readings({ [PHONE]: client({ signal: 0 }) })[0] ?? {}));
  const crowd = Object.fromEntries(
    Array.from({ length: 3_000 }, (_, i) => [
      `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
      client(),
    ]),
  );
  t.equal(readings(crowd).length, 2_007);
  t.end();
});
