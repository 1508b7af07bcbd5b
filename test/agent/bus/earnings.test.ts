import t from 'tap';
import { earningsTable } from '../../../agent/bus/earnings.ts';
import { EARNING_REASONS } from '../../../agent/earnings/earning-reasons.ts';
import { type EarningsInput, earnings, type WeekReward } from '../../../agent/earnings/earnings.ts';
import type { ProofRecord } from '../../../agent/ports.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import type { Verdict } from '../../../protocol/verdict.ts';

/** 2027-01-15 08:00 UTC. */
const NOW_S = 1_800_000_000n;
const DAY_S = 86_400n;
const signature: Hex = `0x${'5a'.repeat(64)}`;
const device: Hex = `0x${'d1'.repeat(20)}`;

function record(endS: bigint, bytes: bigint, verdict?: Verdict, clockState: 0n | 1n = 1n): ProofRecord {
  const proof = {
    device,
    epoch: 1n,
    seq: 0n,
    startS: endS - 600n,
    endS,
    bytesUp: bytes / 4n,
    bytesDown: bytes - bytes / 4n,
    paid: bytes / 1_000n,
    sessionsRoot: GENESIS_PREV,
    prev: GENESIS_PREV,
    clockState,
    signature,
  };
  const receipt = { collector: device, proof: GENESIS_PREV, receivedS: endS, signature };
  return { proof, digest: GENESIS_PREV, ...(verdict === undefined ? {} : { receipt: { ...receipt, verdict } }) };
}

/** Week of NOW_S. */
const EPOCH = NOW_S / 604_800n;

const input = (changes: Partial<EarningsInput>): EarningsInput => ({
  records: [],
  unsigned: [],
  open: { bytes: 0n, units: 0n },
  freeBytesToday: 0n,
  weeks: [],
  sessions: [],
  nowS: NOW_S,
  ...changes,
});
const tableOf = (days: number, changes: Partial<EarningsInput>) => earningsTable(earnings(input(changes), days));

t.test('a day is a funnel, and what dropped out of it has a reason', (t) => {
  const records = [
    record(NOW_S - 60n, 8_000n, 'valid'),
    record(NOW_S - 700n, 4_000n),
    record(NOW_S - 1_400n, 2_000n, 'late'),
    record(NOW_S - 2_100n, 1_000n, 'late'),
  ];
  const unsigned = [{ endS: NOW_S - 30n, isDated: true, bytes: 250n, units: 1n }];
  const { days } = tableOf(1, { records, unsigned, open: { bytes: 500n, units: 3n }, freeBytesToday: 70n });
  t.strictSame(days, [
    {
      date: '2027-01-15',
      metered_bytes: 15_820n,
      bytes: 15_750n,
      paid_units: '19',
      proven_bytes: 15_000n,
      accepted_bytes: 8_000n,
      rewarded_units: undefined,
      reasons: [
        { stage: 'upload', reason: 'waiting', bytes: 4_000n },
        { stage: 'collector', reason: 'late', bytes: 3_000n },
        { stage: 'sign', reason: 'not-signed', bytes: 250n },
        { stage: 'sign', reason: 'open-interval', bytes: 500n },
        { stage: 'meter', reason: 'free', bytes: 70n },
      ],
    },
  ]);
  t.end();
});

t.test('at every arrow what is missing is what the reasons name', (t) => {
  const records = [
    record(NOW_S - 60n, 8_000n, 'valid'),
    record(NOW_S - 90n, 50n, 'gap'),
    record(NOW_S - 700n, 4_000n),
    record(NOW_S - DAY_S, 900n, 'valid'),
  ];
  const week: WeekReward = { epoch: EPOCH, claimedUnits: 9n, rewardUnits: 1n, state: 'claimable' };
  for (const weeks of [[], [week], [{ ...week, state: 'paid' as const }], [{ ...week, state: 'running' as const }]]) {
    const open = { bytes: 500n, units: 3n };
    for (const day of earnings(input({ records, weeks, open, freeBytesToday: 7n }), 3).days) {
      const lost = (before: string) =>
        day.losses.filter((loss) => loss.before === before).reduce((sum, { bytes }) => sum + bytes, 0n);
      t.equal(day.meteredBytes - lost('paid'), day.paidBytes);
      t.equal(day.paidBytes - lost('proven'), day.provenBytes);
      t.equal(day.provenBytes - lost('accepted'), day.acceptedBytes);
      t.equal(day.acceptedBytes - lost('rewarded'), day.rewardedBytes);
      for (const { reason } of day.losses) t.match(EARNING_REASONS[reason], { what: /\w/, todo: /^[A-Z].*\.$/ });
    }
  }
  t.end();
});

t.test("a week's reward belongs to its days by what was accepted on them", (t) => {
  const records = [
    record(NOW_S - 60n, 3_000_000n, 'valid'),
    record(NOW_S - 60n, 9_000_000n, 'late'),
    record(NOW_S - DAY_S, 6_000_000n, 'valid'),
    record(NOW_S - 7n * DAY_S, 6_000_000n, 'valid'),
  ];
  // 15 January 2027 is a Friday; weeks begin on Thursdays.
  const weeks: readonly WeekReward[] = [
    { epoch: EPOCH, claimedUnits: 9_000n, rewardUnits: 810n, state: 'running' },
    { epoch: EPOCH - 1n, claimedUnits: 0n, rewardUnits: 0n, state: 'claimable' },
  ];
  const { days } = tableOf(8, { records, weeks });
  t.match(days[0], { rewarded_units: '270', accepted_bytes: 3_000_000n });
  t.match(days[1], { rewarded_units: '540', reasons: [{ stage: 'chain', reason: 'week-running', bytes: 6_000_000n }] });
  t.match(days[2], { rewarded_units: '0', accepted_bytes: 0n });
  t.match(days[7], { rewarded_units: '0', reasons: [{ stage: 'chain', reason: 'nothing-claimed' }] });
  t.end();
});

t.test('every day is there, newest first, also those without traffic; older proofs are left out', (t) => {
  const records = [record(NOW_S - DAY_S, 10n, 'valid'), record(NOW_S - 9n * DAY_S, 99n, 'valid')];
  const { days } = tableOf(3, { records });
  t.match(days, [
    { date: '2027-01-15', bytes: 0n, reasons: [] },
    { date: '2027-01-14', bytes: 10n, accepted_bytes: 10n },
    { date: '2027-01-13', bytes: 0n },
  ]);
  t.equal(days.length, 3);
  t.end();
});

t.test('what was closed before the clock was set has no day, signed or not', (t) => {
  const unsigned = [{ endS: 120n, isDated: false, bytes: 5n, units: 0n }];
  const table = tableOf(2, { records: [record(120n, 7n, undefined, 0n)], unsigned });
  t.equal(table.undated_bytes, 12n);
  t.match(table.days, [{ bytes: 0n }, { bytes: 0n }]);
  t.end();
});

t.test('while proofs are held the open interval says so', (t) => {
  const held = { heldBecause: 'journal damaged', open: { bytes: 5n, units: 1n } };
  t.match(tableOf(1, held).days, [{ reasons: [{ stage: 'sign', reason: 'held', bytes: 5n }] }]);
  t.equal(earnings(input(held), 1).heldBecause, 'journal damaged');
  t.end();
});
