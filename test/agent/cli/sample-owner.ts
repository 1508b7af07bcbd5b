/** An owner's desk with fixed contents, for tests of control socket and command line. */
import type { Channel, DeviceName, IpAddress, Mac } from '../../../agent/core/model.ts';
import type { OwnerDesk } from '../../../agent/owner-port.ts';
import type { AgentStatus, ProofRecord, SessionRow } from '../../../agent/ports.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { GENESIS_PREV, type SignedTrafficProof } from '../../../protocol/traffic-proof.ts';

const hexOf = (byte: string, length: number): Hex => `0x${byte.repeat(length)}`;
const signature = hexOf('5a', 64);

export const sampleStatus: AgentStatus = {
  version: '0.1.0',
  uptimeMs: 93_784_000,
  device: hexOf('d1', 20),
  payee: hexOf('a1', 20),
  sessions: 3,
  openChannels: 2,
  earnedUnits: 123_456n,
  settledUnits: 9_000_000n,
  gasWei: 1_230_000_000_000_000n,
  openFeeUnits: 150n,
  downBytes: 1_234_567_890n,
  upBytes: 98_765_432n,
  proofs: { closed: 12, acknowledged: 11, waiting: 1 },
  isBusConnected: true,
  isClockSynced: true,
};

export const sampleSessions: readonly SessionRow[] = [
  {
    id: 1,
    macs: ['aa:bb:cc:00:00:01' as Mac],
    addresses: ['192.168.9.101' as IpAddress, 'fd00:9::101' as IpAddress],
    phase: 'active',
    channelId: hexOf('c1', 32),
    downBytes: 41_000_000n,
    upBytes: 1_500_000n,
    onlineMs: 754_000,
    chargedUnits: 42_500n,
    creditUnits: 50_000n,
    bytesRemaining: 7_500_000n,
  },
  {
    id: 2,
    macs: ['aa:bb:cc:00:00:02' as Mac, 'aa:bb:cc:00:00:03' as Mac],
    addresses: ['192.168.9.102' as IpAddress],
    phase: 'grace',
    channelId: hexOf('c2', 32),
    downBytes: 9_999_000n,
    upBytes: 0n,
    onlineMs: 61_000,
    chargedUnits: 10_000n,
    creditUnits: 10_000n,
    bytesRemaining: 0n,
  },
  {
    id: 3,
    macs: ['aa:bb:cc:00:00:04' as Mac],
    addresses: [],
    phase: 'trial',
    downBytes: 250_000n,
    upBytes: 50_000n,
    onlineMs: 5_000,
    chargedUnits: 0n,
    creditUnits: 0n,
    bytesRemaining: 700_000n,
  },
];

export const sampleChannels: readonly Channel[] = [
  {
    id: hexOf('c1', 32),
    config: {
      payer: hexOf('b1', 20),
      signer: hexOf('b1', 20),
      payee: hexOf('a1', 20),
      device: hexOf('d1', 20),
      expiry: 1_800_000_000n,
      exitDelay: 3_600n,
      salt: hexOf('01', 32),
    },
    mode: 'hold',
    tariff: { unitsPerMb: 1000n, unitsPerMinute: 0n },
    openFee: 500n,
    phase: 'active',
    deposit: 100_000n,
    voucher: { channelId: hexOf('c1', 32), amount: 50_000n, ackBytes: 40_000_000n, signature },
    openTx: hexOf('e1', 32),
  },
];

const proof: SignedTrafficProof = {
  device: hexOf('d1', 20),
  epoch: 2950n,
  seq: 7n,
  startS: 1_795_000_000n,
  endS: 1_795_000_600n,
  bytesUp: 12_000n,
  bytesDown: 3_400_000n,
  paid: 3_412n,
  sessionsRoot: hexOf('f1', 32),
  prev: GENESIS_PREV,
  clockState: 1n,
  signature,
};

/** Newest first. */
export const sampleProofs: readonly ProofRecord[] = [
  { proof: { ...proof, seq: 8n, startS: 1_795_000_600n, endS: 1_795_001_200n }, digest: hexOf('92', 32) },
  {
    proof,
    digest: hexOf('91', 32),
    receipt: {
      collector: hexOf('71', 20),
      proof: hexOf('91', 32),
      verdict: 'valid',
      receivedS: 1_795_000_700n,
      signature,
    },
  },
];

/** Remembers which sessions were ended; knows those of sampleSessions. */
export function sampleOwner(ended: number[] = []): OwnerDesk {
  return {
    status: () => sampleStatus,
    sessions: () => sampleSessions,
    channels: () => sampleChannels,
    proofs: (limit) => sampleProofs.slice(0, limit),
    endSession: (id) => {
      const isKnown = sampleSessions.some((session) => session.id === id);
      if (isKnown) ended.push(id);
      return Promise.resolve(isKnown);
    },
  };
}

export const guestDevice = 'br-guest' as DeviceName;
