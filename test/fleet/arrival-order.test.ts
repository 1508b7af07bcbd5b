/** Whatever the order in which a device's proofs come, and however often: in the end each has the verdict of the right order. */
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type JudgeDeps, judgePending, type Pending } from '../../fleet/judge-batch.ts';
import { decodeLogEntry } from '../../fleet/proof-entry.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import type { ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { bodyOf, DEPLOYMENT, digestOf, FakeRouter, NOW_S, type Usage } from './fake-router.ts';
import '../support/own-testdir.ts';

const DEPS: JudgeDeps = {
  deployment: DEPLOYMENT,
  devices: () => ({ isRevoked: false, linkBytesPerS: 1_000_000n }),
  nowS: () => NOW_S,
  lateAfterS: 37n * 86_400n,
};
const LENGTH = 6;
const NUMBERS = Array.from({ length: LENGTH }, (_, i) => i);

function pendingOf(upload: ProofUpload): Pending {
  const result = { digest: '0x', verdict: 'gap', receivedS: 0n, missing: [] } as const;
  return { body: bodyOf(upload), upload, digest: digestOf(upload), origin: undefined, evidence: 'sound', result };
}

type Lie = 'none' | 'short voucher' | 'hidden bytes' | 'inflated charge' | 'clock from the future';
const LIES: readonly Lie[] = ['none', 'short voucher', 'hidden bytes', 'inflated charge', 'clock from the future'];

/** Two guests who come and go: each channel has proofs without it in between. Number i tells the lie i. */
function chainOf(lies: readonly Lie[]): readonly Pending[] {
  const router = new FakeRouter();
  return lies.map((lie, i) => {
    const one = { guest: 1, up: 100n, down: 900n, paid: 10n };
    const two = { guest: 2, up: 5n, down: BigInt(i + 1), paid: 1n };
    const usages: readonly Usage[] = [one, two].filter(({ guest }) => (i + guest) % 3 !== 0);
    const isAhead = lie === 'clock from the future';
    return pendingOf(lying(router.next(usages, isAhead ? { endS: NOW_S + 999_999n } : {}), lie));
  });
}

/** The lies that lie in what travels beside the signed proof; who checks signatures has done so before. */
function lying(upload: ProofUpload, lie: Lie): ProofUpload {
  switch (lie) {
    case 'short voucher':
      return { ...upload, vouchers: upload.vouchers.map((it) => ({ ...it, amount: it.amount - 1n })) };
    case 'hidden bytes':
      return { ...upload, vouchers: upload.vouchers.map((it) => ({ ...it, ackBytes: it.ackBytes + 1n })) };
    case 'inflated charge':
      return {
        ...upload,
        leaves: upload.leaves.map((it) => ({ ...it, paid: it.paid + 5n })),
        vouchers: upload.vouchers.map((it) => ({ ...it, amount: it.amount + 100n })),
      };
    default:
      return upload;
  }
}

/** Files the uploads one transaction each. @returns verdicts by number, as the store has them and as its log makes them again */
async function verdictsAfter(directory: string, name: string, arrivals: readonly Pending[]) {
  const store = new SqliteStore(join(directory, `${name}.db`));
  const again = new SqliteStore(join(directory, `${name}-again.db`));
  const frames: Uint8Array[] = [];
  for (const pending of arrivals) {
    await store.tx(async (tx) => {
      frames.push(...(await judgePending([{ ...pending }], tx, DEPS)));
    });
  }
  await again.tx(async (tx) => {
    for (const frame of frames) await tx.apply(decodeLogEntry(frame));
  });
  const { device } = (arrivals[0] as Pending).upload.proof;
  const [listed, rebuilt] = [store, again].map((one) =>
    one
      .verdicts(device, 0n, 100)
      .map(({ seq, verdict }) => `${seq} ${verdict}`)
      .sort(),
  );
  const held = await store.tx(
    async (tx) => await Promise.all(arrivals.map(({ upload }) => tx.held(device, upload.proof.seq))),
  );
  store.close();
  again.close();
  return { listed, rebuilt, isHeld: held.some((one) => one !== undefined) };
}

/** An order of arrival of LENGTH proofs, some of them sent twice. */
const arrivalOrder = fc
  .tuple(fc.shuffledSubarray(NUMBERS, { minLength: LENGTH }), fc.array(fc.nat(LENGTH - 1), { maxLength: 3 }))
  .map(([order, resent]) => [...order, ...resent]);

t.test('an honest chain is valid in the end, in whatever order it came', async (t) => {
  const directory = t.testdir();
  const chain = chainOf(NUMBERS.map(() => 'none'));
  const allValid = NUMBERS.map((i) => `${i} valid`);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(arrivalOrder, async (order) => {
      const arrivals = order.map((i) => chain[i] as Pending);
      const { listed, rebuilt, isHeld } = await verdictsAfter(directory, `honest-${run++}`, arrivals);
      t.strictSame([listed, rebuilt, isHeld], [allValid, allValid, false], order.join(' '));
    }),
    { numRuns: 25, examples: [[[1, 0, 2, 3, 4, 5]], [[5, 4, 3, 2, 1, 0]], [[1, 1, 0, 0, 3, 2, 5, 4]]] },
  );
});

t.test('a lie gets the verdict of the right order, and costs the honest proofs around it nothing more', async (t) => {
  const directory = t.testdir();
  const lies = fc.array(fc.constantFrom(...LIES), { minLength: LENGTH, maxLength: LENGTH });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(lies, arrivalOrder, async (told, order) => {
      const chain = chainOf(told);
      const expected = await verdictsAfter(directory, `expected-${run}`, chain);
      const arrivals = order.map((i) => chain[i] as Pending);
      const { listed, rebuilt } = await verdictsAfter(directory, `lies-${run++}`, arrivals);
      t.strictSame([listed, rebuilt], [expected.listed, expected.listed], `${told.join(', ')}: ${order.join(' ')}`);
      for (const [i, lie] of told.entries()) {
        const isCaught = !listed?.includes(`${i} valid`);
        if (lie !== 'none' && lie !== 'inflated charge' && !isCaught) t.fail(`${lie} at ${i} was found valid`);
      }
    }),
    { numRuns: 25 },
  );
});
