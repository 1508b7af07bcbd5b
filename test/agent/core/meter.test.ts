import fc from 'fast-check';
import t from 'tap';
import { addReadings, totalBytes } from '../../../agent/core/meter.ts';
import type { CounterKey } from '../../../agent/core/model.ts';

const nothing = { usage: { downBytes: 0n, upBytes: 0n, onlineMs: 5 }, counters: new Map<CounterKey, bigint>() };
const reading = (key: CounterKey, bytes: bigint) => ({ sessionId: 1, key, bytes, packets: 0n });

t.test('a counter never seen before counts in full, up and down apart', (t) => {
  const metered = addReadings(nothing, [reading('up:a', 10n), reading('down:x', 20n), reading('down:y', 5n)]);
  t.same(metered.usage, { downBytes: 25n, upBytes: 10n, onlineMs: 5 });
  t.equal(totalBytes(metered.usage), 35n);
  t.end();
});

t.test('reading twice adds only what grew', (t) => {
  const once = addReadings(nothing, [reading('down:x', 20n)]);
  t.equal(addReadings(once, [reading('down:x', 20n)]).usage.downBytes, 20n);
  t.equal(addReadings(once, [reading('down:x', 21n)]).usage.downBytes, 21n);
  t.end();
});

t.test('a smaller reading is a reset by a stranger: a new base, never negative', (t) => {
  const once = addReadings(nothing, [reading('down:x', 20n)]);
  const reset = addReadings(once, [reading('down:x', 3n)]);
  t.equal(reset.usage.downBytes, 23n);
  t.equal(addReadings(reset, [reading('down:x', 4n)]).usage.downBytes, 24n);
  t.end();
});

t.test('whatever is read, usage never falls, and growing counters are summed exactly', (t) => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(0n, 10n ** 12n), { maxLength: 50 }), (growths) => {
      let metered: ReturnType<typeof addReadings> = nothing;
      let counter = 0n;
      for (const growth of growths) {
        counter += growth;
        const before = metered.usage.downBytes;
        metered = addReadings(metered, [reading('down:x', counter)]);
        if (metered.usage.downBytes < before) return false;
      }
      return metered.usage.downBytes === counter;
    }),
  );
  t.pass('held for all cases');
  t.end();
});
