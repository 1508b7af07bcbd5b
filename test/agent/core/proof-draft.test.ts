import fc from 'fast-check';
import t from 'tap';
import {
  compactDrafts,
  decodeDraft,
  encodeDraft,
  type ProofDraft,
  type StoredDraft,
  totalsOf,
} from '../../../agent/core/proof-draft.ts';
import { channelId } from '../../../protocol/channel.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import { signVoucher, voucherDigestHex } from '../../../protocol/voucher.ts';
import { CHANNELS, testKey } from '../../support/protocol-arbitraries.ts';

const DEVICE = testKey('device').address;
const GUESTS = Array.from({ length: 6 }, (_, i) => {
  const key = testKey(`guest ${i}`);
  const { address } = key;
  const config = {
    payer: address,
    signer: address,
    payee: DEVICE,
    device: DEVICE,
    expiry: 9n,
    exitDelay: 1n,
    salt: GENESIS_PREV,
  };
  const id = channelId(CHANNELS, config);
  const vouchers = [1n, 2n, 3n].map((amount) => ({
    ...signVoucher(CHANNELS, { channelId: id, amount, ackBytes: 0n }, key.secretKey),
    config,
  }));
  return { id, vouchers };
});

type Part = { readonly guest: number; readonly up: bigint; readonly down: bigint; readonly paid: bigint };

function draftOf(parts: readonly Part[], times: Partial<ProofDraft> = {}, round = 0): ProofDraft {
  const unique = [...new Map(parts.map((part) => [part.guest, part])).values()];
  const voucherOf = (guest: number) =>
    (GUESTS[guest] as (typeof GUESTS)[0]).vouchers[Math.min(round, 2)] as (typeof GUESTS)[0]['vouchers'][0];
  return {
    epoch: 5n,
    startS: 100n,
    endS: 200n,
    clockState: 1n,
    leaves: unique.map(({ guest, up, down, paid }) => ({
      sessionId: GENESIS_PREV,
      channelId: (GUESTS[guest] as (typeof GUESTS)[0]).id,
      bytesUp: up,
      bytesDown: down,
      paid,
      voucherDigest: voucherDigestHex(CHANNELS, voucherOf(guest)),
    })),
    vouchers: unique.map(({ guest }) => voucherOf(guest)),
    ...times,
  };
}

function stored(drafts: readonly ProofDraft[], run = 'r'): readonly StoredDraft[] {
  return drafts.map((draft, i) => ({ id: BigInt(i + 1), run, draft, bytes: encodeDraft(draft, DEVICE).length }));
}

function after(before: readonly StoredDraft[], budget: number): readonly StoredDraft[] {
  const { changed, removed } = compactDrafts(before, budget, DEVICE);
  const byId = new Map(before.map((item) => [item.id, item]));
  for (const id of removed) byId.delete(id);
  for (const item of changed) byId.set(item.id, item);
  return [...byId.values()];
}

const part = { up: 1n, down: 2n, paid: 3n };

t.test('a draft survives its encoding; a damaged one is told', (t) => {
  const draft = draftOf([{ guest: 0, ...part }]);
  t.strictSame(decodeDraft(encodeDraft(draft, DEVICE)), draft);
  t.throws(() => decodeDraft(new Uint8Array([1])), /a stored interval is damaged/);
  t.end();
});

t.test('merging adds up, keeps the last voucher of each channel, and spans both times', (t) => {
  const [merged] = after(
    stored([
      draftOf([
        { guest: 0, ...part },
        { guest: 1, ...part },
      ]),
      draftOf(
        [
          { guest: 0, ...part },
          { guest: 2, ...part },
        ],
        { startS: 200n, endS: 300n },
        1,
      ),
    ]),
    1,
  );
  t.match(merged, { id: 1n, draft: { startS: 100n, endS: 300n } });
  t.equal(merged?.draft.leaves.length, 3);
  t.strictSame(totalsOf(merged?.draft.leaves ?? []), { bytesUp: 4n, bytesDown: 8n, paid: 12n });
  const amountOf = (guest: number) =>
    merged?.draft.vouchers.find(({ channelId: id }) => id === GUESTS[guest]?.id)?.amount;
  t.strictSame([amountOf(0), amountOf(1), amountOf(2)], [2n, 1n, 2n]);
  t.end();
});

t.test('the clock of a merged interval that was set back never ends before it began', (t) => {
  const [merged] = after(stored([draftOf([], { endS: 500n }), draftOf([], { startS: 150n, endS: 160n })]), 1);
  t.match(merged?.draft, { startS: 100n, endS: 500n });
  t.end();
});

t.test('what has no common time or epoch, or would be too large, stays apart', (t) => {
  const undated = { clockState: 0n } as const;
  const pairs: readonly (readonly StoredDraft[])[] = [
    stored([draftOf([]), draftOf([], { epoch: 6n })]),
    stored([draftOf([]), draftOf([], undated)]),
    [...stored([draftOf([], undated)], 'a'), ...stored([draftOf([]), draftOf([], undated)], 'b').slice(1)],
  ];
  for (const pair of pairs) t.equal(after(pair, 1).length, 2);
  t.equal(after(stored([draftOf([], undated), draftOf([], undated)]), 1).length, 1);
  const leaf = draftOf([{ guest: 0, ...part }]).leaves[0] as ProofDraft['leaves'][0];
  const crowd = (from: number) => ({
    ...draftOf([]),
    leaves: Array.from({ length: 600 }, (_, i) => ({
      ...leaf,
      channelId: `0x${(from + i).toString(16).padStart(64, '0')}` as const,
    })),
  });
  t.equal(after(stored([crowd(0), crowd(1000)]), 1).length, 2);
  t.end();
});

t.test('the oldest are merged first, and no more than the budget asks for', (t) => {
  const before = stored(Array.from({ length: 16 }, () => draftOf([{ guest: 0, ...part }])));
  const total = before.reduce((sum, { bytes }) => sum + bytes, 0);
  const kept = after(before, Math.ceil((total * 4) / 3 / 1.25));
  t.ok(kept.length > 8 && kept.length < 16, `${kept.length} left`);
  t.strictSame(kept.at(-1), before.at(-1), 'the newest keeps its resolution');
  t.strictSame(compactDrafts(before, total * 2, DEVICE), { changed: [], removed: [] });
  t.end();
});

const partArbitrary = fc.record({
  guest: fc.nat(GUESTS.length - 1),
  up: fc.bigInt(0n, 1n << 40n),
  down: fc.bigInt(0n, 1n << 40n),
  paid: fc.bigInt(0n, 1n << 40n),
});
const draftArbitrary = fc.record({ parts: fc.array(partArbitrary, { maxLength: 6 }), jump: fc.boolean() });

t.test(
  'property: sums are conserved by channel and epoch, order is kept, and the budget unless evidence alone is larger',
  (t) => {
    // As long as any of them: figures of nine bytes, vouchers and times of the largest kind.
    const large = { up: 1n << 46n, down: 1n << 46n, paid: 1n << 46n };
    const times = { startS: 1n << 30n, endS: 1n << 30n };
    const evidence = encodeDraft(
      draftOf(
        GUESTS.map((_, guest) => ({ guest, ...large })),
        times,
      ),
      DEVICE,
    ).length;
    fc.assert(
      fc.property(
        fc.array(draftArbitrary, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 100, max: 40_000 }),
        (drafts, budget) => {
          let epoch = 1n;
          const before = stored(
            drafts.map(({ parts, jump }, i) => {
              epoch += jump && i % 7 === 0 ? 1n : 0n;
              return draftOf(parts, { epoch, startS: BigInt(i * 600), endS: BigInt(i * 600 + 600) }, i);
            }),
          );
          const kept = after(before, budget);
          const sums = (list: readonly StoredDraft[]) => {
            const totals = new Map<string, bigint>();
            for (const { draft } of list)
              for (const leaf of draft.leaves)
                for (const name of ['bytesUp', 'bytesDown', 'paid'] as const) {
                  const key = `${draft.epoch} ${leaf.channelId} ${name}`;
                  totals.set(key, (totals.get(key) ?? 0n) + leaf[name]);
                }
            return [...totals].sort();
          };
          const isSame = JSON.stringify(sums(before), text) === JSON.stringify(sums(kept), text);
          const bytes = kept.reduce((sum, item) => sum + item.bytes, 0);
          const isOrdered = kept.every(({ id }, i) => i === 0 || (kept[i - 1] as StoredDraft).id < id);
          const isTrue = kept.every(({ draft, bytes: said }) => encodeDraft(draft, DEVICE).length === said);
          // Epochs cannot be merged; within each, one voucher for each channel is the least.
          const least = new Set(before.map(({ draft }) => draft.epoch)).size * evidence;
          return isSame && isOrdered && isTrue && (bytes <= budget || bytes <= least);
        },
      ),
      { numRuns: 60 },
    );
    t.end();
  },
);

function text(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
