import fc from 'fast-check';
import t from 'tap';
import { CLOSE_GAS, OPEN_GAS } from '../../../agent/core/gas.ts';
import {
  MAX_FREE_OPENS,
  MAX_FREE_OPENS_PER_MINUTE,
  MAX_OPENS_PER_DAY,
  MAX_OPENS_PER_HOUR,
  MAX_OPENS_PER_MAC_PER_HOUR,
} from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import {
  DAY_MS,
  judgeOpenLimits,
  MAX_OPEN_GAS_PER_DAY,
  restoredOpens,
  withFreeOpen,
  withOpen,
} from '../../../agent/core/open-limits.ts';
import type { AgentState } from '../../../agent/core/state.ts';
import { DEVICE, PHONE } from './support/story.ts';

const HOUR_MS = 3_600_000;
type Opens = AgentState['opens'];
const channels: AgentState['channels'] = new Map();
const mac = (n: number) => `02:00:00:00:00:${n.toString(16).padStart(2, '0')}` as Mac;

/** Whatever guests ask for: what the router relays. */
function relayed(asked: readonly { readonly afterMs: number; readonly from: number }[]): Opens {
  const all: { mac: Mac; atMs: number }[] = [];
  let opens: Opens = [];
  let nowMs = 0;
  for (const { afterMs, from } of asked) {
    nowMs += afterMs;
    if (judgeOpenLimits({ opens, channels }, DEVICE, mac(from), nowMs) !== undefined) continue;
    opens = withOpen(opens, mac(from), nowMs);
    all.push({ mac: mac(from), atMs: nowMs });
  }
  return all;
}

/** The most that any window of this length holds. */
function fullest(opens: Opens, windowMs: number): number {
  return Math.max(
    0,
    ...opens.map(({ atMs }) => opens.filter((o) => o.atMs >= atMs && o.atMs < atMs + windowMs).length),
  );
}

t.test('however MACs and moments are chosen, no hour and no day holds more opens than its limit', (t) => {
  const anyAsked = fc.array(fc.record({ afterMs: fc.nat(120_000), from: fc.nat(255) }), {
    maxLength: 900,
    size: 'max',
  });
  fc.assert(
    fc.property(anyAsked, (asked) => {
      const opens = relayed(asked);
      const macs = new Set(opens.map((open) => open.mac));
      for (const one of macs) {
        const own = opens.filter((open) => open.mac === one);
        if (fullest(own, HOUR_MS) > MAX_OPENS_PER_MAC_PER_HOUR) return false;
      }
      return fullest(opens, HOUR_MS) <= MAX_OPENS_PER_HOUR && fullest(opens, DAY_MS) <= MAX_OPENS_PER_DAY;
    }),
    { numRuns: 15 },
  );
  t.end();
});

t.test('a guest who changes its MAC all day long reaches the limit of the day and no further', (t) => {
  const asked = Array.from({ length: 2_000 }, (_, i) => ({ afterMs: 20_000, from: i % 251 }));
  const opens = relayed(asked);
  t.equal(opens.length, MAX_OPENS_PER_DAY);
  t.equal(BigInt(opens.length) * (OPEN_GAS + CLOSE_GAS), MAX_OPEN_GAS_PER_DAY);
  const refused = judgeOpenLimits({ opens, channels }, DEVICE, PHONE, 2_000 * 20_000);
  t.match(refused, { reason: 'too-many-opens', expected: `${MAX_OPENS_PER_DAY} opens a day in all` });
  t.equal(judgeOpenLimits({ opens, channels }, DEVICE, PHONE, DAY_MS + 20_000 * 2_000), undefined, 'the next day');
  t.end();
});

t.test('an open that cost nothing counts for its MAC, for an hour', (t) => {
  let opens: Opens = [];
  for (let n = 0; n < 300; n++) opens = withFreeOpen(withOpen(opens, mac(n % 50), n * 2_000), mac(n % 50));
  const nowMs = 600_000;
  t.equal(judgeOpenLimits({ opens, channels }, DEVICE, mac(99), nowMs), undefined, 'the others are not kept out');
  t.match(judgeOpenLimits({ opens, channels }, DEVICE, mac(1), nowMs), {
    reason: 'too-many-opens',
    expected: '6 opens an hour',
  });
  opens = withOpen(opens, mac(99), HOUR_MS + nowMs);
  t.same(opens, [{ mac: mac(99), atMs: HOUR_MS + nowMs }], 'then it is forgotten');
  t.same(withFreeOpen(opens, mac(1)), opens, 'there was none');
  const paid = [
    { mac: mac(1), atMs: 5 },
    { mac: mac(2), atMs: 6 },
  ];
  t.same(
    withFreeOpen([...paid, { mac: mac(1), atMs: 7 }], mac(1)),
    [...paid, { mac: mac(1), atMs: 7, isFree: true }],
    'the newest',
  );
  const many = Array.from({ length: MAX_FREE_OPENS + 9 }, () => ({ mac: mac(1), atMs: 1, isFree: true as const }));
  t.equal(withOpen([...many, ...paid], mac(3), 9).length, MAX_FREE_OPENS + 3, 'memory is bounded');
  t.end();
});

t.test(
  'opens that come to nothing take each other’s place, whatever their MACs; a minute later others are served',
  (t) => {
    let opens: Opens = [];
    const asked = { simulated: 0, refused: 0 };
    const MAC_AT = (n: number) =>
      `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${mac(n & 255).slice(-2)}` as Mac;
    for (let n = 0; n < 1_000; n++) {
      const nowMs = n * 900;
      if (judgeOpenLimits({ opens, channels }, DEVICE, MAC_AT(n), nowMs) !== undefined) {
        asked.refused += 1;
        continue;
      }
      opens = withFreeOpen(withOpen(opens, MAC_AT(n), nowMs), MAC_AT(n));
      asked.simulated += 1;
    }
    t.ok(asked.simulated <= 15 * MAX_FREE_OPENS_PER_MINUTE, `${asked.simulated} in a quarter of an hour`);
    t.ok(asked.refused > 0);
    t.ok(opens.length <= MAX_FREE_OPENS);
    const endMs = 999 * 900;
    t.match(judgeOpenLimits({ opens, channels }, DEVICE, PHONE, endMs), {
      reason: 'too-many-opens',
      expected: '60 opens a minute that came to nothing',
    });
    t.equal(judgeOpenLimits({ opens, channels }, DEVICE, PHONE, endMs + 60_000), undefined);
    t.end();
  },
);

t.test('an open counts until its hour is over, one that came to nothing for the others until its minute is', (t) => {
  const own: Opens = Array.from({ length: MAX_OPENS_PER_MAC_PER_HOUR }, () => ({ mac: PHONE, atMs: 0 }));
  const judge = (opens: Opens, nowMs: number) => judgeOpenLimits({ opens, channels }, DEVICE, PHONE, nowMs);
  t.match(judge(own, HOUR_MS - 1), { reason: 'too-many-opens' });
  t.equal(judge(own, HOUR_MS), undefined);
  const free: Opens = Array.from({ length: MAX_FREE_OPENS_PER_MINUTE }, (_, i) => ({
    mac: mac(i),
    atMs: 0,
    isFree: true,
  }));
  t.match(judge(free, 59_999), { reason: 'too-many-opens' });
  t.equal(judge(free, 60_000), undefined);
  t.end();
});

t.test('below the float nothing is opened, and the owner is told which key wants coin', (t) => {
  const gasPriceWei = 1_000n;
  const floor = gasPriceWei * (OPEN_GAS + CLOSE_GAS);
  const state = (balanceWei: bigint) => ({ opens: [], channels, costs: { gasPriceWei, balanceWei } });
  t.match(judgeOpenLimits(state(floor - 1n), DEVICE, PHONE, 0), {
    reason: 'not-selling',
    expected: new RegExp(DEVICE),
  });
  t.equal(judgeOpenLimits(state(floor), DEVICE, PHONE, 0), undefined);
  t.end();
});

t.test('a restart gives no new opens: those of the last day count, and one without a time as if made just now', (t) => {
  const mac = '02:00:00:00:00:09' as Mac;
  const nowS = 1_800_000_000n;
  const ago = (seconds: bigint) => ({ mac, atS: nowS - seconds });
  t.same(restoredOpens([ago(86_400n), ago(3_600n), ago(1n), { mac, atS: 0n }, ago(-5n)], 50_000, nowS), [
    { mac, atMs: 50_000 - 3_600_000 },
    { mac, atMs: 49_000 },
    { mac, atMs: 50_000 },
    { mac, atMs: 50_000 },
  ]);
  const opens = restoredOpens(
    Array.from({ length: MAX_OPENS_PER_MAC_PER_HOUR }, () => ago(10n)),
    50_000,
    nowS,
  );
  const state = { opens, channels: new Map() };
  t.match(judgeOpenLimits(state, '0xgas', mac, 50_000), { reason: 'too-many-opens' });
  t.equal(judgeOpenLimits({ ...state, opens: [] }, '0xgas', mac, 50_000), undefined);
  t.end();
});
