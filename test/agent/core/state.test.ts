import t from 'tap';
import { emptyState, withEntry, withoutEntry } from '../../../agent/core/state.ts';

t.test('an entry is set and removed in a copy, the map itself stays as it is', (t) => {
  const map = new Map([['a', 1]]);
  t.same(withEntry(map, 'b', 2), new Map([...map, ['b', 2]]));
  t.same(withoutEntry(map, 'a'), new Map());
  t.same(map, new Map([['a', 1]]));
  t.end();
});

t.test('removing what is not there makes no copy', (t) => {
  const map = new Map([['a', 1]]);
  t.equal(withoutEntry(map, 'b'), map);
  t.end();
});

t.test('a new agent knows nobody and starts the chain of proofs', (t) => {
  t.match(emptyState(5, 7n), { nextSessionId: 1, proofs: { nextSeq: 0n, startedMs: 5, startedS: 7n } });
  t.end();
});
