/** Intervals without a date of their own, on the way to the owner's report. */
import t from 'tap';
import { earnings } from '../../../agent/earnings/earnings.ts';
import type { ProofRecord } from '../../../agent/ports.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import type { Verdict } from '../../../protocol/verdict.ts';
import { DEVICE, NOW_S } from '../core/support/story.ts';

const signature = `0x${'00'.repeat(64)}` as const;

function undated(verdict: Verdict | undefined): ProofRecord {
  const proof = {
    device: DEVICE,
    epoch: 0n,
    seq: 0n,
    startS: 60n,
    endS: 120n,
    bytesUp: 100n,
    bytesDown: 900n,
    paid: 7n,
    sessionsRoot: GENESIS_PREV,
    prev: GENESIS_PREV,
    clockState: 0n,
    signature,
  } as const;
  if (verdict === undefined) return { proof, digest: GENESIS_PREV };
  const receipt = { collector: DEVICE, proof: GENESIS_PREV, verdict, receivedS: NOW_S - 86_400n, signature };
  return { proof, digest: GENESIS_PREV, receipt };
}

const report = (record: ProofRecord) =>
  earnings(
    {
      records: [record],
      unsigned: [],
      open: { bytes: 0n, units: 0n },
      freeBytesToday: 0n,
      weeks: [
        { epoch: (NOW_S - 86_400n) / 604_800n, claimedUnits: 70n, rewardUnits: 63n, state: 'paid' },
        { epoch: 0n, claimedUnits: 70n, rewardUnits: 1n, state: 'paid' },
      ],
      sessions: [],
      nowS: NOW_S,
    },
    3,
  );

t.test('a proof whose clock was put right is on the day of its receipt, and has its part of the week', (t) => {
  const { days, undatedBytes } = report(undated('valid'));
  t.equal(undatedBytes, 0n);
  t.match(days[1], { meteredBytes: 1000n, acceptedBytes: 1000n, acceptedUnits: 7n, rewardedUnits: 63n });
  t.equal(days[0]?.meteredBytes, 0n);
  t.end();
});

t.test('one that was not is on no day, and not lost', (t) => {
  for (const verdict of [undefined, 'clock-unsynced', 'gap'] as const) {
    const { days, undatedBytes } = report(undated(verdict));
    t.equal(undatedBytes, 1000n);
    t.ok(days.every(({ meteredBytes }) => meteredBytes === 0n));
  }
  t.end();
});
