/** Whatever happened: at each arrow of each day the bytes that are missing are those that the reasons name, to the byte. */
import fc from 'fast-check';
import t from 'tap';
import { type Arrow, type DayEarnings, type EarningsInput, earnings } from '../../../agent/earnings/earnings.ts';
import type { ProofRecord } from '../../../agent/ports.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import { VERDICTS } from '../../../protocol/verdict.ts';

const NOW_S = 1_795_305_600n + 40_000n;
const DAY_S = 86_400n;
const DAYS = 9;
const NOBODY = `0x${'00'.repeat(20)}` as const;

const bytes = fc.bigInt({ min: 0n, max: 1n << 50n });
const endS = fc.bigInt({ min: NOW_S - DAY_S * 12n, max: NOW_S });
const interval = fc.record({ endS, isDated: fc.boolean(), bytes, units: bytes });

const proofRecord: fc.Arbitrary<ProofRecord> = fc
  .record({
    endS,
    up: bytes,
    down: bytes,
    paid: bytes,
    isDated: fc.boolean(),
    verdict: fc.option(fc.constantFrom(...VERDICTS)),
  })
  .map(({ endS, up, down, paid, isDated, verdict }) => ({
    digest: GENESIS_PREV,
    proof: {
      device: NOBODY,
      epoch: 0n,
      seq: 0n,
      startS: endS,
      endS,
      bytesUp: up,
      bytesDown: down,
      paid,
      sessionsRoot: GENESIS_PREV,
      prev: GENESIS_PREV,
      clockState: isDated ? 1n : 0n,
      signature: `0x${'00'.repeat(64)}` as const,
    },
    ...(verdict === null
      ? {}
      : {
          receipt: {
            collector: NOBODY,
            proof: GENESIS_PREV,
            verdict,
            receivedS: endS,
            signature: `0x${'00'.repeat(64)}` as const,
          },
        }),
  }));

const week = fc
  .record({ back: fc.nat(2), claimedUnits: bytes, rewardUnits: bytes, isPaid: fc.boolean() })
  .map(({ back, claimedUnits, rewardUnits, isPaid }) => ({
    epoch: NOW_S / (7n * DAY_S) - BigInt(back),
    claimedUnits,
    rewardUnits,
    state: back === 0 ? ('running' as const) : isPaid ? ('paid' as const) : ('claimable' as const),
  }));

const input: fc.Arbitrary<EarningsInput> = fc
  .record({
    records: fc.array(proofRecord, { maxLength: 30 }),
    unsigned: fc.array(interval, { maxLength: 8 }),
    open: fc.record({ bytes, units: bytes }),
    freeBytesToday: bytes,
    weeks: fc.uniqueArray(week, { selector: ({ epoch }) => epoch, maxLength: 3 }),
    isHeld: fc.boolean(),
  })
  .map(({ isHeld, ...rest }) => ({
    ...rest,
    sessions: [],
    nowS: NOW_S,
    ...(isHeld ? { heldBecause: 'damaged' } : {}),
  }));

const lostBefore = (day: DayEarnings, arrow: Arrow): bigint =>
  total(day.losses.filter(({ before }) => before === arrow).map((loss) => loss.bytes));

t.test('the differences at each arrow add up exactly', (t) => {
  fc.assert(
    fc.property(input, (given) => {
      for (const day of earnings(given, DAYS).days) {
        equal(day.meteredBytes - day.paidBytes, lostBefore(day, 'paid'), `${day.date} paid`);
        equal(day.paidBytes - day.provenBytes, lostBefore(day, 'proven'), `${day.date} proven`);
        equal(day.provenBytes - day.acceptedBytes, lostBefore(day, 'accepted'), `${day.date} accepted`);
        equal(day.acceptedBytes - day.rewardedBytes, lostBefore(day, 'rewarded'), `${day.date} rewarded`);
      }
    }),
  );
  t.pass();
  t.end();
});

t.test('no byte is on two days or on none, and no week gives more than its reward', (t) => {
  fc.assert(
    fc.property(input, (given) => {
      // All that there is lies within these days.
      const { days, undatedBytes } = earnings(given, 14);
      const all =
        total(given.records.map(({ proof }) => proof.bytesUp + proof.bytesDown)) +
        total(given.unsigned.map((one) => one.bytes)) +
        given.open.bytes +
        given.freeBytesToday;
      equal(total(days.map(({ meteredBytes }) => meteredBytes)) + undatedBytes, all, 'metered');
      for (const { epoch, rewardUnits } of given.weeks) {
        const ofWeek = days.filter(({ date }) => BigInt(Date.parse(date) / 1000) / (7n * DAY_S) === epoch);
        const given = total(ofWeek.map(({ rewardedUnits = 0n }) => rewardedUnits));
        if (given > rewardUnits) throw new Error(`week ${epoch}: ${given} of ${rewardUnits}`);
      }
    }),
  );
  t.pass();
  t.end();
});

function equal(got: bigint, wanted: bigint, what: string): void {
  if (got !== wanted) throw new Error(`${what}: ${got}, and the reasons name ${wanted}`);
}

function total(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}
