/** Nothing that a guest, another package or a listing can name becomes part of a command unless it is a name of ours. */
import fc from 'fast-check';
import t from 'tap';
import { ElementIndex } from '../../../../agent/adapters/nft/element-index.ts';
import { listedSessions } from '../../../../agent/adapters/nft/installed.ts';
import { GRANT_SETS, type GrantSet } from '../../../../agent/adapters/nft/layout.ts';
import type { JsonObject } from '../../../../agent/adapters/nft/nft-json.ts';
import { diffPlan } from '../../../../agent/adapters/nft/plan-diff.ts';
import { elementKey } from '../../../../agent/adapters/nft/render-grant.ts';
import { changeTransactions, stopTransaction } from '../../../../agent/adapters/nft/transactions.ts';
import { UsageBook } from '../../../../agent/adapters/nft/usage-book.ts';
import { FAMILIES } from '../../../support/nft-grants.ts';

const SETS = Object.keys(GRANT_SETS) as GrantSet[];
const HOSTILE = [
  'a;accept',
  'x"y',
  '-h',
  '$(id)',
  '`id`',
  'accept\n',
  'aa:bb:cc:00:00:01; accept',
  '192.168.77.20/8',
  '@online',
  '0.0.0.0-255.255.255.255',
  '2001:db8::1%br-lan',
  'include "/etc/passwd"',
  '*',
];

/** Everything that would be sent if a kernel listed this and nobody had a session. */
function commandsAfter(listed: readonly JsonObject[]): string {
  const found = listedSessions(listed);
  const diff = diffPlan(found.sessions, new ElementIndex(), [], new Set(), FAMILIES);
  const leftovers = { install: [], strayElements: found.strayElements, strayQuotas: [], strayRates: [] };
  return JSON.stringify([stopTransaction(diff, leftovers), changeTransactions(diff, leftovers, new UsageBook())]);
}

t.test('a hostile key in any set is no key', (t) => {
  for (const set of SETS) {
    for (const name of HOSTILE) {
      t.equal(elementKey(set, [name]), undefined);
      t.equal(elementKey(set, [name, name]), undefined);
      const isPair = ['up4', 'up6', 'port', 'nd_home'].includes(set);
      const first = set === 'port' ? 'aa:bb:cc:00:00:01' : '2001:db8::1';
      if (isPair) t.equal(elementKey(set, [first, name]), undefined, `${set} ${name}`);
    }
  }
  t.end();
});

t.test('a table that holds a hostile element is not legible, and no command repeats its name', (t) => {
  for (const set of SETS) {
    for (const name of HOSTILE) {
      const kind = set.startsWith('count_') ? 'set' : 'map';
      const elem = [name, [name, 'q1_1'], { elem: { val: name, comment: '1 0 0' } }];
      const listed = [{ [kind]: { family: GRANT_SETS[set].family, table: 'shareagent', name: set, elem } }];
      t.equal(listedSessions(listed).isLegible, false);
      t.notOk(commandsAfter(listed).includes(JSON.stringify(name).slice(1, -1)), `${set} ${name}`);
    }
  }
  t.end();
});

t.test('a quota of a hostile name makes the table not legible and belongs to no session', (t) => {
  for (const name of HOSTILE) {
    const listed = [{ quota: { family: 'inet', table: 'shareagent', name, bytes: 1, used: 0 } }];
    const { isLegible, sessions, quotas } = listedSessions(listed);
    t.same({ isLegible, sessions: sessions.size, quotas }, { isLegible: false, sessions: 0, quotas: [] });
  }
  t.end();
});

t.test('any text listed as a key is either a clean name or no key at all', (t) => {
  const anyText = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom(...HOSTILE),
  );
  fc.assert(
    fc.property(fc.constantFrom(...SETS), anyText, anyText, (set, first, second) => {
      const key = elementKey(set, [first, second]);
      if (key !== undefined) t.match(key, /^[0-9A-Za-z:._-]+( [0-9A-Za-z:._-]+)?$/);
    }),
    { numRuns: 2_000 },
  );
  t.end();
});
