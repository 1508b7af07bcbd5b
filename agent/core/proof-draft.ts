/**
 * An interval that is closed and stored but not signed yet: while the collector is out of reach, or has not said yet how far
 * the device's chain goes, only these pile up. What was never signed can be merged with its neighbour without ever signing
 * one number twice; so a month offline fits the flash, and nothing of it is dropped, only its resolution.
 */
import type { Address } from '../../protocol/address.ts';
import { GENESIS_PREV, type SessionLeaf, type TrafficProof } from '../../protocol/traffic-proof.ts';
import {
  decodeProofUpload,
  encodeProofUpload,
  MAX_LEAVES,
  type ProofUpload,
  type ProofVoucher,
} from '../../protocol/traffic-proof-wire.ts';

/** As in the proof it will become. The leaves' session ids are made when it is signed: they depend on the epoch it gets. */
export type ProofDraft = Pick<TrafficProof, 'epoch' | 'startS' | 'endS' | 'clockState'> &
  Pick<ProofUpload, 'leaves' | 'vouchers'>;

export type StoredDraft = {
  /** Counts up in the order of the intervals. */
  readonly id: bigint;
  /** Of the agent that closed it: seconds of an unset clock mean something within one run only. */
  readonly run: string;
  readonly draft: ProofDraft;
  /** Of its encoded form. */
  readonly bytes: number;
};

export type Compaction = { readonly changed: readonly StoredDraft[]; readonly removed: readonly bigint[] };

const NO_SIGNATURE = `0x${'00'.repeat(64)}` as const;

/** The sums that a proof over these leaves states. */
export function totalsOf(leaves: readonly SessionLeaf[]): Pick<TrafficProof, 'bytesUp' | 'bytesDown' | 'paid'> {
  const sum = (pick: (leaf: SessionLeaf) => bigint) => leaves.reduce((total, leaf) => total + pick(leaf), 0n);
  return {
    bytesUp: sum(({ bytesUp }) => bytesUp),
    bytesDown: sum(({ bytesDown }) => bytesDown),
    paid: sum(({ paid }) => paid),
  };
}

/** The encoding of an upload, unsigned and without a place in the chain. */
export function encodeDraft({ leaves, vouchers, ...times }: ProofDraft, device: Address): Uint8Array {
  const unplaced = { seq: 0n, prev: GENESIS_PREV, sessionsRoot: GENESIS_PREV, signature: NO_SIGNATURE };
  return encodeProofUpload({ proof: { ...times, ...unplaced, device, ...totalsOf(leaves) }, leaves, vouchers });
}

/** @throws RangeError if the bytes are no draft: the journal's file is damaged */
export function decodeDraft(body: Uint8Array): ProofDraft {
  const decoded = decodeProofUpload(body);
  if (!decoded.ok) throw new RangeError(`a stored interval is damaged: ${decoded.path} is ${decoded.got}`);
  const { proof, leaves, vouchers } = decoded.value;
  const { epoch, startS, endS, clockState } = proof;
  return { epoch, startS, endS, clockState, leaves, vouchers };
}

/**
 * Merges neighbours, oldest first, until all together take at most three quarters of `budgetBytes` (so that the next one does
 * not begin it anew), or nothing can be merged any more: a voucher is evidence, and one for each channel and epoch stays.
 */
export function compactDrafts(drafts: readonly StoredDraft[], budgetBytes: number, device: Address): Compaction {
  const target = (budgetBytes * 3) / 4;
  const before = new Map(drafts.map((stored) => [stored.id, stored]));
  let list = drafts;
  let total = drafts.reduce((sum, { bytes }) => sum + bytes, 0);
  for (let count = -1; total > target && count !== list.length; ) {
    count = list.length;
    const shorter: StoredDraft[] = [];
    for (let i = 0; i < list.length; i++) {
      const first = list[i] as StoredDraft;
      const second = list[i + 1];
      const merged = total > target && second !== undefined ? mergeStored(first, second, device) : undefined;
      shorter.push(merged ?? first);
      if (merged === undefined || second === undefined) continue;
      total += merged.bytes - first.bytes - second.bytes;
      i++;
    }
    list = shorter;
  }
  const kept = new Set(list.map(({ id }) => id));
  return {
    changed: list.filter((stored) => before.get(stored.id) !== stored),
    removed: drafts.map(({ id }) => id).filter((id) => !kept.has(id)),
  };
}

function mergeStored(first: StoredDraft, second: StoredDraft, device: Address): StoredDraft | undefined {
  const a = first.draft;
  const b = second.draft;
  const isOneClock = a.clockState === b.clockState && (a.clockState === 1n || first.run === second.run);
  if (a.epoch !== b.epoch || !isOneClock) return undefined;
  const draft = mergeDrafts(a, b);
  if (draft.leaves.length > MAX_LEAVES) return undefined;
  return { id: first.id, run: first.run, draft, bytes: encodeDraft(draft, device).length };
}

/** One interval over both, `second` the later one: sums add up, of each channel the last voucher stays. */
export function mergeDrafts(first: ProofDraft, second: ProofDraft): ProofDraft {
  const leaves = new Map(first.leaves.map((leaf) => [leaf.channelId, leaf]));
  const vouchers = new Map(first.vouchers.map((voucher) => [voucher.channelId, voucher]));
  for (const leaf of second.leaves) {
    const before = leaves.get(leaf.channelId);
    leaves.set(leaf.channelId, before === undefined ? leaf : addLeaves(before, leaf));
  }
  for (const voucher of second.vouchers) vouchers.set(voucher.channelId, voucher satisfies ProofVoucher);
  return {
    epoch: first.epoch,
    startS: first.startS,
    endS: second.endS > first.endS ? second.endS : first.endS,
    clockState: first.clockState,
    leaves: [...leaves.values()],
    vouchers: [...vouchers.values()],
  };
}

function addLeaves(before: SessionLeaf, leaf: SessionLeaf): SessionLeaf {
  return {
    ...leaf,
    bytesUp: before.bytesUp + leaf.bytesUp,
    bytesDown: before.bytesDown + leaf.bytesDown,
    paid: before.paid + leaf.paid,
  };
}
