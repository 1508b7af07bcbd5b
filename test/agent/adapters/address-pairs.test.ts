/** Pairs read three times in a row. */
import t from 'tap';
import { type AddressPair, arePairsBetween } from '../../../agent/adapters/address-pairs.ts';
import type { IpAddress, Mac } from '../../../agent/core/model.ts';

t.test('pairs that came or went meanwhile are no disagreement, any other difference is', (t) => {
  const of = (...names: readonly string[]): AddressPair[] =>
    names.map((name) => ({ mac: '02:00:00:00:00:01' as Mac, address: name as IpAddress }));
  t.equal(arePairsBetween(of('a'), of('a', 'b'), of('a', 'b')), true, 'one came');
  t.equal(arePairsBetween(of('a', 'b'), of('a'), of('a')), true, 'one went');
  t.equal(arePairsBetween(of('a'), of(), of('a')), false);
  t.equal(arePairsBetween(of(), of('a'), of()), false);
  t.end();
});
