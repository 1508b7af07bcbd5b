/** What goes to nft, word for word. After a deliberate change: UPDATE_GOLDEN=1, and the diff is part of the review. */
import t from 'tap';
import { renderBridgeTable } from '../../../../agent/adapters/nft/render-bridge.ts';
import { renderInetTable, type TableFacts } from '../../../../agent/adapters/nft/render-table.ts';
import { installCommands } from '../../../../agent/adapters/nft/table-spec.ts';
import { golden } from '../../../support/nft-golden.ts';
import { device, grant, PlanFollower, station } from '../../../support/nft-grants.ts';

const FACTS: TableFacts = {
  guestDevices: [device('br-guest')],
  guestIndexes: [{ device: device('br-guest'), index: 7 }],
  guestPorts: [device('phy0-ap1'), device('phy1-ap1')],
  portalPort: 2050,
  hasRates: false,
  isStrict: false,
};

const TABLES = {
  'inet-one-device': renderInetTable(FACTS),
  'inet-two-devices': renderInetTable({ ...FACTS, guestDevices: [device('br-guest'), device('br-cafe')] }),
  'inet-with-rates': renderInetTable({ ...FACTS, hasRates: true }),
  'inet-strict': renderInetTable({ ...FACTS, isStrict: true }),
  bridge: renderBridgeTable(FACTS),
};

for (const [name, spec] of Object.entries(TABLES)) {
  t.test(`the table of ${name}.json is rendered word for word`, (t) => {
    const { actual, expected } = golden(name, [installCommands(spec)]);
    t.equal(actual, expected);
    t.end();
  });
}

t.test('a grant, its top-up, its pause and its removal are the transactions of the golden files', (t) => {
  const stations = [
    station('aa:bb:cc:00:00:01', ['192.168.77.20', '2001:db8:77:1::20', 'fe80::1'], 'phy0-ap1'),
    station('aa:bb:cc:00:00:02', ['192.168.77.21', '2001:db8:77:1::21'], 'phy1-ap1'),
  ];
  const follower = new PlanFollower();
  const first = grant(7, stations, { limitBytes: 50_000_000n, usedBytes: 1_234n, counters: new Map() });
  const steps = {
    'grant-added': follower.follow([first]),
    'grant-topped-up': follower.follow([{ ...first, limitBytes: 80_000_000n }]),
    'grant-paused': follower.follow([{ ...first, limitBytes: 80_000_000n, isOnline: false, isPaused: true }]),
    'grant-resumed': follower.follow([{ ...first, limitBytes: 80_000_000n }]),
    'grant-removed': follower.follow([]),
  };
  for (const [name, transactions] of Object.entries(steps)) {
    const { actual, expected } = golden(name, transactions);
    t.equal(actual, expected, name);
  }
  t.same(follower.follow([]), [], 'and then there is nothing left to say');
  t.end();
});
