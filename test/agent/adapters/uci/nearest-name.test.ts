import fc from 'fast-check';
import t from 'tap';
import { nearestName } from '../../../../agent/adapters/uci/nearest-name.ts';

const KNOWN = ['status', 'sessions', 'channels', 'proofs', 'top', 'doctor'] as const;

t.test('a misspelt name finds the one that was meant', (t) => {
  const cases = [
    ['statsu', 'status'],
    ['session', 'sessions'],
    ['chanels', 'channels'],
    ['tpo', 'top'],
    ['docter', 'doctor'],
    ['proof', 'proofs'],
  ] as const;
  for (const [name, meant] of cases) t.equal(nearestName(name, KNOWN), meant);
  t.end();
});

t.test('what is too far from everything finds nothing', (t) => {
  t.equal(nearestName('frobnicate', KNOWN), undefined);
  t.equal(nearestName('', ['status']), undefined);
  t.equal(nearestName('status', []), undefined);
  t.equal(nearestName('x'.repeat(100_000), KNOWN), undefined);
  t.end();
});

t.test('property: a known name is its own nearest, and one more letter does not change that', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...KNOWN),
      fc.string({ unit: fc.constantFrom('x', 'y'), minLength: 1, maxLength: 1 }),
      (name, letter) => {
        return nearestName(name, KNOWN) === name && nearestName(name + letter, KNOWN) === name;
      },
    ),
  );
  t.end();
});
