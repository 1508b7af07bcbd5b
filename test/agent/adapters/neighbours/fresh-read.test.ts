import t from 'tap';
import { FreshRead } from '../../../../agent/adapters/neighbours/fresh-read.ts';

/** A read that ends when told, with its number. */
function startReads(gapMs: number) {
  const ends: (() => void)[] = [];
  let count = 0;
  let nowMs = 0;
  const read = (): Promise<number> => {
    count += 1;
    const number = count;
    return new Promise((resolve) => {
      ends.push(() => resolve(number));
    });
  };
  const reads = new FreshRead(read, gapMs, () => nowMs);
  return {
    reads,
    endOne: () => ends.shift()?.(),
    begun: () => count,
    at: (ms: number) => {
      nowMs = ms;
    },
  };
}

t.test('who asks while a read is under way gets the next one, together with all others who do', async (t) => {
  const { reads, endOne, begun } = startReads(0);
  const first = reads.fresh();
  const second = reads.fresh();
  const third = reads.fresh();
  t.equal(begun(), 1);
  endOne();
  t.equal(await first, 1);
  await new Promise(setImmediate);
  t.equal(begun(), 2);
  endOne();
  t.same(await Promise.all([second, third]), [2, 2]);
});

t.test('a recent result is shared and an old one is not', async (t) => {
  const { reads, endOne, at } = startReads(0);
  const first = reads.recent(100);
  t.equal(reads.recent(100), first, 'even while it is under way');
  endOne();
  t.equal(await first, 1);
  at(99);
  t.equal(await reads.recent(100), 1);
  at(100);
  const second = reads.recent(100);
  endOne();
  t.equal(await second, 2);
});

t.test('a read that fails does not stop the next one', async (t) => {
  let count = 0;
  const reads = new FreshRead(
    () => {
      count += 1;
      return count === 1 ? Promise.reject(new Error('first')) : Promise.resolve(count);
    },
    0,
    () => 0,
  );
  const [first, second] = await Promise.allSettled([reads.fresh(), reads.fresh()]);
  t.equal(first.status, 'rejected');
  t.match(second, { status: 'fulfilled', value: 2 });
});
