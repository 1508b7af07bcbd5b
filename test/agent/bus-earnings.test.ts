import t from 'tap';
import { earningsTable } from '../../agent/bus-earnings.ts';
import type { ProofRecord } from '../../agent/ports.ts';
import type { Hex } from '../../protocol/hex.ts';
import { GENESIS_PREV } from '../../protocol/traffic-proof.ts';
import type { Verdict } from '../../protocol/verdict.ts';

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

t.test('a day is a funnel, and what dropped out of it has a reason', (t) => {
  const records = [
    record(NOW_S - 60n, 8_000n, 'valid'),
    record(NOW_S - 700n, 4_000n),
    record(NOW_S - 1_400n, 2_000n, 'late'),
    record(NOW_S - 2_100n, 1_000n, 'late'),
  ];
  const { days } = earningsTable(records, { bytes: 500n, units: 3n }, 1, NOW_S);
  t.strictSame(days, [
    {
      date: '2027-01-15',
      bytes: 15_500n,
      paid_units: '18',
      proven_bytes: 15_000n,
      accepted_bytes: 8_000n,
      reasons: [
        { stage: 'upload', reason: 'waiting', bytes: 4_000n },
        { stage: 'collector', reason: 'late', bytes: 3_000n },
        { stage: 'sign', reason: 'open-interval', bytes: 500n },
      ],
    },
  ]);
  t.end();
});

t.test('every day is there, newest first, also those without traffic; older proofs are left out', (t) => {
  const records = [record(NOW_S - DAY_S, 10n, 'valid'), record(NOW_S - 9n * DAY_S, 99n, 'valid')];
  const { days } = earningsTable(records, { bytes: 0n, units: 0n }, 3, NOW_S);
  t.match(days, [
    { date: '2027-01-15', bytes: 0n, reasons: [] },
    { date: '2027-01-14', bytes: 10n, accepted_bytes: 10n },
    { date: '2027-01-13', bytes: 0n },
  ]);
  t.equal(days.length, 3);
  t.end();
});

t.test('proofs signed before the clock was set have no day', (t) => {
  const table = earningsTable([record(120n, 7n, undefined, 0n)], { bytes: 0n, units: 0n }, 2, NOW_S);
  t.equal(table.undated_bytes, 7n);
  t.match(table.days, [{ bytes: 0n }, { bytes: 0n }]);
  t.end();
});

t.test('while proofs are held the open interval says why', (t) => {
  const { days } = earningsTable([], { bytes: 5n, units: 1n, heldBecause: 'journal damaged' }, 1, NOW_S);
  t.match(days, [{ reasons: [{ stage: 'sign', reason: 'journal damaged', bytes: 5n }] }]);
  t.end();
});
