import t from 'tap';
import { place } from '../../../../agent/adapters/uci/place-kind.ts';

t.test('a country, or a country and a coarse geohash', (t) => {
  const { parse } = place();
  t.strictSame(parse('CH'), { country: 'CH', geohash: '-' });
  t.strictSame(parse('ch:u0qj'), { country: 'CH', geohash: 'u0qj' });
  t.strictSame(parse('CH:u0qj8m'), { country: 'CH', geohash: 'u0qj8m' });
  for (const text of ['', 'C', 'CHE', 'CH:', 'CH:a', 'CH:U0QJ', 'CH:u0qj8mx', 'CH u0qj', 'u0qj', 'CH:u0qj\n', '1H']) {
    t.equal(parse(text), undefined, JSON.stringify(text));
  }
  t.end();
});
