import { createHash } from 'node:crypto';
import t from 'tap';
import { qrModules } from '../../../captive-portal/page/qr.ts';

const text = (length: number) => Array.from({ length }, (_, i) => '{"a":9,zQ/x}'[i % 12]).join('');

/** Digests of codes that zbarimg 0.23 read back: one of each number of blocks, short and long ones, with and without version bits. */
const READ_BY_ZBAR: readonly (readonly [length: number, size: number, digest: string])[] = [
  [5, 21, 'efdd31d5aa230ca4'],
  [17, 21, '8dcf76093ef73850'],
  [40, 29, '0ba2e7bca4609e1e'],
  [78, 33, '3ddb9a277ffc7ce4'],
  [106, 37, '5e5c4ccd6be2f2e4'],
  [154, 45, 'a517b7a4178e1bda'],
  [200, 53, '99b155599e1f26bd'],
  [300, 61, '3dfd9802c26409de'],
  [400, 69, '61b269c4ae131386'],
  [520, 77, '1fce0b87998c4ebb'],
  [700, 89, 'cbd74cc320b3069a'],
  [900, 101, '0b5e9f77e035099b'],
  [1100, 113, '44597b281b406b0f'],
  [1273, 117, 'ade64d5ca78039be'],
];

t.test('codes are those that a reader has read', (t) => {
  for (const [length, size, digest] of READ_BY_ZBAR) {
    const rows = qrModules(text(length));
    t.equal(rows.length, size);
    t.ok(rows.every((row) => row.length === size));
    const bits = rows.map((row) => row.map(Number).join('')).join('\n');
    t.equal(createHash('sha256').update(bits).digest('hex').slice(0, 16), digest, `${length} bytes`);
  }
  t.end();
});

t.test('text beyond version 25 is refused with the limit', (t) => {
  t.equal(qrModules(text(1_273)).length, 117);
  t.throws(() => qrModules(text(1_274)), /holds 1273 bytes, got 1274/);
  t.throws(() => qrModules('é'.repeat(637)), /got 1274/);
  t.end();
});
