import fc from 'fast-check';
import t from 'tap';
import { hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { formatPassCode, parsePassCode, passCodeFromRandom, secretKeyFromPassCode } from '../../protocol/pass-code.ts';
import { isSecretKey } from '../../protocol/signature.ts';
import { anyBytes } from '../support/protocol-arbitraries.ts';

t.test('a code survives being printed, read aloud and typed', (t) => {
  fc.assert(
    fc.property(anyBytes(13), (random) => {
      const code = passCodeFromRandom(random);
      t.match(code, /^[0-9A-HJKMNP-TV-Z]{20}$/);
      t.match(formatPassCode(code), /^(\w{5}-){3}\w{5}$/);
      for (const typed of [
        code,
        formatPassCode(code),
        ` ${formatPassCode(code).toLowerCase()} `,
        code.replaceAll('1', 'l').replaceAll('0', 'o'),
        code.replaceAll('1', 'I').replaceAll('0', 'O'),
      ]) {
        t.equal(parsePassCode(typed), code);
      }
    }),
    { numRuns: 30 },
  );
  t.end();
});

t.test('all 100 bits of the random bytes are in the code, and the top 4 bits are not', (t) => {
  const zero = new Uint8Array(13);
  const codes = new Set<string>([passCodeFromRandom(zero)]);
  for (let bit = 0; bit < 100; bit++) {
    const random = new Uint8Array(13);
    random[12 - Math.floor(bit / 8)] = 1 << (bit % 8);
    codes.add(passCodeFromRandom(random));
  }
  t.equal(codes.size, 101);
  t.equal(passCodeFromRandom(new Uint8Array(13).fill(0xf0, 0, 1)), passCodeFromRandom(zero));
  t.end();
});

for (const length of [0, 12, 14, 32]) {
  t.test(`${length} random bytes make no code`, (t) => {
    t.throws(
      () => passCodeFromRandom(new Uint8Array(length)),
      new RangeError(`a pass code needs 13 random bytes, got ${length}`),
    );
    t.end();
  });
}

const NO_CODES = [
  ['nothing', ''],
  ['19 characters', '0123456789ABCDEFGHJ'],
  ['21 characters', '0123456789ABCDEFGHJKM'],
  ['a U, which is not in the alphabet', 'U123456789ABCDEFGHJK'],
  ['another script', '０123456789ABCDEFGHJK'],
  ['65 characters, mostly hyphens', `${'-'.repeat(45)}0123456789ABCDEFGHJK`],
  ['a character out of two code units', '😀23456789ABCDEFGHJK'],
] as const;
for (const [what, text] of NO_CODES) {
  t.test(`${what} is no pass code`, (t) => {
    t.equal(parsePassCode(text), undefined);
    t.end();
  });
}

t.test('no text makes the parser throw, and what it accepts is canonical', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 70 }), (text) => {
      const code = parsePassCode(text);
      return code === undefined || parsePassCode(code) === code;
    }),
  );
  t.end();
});

t.test('the key of a code is keccak256 of the prefix and the code', (t) => {
  const code = '0123456789ABCDEFGHJK';
  t.equal(hexFromBytes(secretKeyFromPassCode(code)), hexFromBytes(keccak256Text('SSP-PASS-v10123456789ABCDEFGHJK')));
  t.ok(isSecretKey(secretKeyFromPassCode(code)));
  t.end();
});
