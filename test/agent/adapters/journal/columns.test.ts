import t from 'tap';
import { oneOf, toBlob, toInteger, toOptionalBlob, toReal } from '../../../../agent/adapters/journal/columns.ts';

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
  t.strictSame(toBlob('0x0102', 2, 'id'), new Uint8Array([1, 2]));
  t.throws(() => toBlob('0x01', 2, 'id'), { code: 'JOURNAL_REFUSED', message: 'id must be 2 bytes, got 1' });
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
