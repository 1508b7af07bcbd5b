import t from 'tap';
import { MAX_ADDRESSES_PER_STATION, MAX_CLAIMS_PER_MINUTE, MAX_IDLE_STATIONS } from '../../../agent/core/limits.ts';
import type { DeviceName, IpAddress, Mac } from '../../../agent/core/model.ts';
import { kindsOf, LAPTOP, PHONE, PHONE_IP, Story, WLAN0, WLAN1 } from './support/story.ts';

const prefixes = [
  { address: '10.0.0.1' as IpAddress, length: 24 },
  { address: 'fd00::1' as IpAddress, length: 64 },
];
const V6 = 'fd00::abcd' as IpAddress;

t.test('a station without a session changes nothing in the kernel', (t) => {
  const story = new Story();
  t.same(story.send({ kind: 'station-joined', mac: PHONE, port: WLAN0 }), []);
  t.same(story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP }), []);
  t.same(story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 }), []);
  t.match(story.state.stations.get(PHONE), { port: WLAN0, addresses: [PHONE_IP], isAssociated: false });
  t.end();
});

t.test('a new address of a paying station reaches the kernel and the journal', (t) => {
  const story = new Story();
  const id = story.paid();
  t.same(story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP }), [
    { kind: 'reconcile' },
    { kind: 'store-sessions', sessionIds: [id] },
  ]);
  t.same(story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP }), []);
  t.same(kindsOf(story.send({ kind: 'address-released', mac: PHONE, address: PHONE_IP })), [
    'reconcile',
    'store-sessions',
  ]);
  t.same(story.send({ kind: 'address-released', mac: PHONE, address: PHONE_IP }), []);
  t.end();
});

t.test('a clone that left again is not waited for: the session is absent once the first is gone', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'station-joined', mac: PHONE, port: WLAN1 });
  t.same(story.send({ kind: 'station-left', mac: PHONE, port: WLAN1 }), []);
  t.match(story.state.stations.get(PHONE), { port: WLAN0, isAssociated: true, pendingPort: undefined });
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  t.match(story.state.stations.get(PHONE), { port: WLAN0, isAssociated: false });
  t.type(story.state.sessions.get(id)?.absentSinceMs, 'number');
  t.end();
});

t.test('a clone of a present station on another port waits until the first is gone', (t) => {
  const story = new Story();
  story.paid();
  t.match(story.send({ kind: 'station-joined', mac: PHONE, port: WLAN1 }), [
    { kind: 'log', event: 'second-association-held' },
  ]);
  t.equal(story.state.stations.get(PHONE)?.port, WLAN0);
  t.same(kindsOf(story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 })), ['reconcile', 'store-sessions']);
  t.match(story.state.stations.get(PHONE), { port: WLAN1, isAssociated: true });
  t.end();
});

t.test('joining the same port again is no change, and leaving marks the session absent', (t) => {
  const story = new Story();
  const id = story.paid();
  t.same(story.send({ kind: 'station-joined', mac: PHONE, port: WLAN0 }), []);
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  t.equal(story.state.sessions.get(id)?.absentSinceMs, story.nowMs);
  story.send({ kind: 'station-joined', mac: PHONE, port: WLAN0 });
  t.equal(story.state.sessions.get(id)?.absentSinceMs, undefined);
  t.same(story.send({ kind: 'station-left', mac: LAPTOP, port: WLAN0 }), []);
  t.end();
});

t.test('the bridge tells the port only where hostapd has not', (t) => {
  const story = new Story();
  const wired = 'lan1' as DeviceName;
  story.send({ kind: 'station-on-port', mac: PHONE, port: wired });
  t.equal(story.state.stations.get(PHONE)?.port, wired);
  story.send({ kind: 'station-on-port', mac: PHONE, port: WLAN1 });
  t.equal(story.state.stations.get(PHONE)?.port, WLAN1);
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 5n, dayS: 0n });
  t.same(story.send({ kind: 'station-on-port', mac: PHONE, port: WLAN0 }), []);
  t.equal(story.state.stations.get(PHONE)?.port, WLAN1);
  t.end();
});

t.test('seen addresses are bound inside the guest networks only, and not taken from a present owner', (t) => {
  const story = new Story();
  story.paid();
  const seen = (mac: Mac, address: IpAddress) =>
    story.send({ kind: 'addresses-seen', seen: [{ mac, address }], prefixes });
  t.same(seen(PHONE, 'fe80::1' as IpAddress), []);
  t.same(seen(PHONE, '8.8.8.8' as IpAddress), []);
  t.same(seen(PHONE, 'fd00:0:0:1::1' as IpAddress), []);
  t.same(kindsOf(seen(PHONE, V6)), ['reconcile', 'store-sessions']);
  t.same(seen(PHONE, V6), []);
  t.match(seen(LAPTOP, V6), [{ kind: 'log', event: 'address-claim-refused', details: { family: 6 } }]);
  story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  t.match(seen(LAPTOP, PHONE_IP), [{ kind: 'log', details: { family: 4 } }]);
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  seen(LAPTOP, V6);
  t.equal(story.state.addressOwner.get(V6), LAPTOP);
  t.notOk(story.state.stations.get(PHONE)?.addresses.includes(V6));
  t.end();
});

t.test('a lease outranks what packets claimed', (t) => {
  const story = new Story();
  story.send({ kind: 'addresses-seen', seen: [{ mac: LAPTOP, address: PHONE_IP }], prefixes });
  story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  t.equal(story.state.addressOwner.get(PHONE_IP), PHONE);
  t.end();
});

t.test('the oldest of too many addresses makes room', (t) => {
  const story = new Story();
  const address = (i: number) => `fd00::${(i + 1).toString(16)}` as IpAddress;
  const seen = Array.from({ length: MAX_ADDRESSES_PER_STATION + 1 }, (_, i) => ({ mac: PHONE, address: address(i) }));
  for (const one of seen) {
    story.nowMs += 2_000;
    story.send({ kind: 'addresses-seen', seen: [one], prefixes });
  }
  t.equal(story.state.stations.get(PHONE)?.addresses.length, MAX_ADDRESSES_PER_STATION);
  t.notOk(story.state.addressOwner.has(address(0)));
  t.end();
});

t.test('who claims address after address waits for the next minute; a lease does not wait', (t) => {
  const story = new Story();
  const address = (i: number) => `fd00::${(i + 1).toString(16)}` as IpAddress;
  const seen = Array.from({ length: MAX_CLAIMS_PER_MINUTE + 1 }, (_, i) => ({ mac: PHONE, address: address(i) }));
  const late = address(MAX_CLAIMS_PER_MINUTE);
  story.send({ kind: 'addresses-seen', seen, prefixes });
  t.equal(story.state.addressOwner.get(address(MAX_CLAIMS_PER_MINUTE - 1)), PHONE);
  t.notOk(story.state.addressOwner.has(late));
  story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  t.equal(story.state.addressOwner.get(PHONE_IP), PHONE);
  story.nowMs += 60_000;
  story.send({ kind: 'addresses-seen', seen: [{ mac: PHONE, address: late }], prefixes });
  t.equal(story.state.addressOwner.get(late), PHONE);
  t.end();
});

t.test('a storm of MACs forgets the oldest idle station, never one with a session', (t) => {
  const story = new Story();
  story.paid();
  const storm = (i: number) =>
    `06:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}` as Mac;
  story.send({ kind: 'address-leased', mac: storm(0), address: '10.0.0.99' as IpAddress });
  for (let i = 1; i <= MAX_IDLE_STATIONS; i++) {
    story.nowMs++;
    story.state = {
      ...story.state,
      stations: new Map(story.state.stations).set(storm(i), {
        mac: storm(i),
        addresses: [],
        lastSeenMs: story.nowMs,
        isAssociated: false,
      }),
    };
  }
  story.send({ kind: 'station-joined', mac: LAPTOP, port: WLAN0 });
  t.ok(story.state.stations.has(PHONE));
  t.notOk(story.state.stations.has(storm(0)));
  t.notOk(story.state.addressOwner.has('10.0.0.99' as IpAddress));
  t.end();
});

t.test('when every station has a session none is forgotten', (t) => {
  const story = new Story();
  story.paid();
  const everyone = new Map(Array.from({ length: MAX_IDLE_STATIONS + 2 }, (_, i) => [`x${i}` as Mac, 1]));
  const stations = new Map(
    [...everyone.keys()].map((mac) => [mac, { mac, addresses: [], lastSeenMs: 0, isAssociated: true }]),
  );
  story.state = { ...story.state, stations, sessionByMac: { size: 0, has: () => true, get: () => undefined } as never };
  story.send({ kind: 'address-leased', mac: LAPTOP, address: PHONE_IP });
  t.equal(story.state.stations.size, everyone.size + 1);
  t.end();
});

t.test('leaving a port where it is not leaves a station where it is', (t) => {
  const story = new Story();
  story.paid();
  const before = story.state;
  t.same(story.send({ kind: 'station-left', mac: PHONE, port: WLAN1 }), []);
  t.equal(story.state, before);
  t.end();
});

t.test('an address whose holder is forgotten is given back all the same', (t) => {
  const story = new Story();
  story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  story.state = { ...story.state, stations: new Map() };
  story.send({ kind: 'address-released', mac: PHONE, address: PHONE_IP });
  t.equal(story.state.addressOwner.size, 0);
  t.equal(story.state.stations.size, 0);
  t.end();
});
