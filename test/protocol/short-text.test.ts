import fc from 'fast-check';
import t from 'tap';
import { bytes32FromText, textFromBytes32 } from '../../protocol/short-text.ts';

t.test('a text of 1..32 printable characters is one word, and comes back from it', (t) => {
  const anyText = fc.array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: 32 });
  fc.assert(
    fc.property(anyText, (codes) => {
      const text = String.fromCharCode(...codes);
      t.equal(textFromBytes32(bytes32FromText(text)), text);
    }),
    { numRuns: 40 },
  );
  t.equal(bytes32FromText('byte'), `0x62797465${'00'.repeat(28)}`);
  t.end();
});

t.test('other texts are no words, other words no texts', (t) => {
  for (const text of ['', 'a b', 'ü', 'a\0', 'x'.repeat(33)])
    t.throws(() => bytes32FromText(text), /1\.\.32 printable/);
  for (const word of [`0x${'00'.repeat(32)}`, `0x6100${'61'.repeat(30)}`, `0x${'ff'.repeat(32)}`] as const) {
    t.equal(textFromBytes32(word), undefined);
  }
  t.end();
});
