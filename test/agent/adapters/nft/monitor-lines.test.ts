/** nft monitor's text: what of it concerns us, and what was our own doing. */
import t from 'tap';
import { type MonitorEvent, MonitorLines } from '../../../../agent/adapters/nft/monitor.ts';

const OWN = 100;

function eventsOf(...lines: readonly string[]): MonitorEvent[] {
  const reader = new MonitorLines((pid) => pid === OWN);
  return lines.map((line) => reader.read(line)).filter((event) => event !== undefined);
}

const commitBy = (pid: number): string => `# new generation 12 by process ${pid} (nft)`;

t.test('a quota that is used up is told at once, one that is not is not', (t) => {
  t.same(eventsOf('add quota inet shareagent q7_2 { 25 mbytes used 25 mbytes }'), [
    { kind: 'depleted', quota: 'q7_2' },
  ]);
  t.same(eventsOf('add quota inet shareagent q7_2 { 25 mbytes used 24 mbytes }'), []);
  t.end();
});

t.test('a quota of another table, or of a name that is not ours, is not told as used up', (t) => {
  const lines = [
    'add quota inet fw4 q7_2 { 25 mbytes used 25 mbytes }',
    'add quota inet shareagent mine { 25 mbytes used 25 mbytes }',
    'add quota inet shareagent q7_2x { 25 mbytes used 25 mbytes }',
  ];
  t.same(eventsOf(...lines), []);
  t.end();
});

t.test('a change of our table by another process is told when it is committed, with its first line', (t) => {
  const line = 'add rule inet shareagent from_guest accept';
  t.same(eventsOf(line), [], 'not before');
  t.same(eventsOf(line, 'delete table bridge shareagent', commitBy(7)), [{ kind: 'touched', what: line }]);
  t.same(eventsOf('delete table inet shareagent', commitBy(7)), [
    { kind: 'touched', what: 'delete table inet shareagent' },
  ]);
  t.end();
});

t.test('our own change is not told, and does not hide the next one of somebody else', (t) => {
  const line = 'add element inet shareagent online { aa:bb:cc:00:00:01 }';
  t.same(eventsOf(line, commitBy(OWN)), []);
  t.same(eventsOf(line, commitBy(OWN), commitBy(7)), [{ kind: 'elsewhere' }]);
  t.same(eventsOf(line, commitBy(OWN), line, commitBy(7)), [{ kind: 'touched', what: line }]);
  t.end();
});

t.test('a change of other tables is told as elsewhere', (t) => {
  t.same(eventsOf('add chain inet fw4 forward', commitBy(7)), [{ kind: 'elsewhere' }]);
  t.same(
    eventsOf('add chain ip shareagent forward', commitBy(7)),
    [{ kind: 'elsewhere' }],
    'a family that is not ours',
  );
  t.end();
});

t.test('elements that dnsmasq puts into the garden do not touch us, its removal does', (t) => {
  t.same(eventsOf('add element inet shareagent garden4 { 203.0.113.9 }', commitBy(7)), [{ kind: 'elsewhere' }]);
  t.same(eventsOf('delete set inet shareagent garden4', commitBy(7)), [
    { kind: 'touched', what: 'delete set inet shareagent garden4' },
  ]);
  t.end();
});

t.test('what nft could not read counts as a change of ours, unless we made it', (t) => {
  const line = 'W: Received event for an unknown table.';
  t.match(eventsOf(line, commitBy(7)), [{ kind: 'touched' }]);
  t.same(eventsOf(line, commitBy(OWN)), []);
  t.end();
});

t.test('a line as long as a set is told in a few words, and nonsense not at all', (t) => {
  const [event] = eventsOf(
    `add element inet shareagent online { ${'aa:bb:cc:00:00:01, '.repeat(5_000)} }`,
    commitBy(7),
  );
  t.equal(event?.kind === 'touched' && event.what.length, 80);
  t.same(eventsOf('', 'hello', '# new generation', '# new generation x by process y'), []);
  t.end();
});
