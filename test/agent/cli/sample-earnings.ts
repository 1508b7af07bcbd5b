/** Two days of a router that earns, with something missing at each arrow. */
import { type Earnings, earnings } from '../../../agent/earnings/earnings.ts';
import type { ProofRecord } from '../../../agent/ports.ts';
import type { Verdict } from '../../../protocol/verdict.ts';
import { sampleProofs } from './sample-owner.ts';

/** 2026-11-18 11:20 UTC. */
const NOW_S = 1_795_000_800n;
const DAY_S = 86_400n;
const EPOCH = NOW_S / 604_800n;

function record(endS: bigint, bytes: bigint, verdict?: Verdict): ProofRecord {
  const sample = sampleProofs[1] as Required<ProofRecord>;
  const proof = { ...sample.proof, endS, bytesUp: 0n, bytesDown: bytes, paid: bytes / 1_000n };
  const { receipt, ...rest } = { ...sample, proof };
  return verdict === undefined ? rest : { ...rest, receipt: { ...receipt, verdict } };
}

export function sampleEarnings(days: number): Earnings {
  return earnings(
    {
      records: [
        record(NOW_S - 600n, 41_000_000n, 'valid'),
        record(NOW_S - 60n, 3_400_000n),
        record(NOW_S - DAY_S, 90_000_000n, 'valid'),
        record(NOW_S - DAY_S, 12_000_000n, 'late'),
      ],
      unsigned: [{ endS: NOW_S - 30n, isDated: true, bytes: 2_000_000n, units: 2_000n }],
      open: { bytes: 1_500_000n, units: 1_500n },
      freeBytesToday: 300_000n,
      weeks: [
        { epoch: EPOCH, claimedUnits: 131_000n, rewardUnits: 11_790n, state: 'running' },
        { epoch: EPOCH - 1n, claimedUnits: 900_000n, rewardUnits: 81_000n, state: 'paid' },
      ],
      sessions: [
        {
          id: 1,
          channelId: `0x${'c1'.repeat(32)}`,
          meteredBytes: 42_500_000n,
          chargedUnits: 42_500n,
          openBytes: 1_500_000n,
          unsignedBytes: 2_000_000n,
          waitingBytes: 3_400_000n,
          judgedBytes: 35_600_000n,
          freeBytes: 0n,
        },
        {
          id: 3,
          meteredBytes: 300_000n,
          chargedUnits: 0n,
          openBytes: 0n,
          unsignedBytes: 0n,
          waitingBytes: 0n,
          judgedBytes: 0n,
          freeBytes: 300_000n,
        },
      ],
      nowS: NOW_S,
    },
    days,
  );
}
