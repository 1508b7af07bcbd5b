import { readFileSync } from 'node:fs';
import t from 'tap';
import type { BlobmsgTable } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import { AgentScene, NODE, settled } from '../../support/agent-scene.ts';
import { onBus, paying } from '../../support/bus-scene.ts';
import { PHONE, PHONE_IP, WLAN0 } from '../core/support/story.ts';

const DOCUMENT = readFileSync(new URL('../../../docs/ubus.md', import.meta.url), 'utf8');

const only = (answer: BlobmsgTable | undefined, list: string): BlobmsgTable => {
  const rows = answer?.[list];
  if (!Array.isArray(rows) || rows.length !== 1) throw new Error(`${list} must have one row`);
  return rows[0] as BlobmsgTable;
};

t.test('the methods are those of docs/ubus.md, argument by argument', async (t) => {
  const { caller } = await onBus(t);
  const names = ['(unknown)', 'Array', 'Table', 'String', 'Integer', 'Integer', 'Integer', 'Boolean'];
  const [object] = await caller.lookup('shareagent');
  const listed = Object.entries(object?.methods ?? {}).map(([method, args]) => {
    const described = Object.entries(args).map(([name, type]) => `"${name}":"${names[type]}"`);
    return `\t"${method}":{${described.join(',')}}`;
  });
  const documented = DOCUMENT.split('\n').filter((line) => /^\t"/.test(line));
  t.same(listed, documented);
});

t.test('status says who, what is sold, what waits and how it is', async (t) => {
  const { scene, call } = await paying(t);
  scene.clock.ms += 5_000;
  await scene.proofs.closeInterval();
  await call('status');
  const status = await call('status');
  t.match(status, {
    version: '1.2.3',
    state: 'selling',
    not_selling: [],
    ...NODE,
    sessions: 1,
    guests_online: 1,
    clock: 'synced',
    bus: 'connected',
    chain: { connected: true, claimable_units: '150', settled_units: '0' },
    proofs: { pending: 1, accepted: 0, rejected: 0 },
    bytes_today: 10_000_000n,
    earned_today_units: '150',
    restart_needed: [],
    health: [{ check: 'clock', ok: true }, { check: 'bus' }, { check: 'proofs' }, { check: 'config', ok: true }],
  });
});

t.test('every reason of not selling is there, the clock among them; switched off is disabled', async (t) => {
  const { scene, call, write, reload } = await onBus(t);
  scene.notSelling = 'br-guest has no address; bring the guest network up';
  scene.clock.isSynced = false;
  t.match(await call('status'), {
    state: 'not-selling',
    not_selling: [/br-guest has no address/, /the clock is not set yet/],
    clock: 'unsynced',
    health: [
      { check: 'sale', ok: false, fix: 'bring the guest network up' },
      { check: 'clock', ok: false },
    ],
  });
  write((config) => ({ ...config, isEnabled: false }));
  reload.reload();
  t.match(await call('status'), { state: 'disabled', not_selling: [/switched off by the owner/, /clock/] });
});

t.test('a session has its name, its time and what the air says of it', async (t) => {
  const { scene, call, hostnames } = await paying(t);
  hostnames.heard({ mac: PHONE, address: PHONE_IP, hostname: 'phone-1' });
  const reading = {
    mac: PHONE,
    port: WLAN0,
    upBytes: 0n,
    downBytes: 0n,
    packets: 0,
    signalDbm: -61,
    rateUpKbit: 6_000,
  };
  scene.airCheck.compare([reading], scene.driver.state);
  scene.clock.ms += 90_000;
  const row = only(await call('sessions'), 'sessions');
  t.strictSame(row, {
    id: 1,
    mac: PHONE,
    macs: [PHONE],
    addresses: [PHONE_IP],
    hostname: 'phone-1',
    state: 'active',
    mode: 'hold',
    channel: row['channel'],
    started_s: scene.clock.wall().unixS - 90n,
    online_s: 0,
    bytes_up: 0n,
    bytes_down: 10_000_000n,
    left_bytes: 90_000_000n,
    credit_units: '1050',
    charged_units: '150',
    air: { signal_dbm: -61, rate_up_kbit: 6_000 },
  });
  scene.clock.isSynced = false;
  t.notOk('started_s' in only(await call('sessions'), 'sessions'), 'no date from a clock that is not set');
});

t.test('channels and proofs', async (t) => {
  const { scene, call } = await paying(t);
  t.match(only(await call('channels'), 'channels'), {
    state: 'active',
    deposit_units: '10000',
    accepted_units: '1050',
    charged_units: '150',
    claimed_units: undefined,
  });
  await scene.proofs.closeInterval();
  t.match(only(await call('proofs'), 'proofs'), { seq: 0, bytes: 10_000_000n, paid_units: '150', verdict: 'waiting' });
  t.match(await call('earnings'), { undated_bytes: 0n, days: { length: 7, 0: { bytes: 10_000_000n } } });
  t.same(await call('session_end', { id: 1 }), {});
  await settled();
  t.match(only(await call('channels'), 'channels'), { state: 'settled', claimed_units: '150' });
});

t.test('counts out of range and ids that are nobody’s are refused', async (t) => {
  const { call } = await onBus(t);
  for (const [method, args] of [
    ['proofs', { limit: 0 }],
    ['proofs', { limit: 1_009 }],
    ['earnings', { days: 32 }],
    ['session_end', {}],
    ['session_end', { id: 'one' }],
    ['session_extend', { bytes: 5 }],
    ['session_extend', { id: 1 }],
    ['session_extend', { id: 1, bytes: 0 }],
    ['session_extend', { id: 1, bytes: '5' }],
    ['price_set', {}],
    ['price_set', { per_mb_units: '-1' }],
    ['price_set', { per_minute_units: '1.5' }],
    ['station_kick', {}],
    ['station_kick', { mac: 'ff:ff:ff:ff:ff:ff' }],
  ] as const) {
    await t.rejects(call(method, args), { code: 'UBUS_INVALID_ARGUMENT' }, `${method} ${JSON.stringify(args)}`);
  }
  await t.rejects(call('session_end', { id: 7 }), { code: 'UBUS_NOT_FOUND' });
  await t.rejects(call('session_extend', { id: 7, bytes: 5 }), { code: 'UBUS_NOT_FOUND' });
  await t.rejects(call('session_extend', { id: 1, seconds: 60 }), { code: 'UBUS_NOT_SUPPORTED' });
});

t.test('the owner gives data: at once in the kernel, durable, and nothing is charged for it', async (t) => {
  const { scene, call, refused } = await paying(t);
  t.same(await call('session_extend', { id: 1, bytes: 2_000_000 }), { bytes: 2_000_000n });
  t.match(only(await call('sessions'), 'sessions'), { left_bytes: 92_000_000n });
  t.equal(scene.enforcer.carry(1, 200_000_000n, `down:${PHONE_IP}`), 92_000_000n, 'the kernel lets just that pass');
  t.match(scene.journal.load().sessions, [{ session: { trialBytes: 2_000_000n } }]);
  t.ok(scene.events().includes('session-extended'));
  await t.rejects(call('session_extend', { id: 1, bytes: 1_000_001 }), { code: 'UBUS_INVALID_ARGUMENT' });
  t.match(refused.at(-1), /bytes must be at most 1000000, all that is left of price\.gift_bytes_per_day/);
  t.same(await call('session_extend', { id: 1, bytes: 1_000_000 }), { bytes: 1_000_000n });
});

t.test('a price is written, counts at once for new guests, and never for who surfs', async (t) => {
  const { scene, call, prices, priceAnswer } = await paying(t);
  const answer = await call('price_set', { per_mb_units: '20', per_minute_units: '3' });
  t.match(answer, { per_mb_units: '20', per_minute_units: '3', now: { per_mb_units: '20' } });
  t.same(prices, [{ unitsPerMb: 20n, unitsPerMinute: 3n }]);
  t.match(scene.driver.state.channels.values().next().value, { tariff: { unitsPerMb: 10n, unitsPerMinute: 0n } });
  priceAnswer.value = { ok: false, reason: 'refused', message: 'everything would be free' };
  await t.rejects(call('price_set', { per_mb_units: '0' }), { code: 'UBUS_INVALID_ARGUMENT' });
  priceAnswer.value = { ok: false, reason: 'forbidden', message: 'EROFS' };
  await t.rejects(call('price_set', { per_mb_units: '5' }), { code: 'UBUS_PERMISSION_DENIED' });
});

t.test('the price list says what packages buy at this minute', async (t) => {
  const windows = [{ fromMinute: 1_320, toMinute: 360, tariff: { unitsPerMb: 5n, unitsPerMinute: 10n } }];
  const packages = [{ name: 'Coffee', units: 1_050n }];
  const { call } = await onBus(
    t,
    new AgentScene((config) => ({ ...config, price: { ...config.price, windows, packages } })),
  );
  t.strictSame(await call('price'), {
    per_mb_units: '10',
    per_minute_units: '0',
    open_fee_units: '50',
    min_deposit_units: '1000',
    trial_bytes: 1_000_000n,
    now: { per_mb_units: '5', per_minute_units: '10' },
    packages: [{ name: 'Coffee', price_units: '1050', bytes: 200_000_000n, seconds: 6_000 }],
    windows: [{ from: '22:00', to: '06:00', per_mb_units: '5', per_minute_units: '10' }],
  });
});

t.test('a kick goes to hostapd, and what became of it is the answer', async (t) => {
  const { scene, call } = await onBus(t);
  t.same(await call('station_kick', { mac: PHONE.toUpperCase() }), {});
  t.same(scene.stations.kicked, [PHONE]);
  scene.stations.kickAnswer = 'not-found';
  await t.rejects(call('station_kick', { mac: PHONE }), { code: 'UBUS_NOT_FOUND' });
  scene.stations.kickAnswer = 'no-answer';
  await t.rejects(call('station_kick', { mac: PHONE }), { code: 'UBUS_TIMEOUT' });
});

t.test('doctor answers what the command prints', async (t) => {
  const { call } = await onBus(t);
  t.match(await call('doctor'), {
    checks: [
      { name: 'nft', ok: true, level: 'ok', message: 'works' },
      { name: 'clock', ok: false, level: 'fail', message: 'wrong', fix: 'set it' },
      { name: 'disk', ok: true, level: 'warn', fix: 'clean it' },
    ],
  });
});
