import t from 'tap';
import { hexOf, oneOf, toBlob, toInteger, toOptionalBlob, toReal } from '../../../../agent/adapters/journal/columns.ts';
import type { Hex } from '../../../../protocol/hex.ts';

t.test('integers fit 63 bits or are refused by name', (t) => {
  t.equal(toInteger((1n << 63n) - 1n, 'amount'), (1n << 63n) - 1n);
  t.throws(() => toInteger(1n << 63n, 'amount'), {
    code: 'JOURNAL_REFUSED',
    message: /^amount must be within 0\.\.2\^63-1/,
  });
  t.throws(() => toInteger(-1n, 'amount'), { code: 'JOURNAL_REFUSED', message: /got -1$/ });
  t.end();
});

t.test('byte strings have the length of their column', (t) => {
  t.equal(hexOf(toBlob('0x01fF', 2, 'id')), '0x01ff');
  t.throws(() => toBlob('0x01', 2, 'id'), { code: 'JOURNAL_REFUSED', message: 'id must be 2 bytes, got 0x01' });
  for (const bad of ['0x010g', '0x01020', '0x010203', 'ab0102'] as const) {
    t.throws(() => toBlob(bad as Hex, 2, 'id'), { code: 'JOURNAL_REFUSED' }, bad);
  }
  t.equal(toOptionalBlob(undefined, 2, 'id'), null);
  t.end();
});

t.test('times are finite, and minus zero is zero', (t) => {
  t.ok(Object.is(toReal(-0, 'time'), 0));
  t.throws(() => toReal(Number.NaN, 'time'), {
    code: 'JOURNAL_REFUSED',
    message: 'time must be a finite number, got NaN',
  });
  t.end();
});

t.test('a word that nobody wrote is damage', (t) => {
  t.equal(oneOf(['hold', 'stream'], 'hold', 'mode'), 'hold');
  t.throws(() => oneOf(['hold', 'stream'], 'free', 'mode'), { code: 'JOURNAL_CORRUPT', message: 'mode is "free"' });
  t.end();
});
