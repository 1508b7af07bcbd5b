/** The rules that stand before the agent does must be the agent's own. */
import t from 'tap';
import { DENY_FAMILIES, denyTable, isDenyTableCurrent } from '../../tools/make-deny-table.ts';

t.test('the committed deny table is what the renderers make (else: npm run deny-table)', (t) => {
  t.equal(isDenyTableCurrent(), true);
  t.end();
});

t.test('the deny table holds no guest, no quota and nothing but additions', (t) => {
  for (const command of DENY_FAMILIES.flatMap((family) => denyTable(family).nftables)) {
    t.same(Object.keys(command), ['add']);
    const [kind] = Object.keys(command.add ?? {});
    t.ok(['table', 'set', 'map', 'counter', 'chain', 'rule'].includes(kind ?? ''));
  }
  t.end();
});
