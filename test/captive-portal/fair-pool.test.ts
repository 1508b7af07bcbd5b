import fc from 'fast-check';
import t from 'tap';
import { FairPool } from '../../captive-portal/fair-pool.ts';

t.test('while there is room anybody takes places, and gives them back once', (t) => {
  const pool = new FairPool<string>(2);
  const release = pool.hold('a', () => t.fail('nobody has to go'));
  pool.hold('a', () => t.fail('nobody has to go'));
  t.equal(pool.size, 2);
  release?.();
  release?.();
  t.equal(pool.size, 1);
  t.ok(pool.hasRoomFor('b'));
  t.end();
});

t.test('once full, whoever has most gives its oldest to whoever has less, until they are even', (t) => {
  const pool = new FairPool<string>(4);
  const ended: string[] = [];
  const hold = (key: string, name: string) => pool.hold(key, () => ended.push(name)) !== undefined;
  for (const name of ['a1', 'a2', 'a3']) hold('a', name);
  t.ok(hold('b', 'b1'));
  t.notOk(pool.hasRoomFor('a'), 'the greedy one gets no more');
  t.notOk(hold('a', 'a4'));
  t.ok(hold('c', 'c1'), 'a newcomer');
  t.strictSame(ended, ['a1']);
  t.notOk(hold('b', 'b2'), 'from two to one nothing moves: it would come back');
  t.ok(hold('d', 'd1'));
  t.strictSame(ended, ['a1', 'a2']);
  t.notOk(hold('e', 'e1'), 'one each: whoever comes now has to wait');
  t.equal(pool.size, 4);
  t.end();
});

t.test('it never holds more than its limit, and ends each place at most once', (t) => {
  const step = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.boolean(), fc.nat());
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 80 }), (limit, steps) => {
      const pool = new FairPool<string>(limit);
      const open = new Map<object, () => void>();
      for (const [key, isHolding, pick] of steps) {
        const place = {};
        const end = () => {
          if (!open.delete(place)) throw new Error('ended twice, or after it was given back');
        };
        const release = isHolding ? pool.hold(key, end) : undefined;
        if (release !== undefined) open.set(place, release);
        const [given, giveBack] = [...open][isHolding ? -1 : pick % (open.size || 1)] ?? [];
        if (given !== undefined) {
          open.delete(given);
          giveBack?.();
        }
        if (pool.size !== open.size || pool.size > limit)
          throw new Error(`${pool.size} of ${limit}, ${open.size} open`);
      }
    }),
  );
  t.end();
});
