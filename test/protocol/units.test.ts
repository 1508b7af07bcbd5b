import fc from 'fast-check';
import t from 'tap';
import { MAX_UINT64, sspFromUnits, uint64FromDecimal, unitsFromSsp } from '../../protocol/units.ts';
import { anyUint } from '../support/protocol-arbitraries.ts';

t.test('a uint64 survives the way through its decimal string', (t) => {
  fc.assert(fc.property(anyUint(64), (value) => uint64FromDecimal(value.toString()) === value));
  t.equal(uint64FromDecimal('0'), 0n);
  t.equal(uint64FromDecimal('18446744073709551615'), MAX_UINT64);
  t.end();
});

const NOT_DECIMAL = [
  ['empty', ''],
  ['one above 2^64-1', '18446744073709551616'],
  ['21 digits', '100000000000000000000'],
  ['a leading zero', '01'],
  ['a sign', '+1'],
  ['negative', '-1'],
  ['a fraction', '1.0'],
  ['an exponent', '1e3'],
  ['hex', '0x10'],
  ['a space', ' 1'],
  ['a line break behind', '1\n'],
  ['an underscore', '1_000'],
  ['other digits', '١٢'],
] as const;
for (const [what, text] of NOT_DECIMAL) {
  t.test(`a decimal string with ${what} is refused`, (t) => {
    t.equal(uint64FromDecimal(text), undefined);
    t.end();
  });
}

t.test('no text makes the decimal parser throw, and only canonical text is accepted', (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const value = uint64FromDecimal(text);
      return value === undefined || value.toString() === text;
    }),
  );
  t.end();
});

t.test('SSP text becomes base units of 4 decimals', (t) => {
  t.equal(unitsFromSsp('12.5'), 125_000n);
  t.equal(unitsFromSsp('12.5 SSP'), 125_000n);
  t.equal(unitsFromSsp('12.5SSP'), 125_000n);
  t.equal(unitsFromSsp(' 0.0001 '), 1n);
  t.equal(unitsFromSsp('7'), 70_000n);
  t.equal(unitsFromSsp('999999999999999.9999'), 10n ** 19n - 1n, 'far more than the supply, still a uint64');
  t.end();
});

for (const text of ['', '.5', '5.', '0.00001', '-1', '1,5', '1e3', 'SSP', '1 ssp', '1000000000000000']) {
  t.test(`"${text}" is no amount of SSP`, (t) => {
    t.equal(unitsFromSsp(text), undefined);
    t.end();
  });
}

t.test('base units print without trailing zeros and read back the same', (t) => {
  t.equal(sspFromUnits(12_500n), '1.25');
  t.equal(sspFromUnits(0n), '0');
  t.equal(sspFromUnits(10_000n), '1');
  t.equal(sspFromUnits(-1n), '-0.0001');
  t.equal(sspFromUnits(-25_000n), '-2.5');
  fc.assert(fc.property(anyUint(62), (units) => unitsFromSsp(sspFromUnits(units)) === units));
  t.end();
});
