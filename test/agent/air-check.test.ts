import t from 'tap';
import { AirCheck } from '../../agent/air-check.ts';
import type { Mac } from '../../agent/core/model.ts';
import type { AirReading } from '../../agent/ports.ts';
import { LAPTOP, PHONE, PHONE_IP, Story, WLAN0 } from './core/support/story.ts';

const MB = 1_000_000n;

function reading(mac: Mac, upBytes: bigint, downBytes: bigint, packets = 0): AirReading {
  return { mac, port: WLAN0, upBytes, downBytes, packets };
}

/** A phone with a session; `see` compares air and billed totals. */
function watched() {
  const story = new Story();
  const id = story.paid();
  const check = new AirCheck();
  const see = (airDown: bigint, billed: bigint, packets = 0) => {
    story.counted(id, billed, `down:${PHONE_IP}`);
    return check.compare([reading(PHONE, 0n, airDown, packets)], story.state);
  };
  return { story, id, check, see };
}

t.test('nothing is said before two readings of one stay', (t) => {
  const { check, see } = watched();
  t.equal(check.health(), undefined);
  t.same(see(50n * MB, 1n * MB), [], 'what the air carried before the session is not compared');
  t.equal(check.health(), undefined);
  see(51n * MB, 2n * MB);
  t.match(check.health(), { check: 'counters', ok: true });
  t.end();
});

t.test('frame headers, the portal and DNS may cross the air unbilled', (t) => {
  const { check, see } = watched();
  see(0n, 0n);
  // 20 MB of payload in 60,000 packets with 54 bytes of header each, and 1.5 MB of the router's own.
  t.same(see(24_740_000n, 20n * MB, 60_000), []);
  t.match(check.health(), { ok: true });
  t.end();
});

t.test('more billed than the air carried is told once, with both numbers, and shown until it is right again', (t) => {
  const { check, see, id } = watched();
  see(0n, 0n);
  t.same(see(20n * MB, 22n * MB), [{ sessionId: id, airBytes: 20n * MB, billedBytes: 22n * MB }]);
  t.same(see(21n * MB, 23n * MB), []);
  t.match(check.health(), {
    ok: false,
    message: `packet filter and hostapd disagree (session ${id}: air 21000000, billed 23000000 bytes)`,
    fix: /billed for more than they got/,
  });
  see(80n * MB, 80n * MB);
  t.match(check.health(), { ok: true });
  t.end();
});

t.test('far more on the air than billed means that something passes the counters', (t) => {
  const { check, see } = watched();
  see(0n, 0n);
  t.equal(see(30n * MB, 10n * MB, 20_000).length, 1);
  t.match(check.health(), { ok: false, fix: /flow_offloading/ });
  t.end();
});

t.test('the bounds are what they say: 5 % and half a megabyte over, 5 %, headers and 2 MB under', (t) => {
  const over = watched();
  over.see(0n, 0n);
  t.same(over.see(20n * MB, 21_500_000n), []);
  t.equal(over.see(20n * MB, 21_500_001n).length, 1);
  const under = watched();
  under.see(0n, 0n);
  t.same(under.see(20n * MB, 16_940_000n, 1_000), []);
  const more = watched();
  more.see(0n, 0n);
  t.equal(more.see(20n * MB, 16_939_999n, 1_000).length, 1);
  t.end();
});

t.test('a counter that starts anew, as at each association, starts the comparison anew', (t) => {
  const { check, see } = watched();
  see(0n, 0n);
  see(20n * MB, 20n * MB);
  t.same(see(1n * MB, 60n * MB), [], 'associated again: 40 MB more are billed, but since when is not known');
  t.same(see(11n * MB, 70n * MB), []);
  t.match(check.health(), { ok: true });
  t.end();
});

t.test('a device that joins or is not on the air starts it anew; a session that is over is forgotten', (t) => {
  const { story, id, check } = watched();
  story.counted(id, 0n);
  check.compare([reading(PHONE, 0n, 0n)], story.state);
  story.counted(id, 50n * MB);
  t.same(check.compare([reading(LAPTOP, 0n, 0n)], story.state), [], 'the phone is wired, or away');
  t.same(check.compare([reading(PHONE, 0n, 0n)], story.state), []);
  story.counted(id, 90n * MB);
  t.equal(check.compare([reading(PHONE, 0n, 1n * MB)], story.state).length, 1);
  story.send({ kind: 'session-left', sessionId: id, reason: 'owner' });
  t.same(check.compare([reading(PHONE, 0n, 1n * MB)], story.state), []);
  t.match(check.health(), { ok: true });
  t.equal(check.reading(PHONE)?.downBytes, 1n * MB);
  t.equal(check.reading(LAPTOP), undefined);
  t.end();
});

t.test('of many that disagree three are named', (t) => {
  const story = new Story();
  const check = new AirCheck();
  const macs = [1, 2, 3, 4, 5].map((n) => `02:00:00:00:01:0${n}` as Mac);
  for (const mac of macs) story.send({ kind: 'trial-started', mac, bytes: 100n * MB, dayS: 0n });
  check.compare(
    macs.map((mac) => reading(mac, 0n, 0n)),
    story.state,
  );
  for (const [i, mac] of macs.entries()) story.counted(i + 1, 50n * MB, `up:${mac}`);
  t.equal(
    check.compare(
      macs.map((mac) => reading(mac, 0n, 0n)),
      story.state,
    ).length,
    5,
  );
  t.match(check.health()?.message, / and 2 more\)$/);
  t.end();
});
