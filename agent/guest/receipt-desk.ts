/** The guest's signed receipt: what its view says of the channel, as of now, under the device key. */
import { type SignedUsageReceipt, type UsageReceipt, usageReceiptDigest } from '../../protocol/usage-receipt.ts';
import type { AgentConfig } from '../core/config.ts';
import type { Clock, GuestView, Signer } from '../ports.ts';

export type ReceiptDeps = {
  readonly config: Pick<AgentConfig, 'chain'>;
  readonly clock: Pick<Clock, 'wall'>;
  readonly signer: Signer;
};

const NO_TX = `0x${'00'.repeat(32)}` as const;

/** Undefined for a guest that has no channel: a free trial has nothing to account for. */
export function signedReceipt({ config, clock, signer }: ReceiptDeps, view: GuestView): SignedUsageReceipt | undefined {
  if (view.channelId === undefined) return undefined;
  const receipt: UsageReceipt = {
    device: signer.address,
    channelId: view.channelId,
    downBytes: view.downBytes,
    upBytes: view.upBytes,
    paidUnits: view.chargedUnits,
    depositUnits: view.depositUnits,
    refundUnits: view.refund?.units ?? 0n,
    refundTx: view.refund?.tx ?? NO_TX,
    issuedAt: clock.wall().unixS,
  };
  return { ...receipt, signature: signer.sign(usageReceiptDigest(config.chain, receipt)) };
}
